"""One answer while it arrives: breaks, early ends, Ctrl-C."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterator

import pytest

from kimi_openai._internal.sanitize import CONTROLS
from kimi_openai.cli.console import Console
from kimi_openai.emulator import Emulator, cut, error, finish, pause, say, think
from kimi_openai.streaming.chat_stream import ChatStream
from kimi_openai.streaming.events import Event
from tests.hostile import TERMINAL_ATTACKS

from .conftest import Run, TerminalFile
from .terminal import EXTRAS, on_terminal


def test_a_cut_answer_is_resumed(run: Run) -> None:
    """The reader does not notice the break."""
    run.kimi.script(say("one, two"), cut())
    run.kimi.script(say(", three"))
    assert run("chat", "Count") == (0, "one, two, three\n", "")


def test_reasoning_after_a_break_does_not_interrupt_the_text(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model may reason again before it goes on; on a terminal that would stand in the middle of the text."""
    monkeypatch.setattr("kimi_openai.cli.main.Console", lambda: Console(sys.stdout, TerminalFile()))
    aside: list[str] = []
    monkeypatch.setattr(Console, "aside", lambda _, piece: aside.append(piece))
    run.kimi.script(say("one, "), cut())
    run.kimi.script(think("on I go"), say("one, two"))
    assert run("chat", "Count")[1] == "one, two\n"
    assert aside == []


def test_a_pipe_gets_no_second_answer(run: Run) -> None:
    """If the rest is refused, the answer would start over, but text in a pipe cannot be taken back: it is an error."""
    for form, code in (([], 1), (["--json"], 0)):
        run.kimi.script(say("one, two"), cut())
        run.kimi.script(error("no partial here", type="invalid_request_error", status=400))
        run.kimi.script(say("anew"))
        found, out, _ = run("chat", *form, "Count")
        assert (found, json.loads(out)["text"] if form else out) == (code, "anew" if form else "one, two\n")
        run.kimi.clear()


def test_an_early_end_is_a_note(run: Run) -> None:
    """A full budget is exit code 0, the platform's filter is 1."""
    run.kimi.script(say("half"), finish("length"))
    code, out, errors = run("chat", "Hi")
    assert (code, out, "budget" in errors) == (0, "half\n", True)
    run.kimi.script(say("half"), finish("content_filter"))
    code, out, errors = run("chat", "Hi")
    assert (code, out, "filter" in errors) == (1, "half\n", True)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_ctrl_c_keeps_what_came(run: Run, form: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 130, with the beginning of the answer, and no traceback."""

    class Interrupted(ChatStream):
        def __iter__(self) -> Iterator[Event]:
            for event in super().__iter__():
                yield event
                if self.reply.content == "the beginning":
                    signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("kimi_openai.streaming.chat_stream.ChatStream", Interrupted)
    run.kimi.script(say("the beginning"), pause(20), say(" and the end"))
    code, out, errors = run("chat", *form, "Hi")
    assert (code, errors) == (130, "")
    assert (json.loads(out)["text"] if form else out.rstrip("\n")) == "the beginning"


def test_attacks_on_a_terminal(kimi: Emulator) -> None:
    """Escape sequences in an answer and its reasoning are shown as text; our own ones only dim the reasoning.
    (With rich: `test_markdown.py`.)"""
    everything = "".join(text for name, text in TERMINAL_ATTACKS.items() if name != "surrogate")
    kimi.script(think(f"<{everything}>"), say(f"({everything})"))
    with on_terminal(kimi, "chat", "Hi", hidden=EXTRAS, TERM="xterm") as terminal:
        shown = terminal.rest()
    assert terminal.process.exitcode == 0
    assert set(re.findall("\x1b[^m]*m?", shown)) == {"\x1b[2m", "\x1b[0m"}
    assert not CONTROLS.search(shown.replace("\r\n", "\n").replace("\x1b[2m", "").replace("\x1b[0m", ""))
    assert r"\x1b]8;;https://evil.example\x1b\click" in shown
    assert shown.index("<") < shown.index("(")
