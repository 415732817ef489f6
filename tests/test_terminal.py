"""What a terminal gets to see: pure values first, then a real pseudo-terminal."""

from __future__ import annotations

import io
import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.emulator import Emulator, bad_key, pause, say, think
from kimi_openai.screen import HarmlessWriter, Screen
from kimi_openai.terminal import CONTROLS, Harmless, bar, escaped, harmless, json_text, one_line, table

ROOT = str(Path(__file__).parent.parent)

HOSTILE = {
    "colour": "\x1b[31mred",
    "clear screen": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "device control": "\x1bP$q\x1b\\",
    "bell": "\x07",
    "overwrite": "rm -rf /\rls      ",
    "backspace": "safe\x08\x08\x08\x08evil",
    "C1": "\x9b31m\x9d0;t\x9c",
    "delete": "\x7f",
    "right to left": "\u202egpj.exe\u2066",
    "surrogate": "\ud83d",
    "null": "\x00",
    "vertical": "\x0b\x0c",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_control_character_gets_through(text: str) -> None:
    """It is written out, in text, in a cell and in JSON, which stays the same value."""
    for shown in (harmless(text), one_line(text), json_text({"text": text})):
        assert not CONTROLS.search(shown)
        assert all(char.isprintable() or char == "\n" for char in shown)
        shown.encode()
    assert json.loads(json_text({"text": text})) == {"text": text}


def test_what_is_hidden_is_shown() -> None:
    """The user sees that something was there; nothing is swallowed."""
    assert harmless("\x1b[31m\x9bA\u202e") == r"\x1b[31m\x9bA\u202e"
    assert harmless("tab\tand\r\nnewline 你好 🌙 e\u0301") == "tab\tand\nnewline 你好 🌙 e\u0301"
    assert escaped('{"a": "\x9b"}') == '{"a": "\\u009b"}'


@given(st.lists(st.text(st.sampled_from("a\r\n\x1b\x9b\t ü"), max_size=4)))
def test_pieces_show_what_the_whole_shows(pieces: list[str]) -> None:
    """A CR LF that is cut apart is a newline still."""
    told = Harmless()
    assert "".join(map(told.feed, pieces)) + told.rest() == harmless("".join(pieces))


def test_tables_and_bars() -> None:
    """Columns by what a terminal shows of a character; a cell has one line."""
    assert table([("name", "size"), ("你好", 7), ("\n\x1b", 1234)]).splitlines() == [
        "name      size",
        "你好         7",
        r"\x0a\x1b  1234",
    ]
    assert table([]) == ""
    assert [bar(share, 4) for share in (-1, 0, 0.5, 1, 2)] == [
        "[----]   0 %",
        "[----]   0 %",
        "[##--]  50 %",
        "[####] 100 %",
        "[####] 100 %",
    ]


class FakeTerminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_asides_and_waiting_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere there is not one byte of them; on a terminal the reasoning is dim, unless NO_COLOR is set."""
    monkeypatch.setenv("TERM", "xterm")
    plain, terminal = io.StringIO(), FakeTerminal()
    for err in (plain, terminal):
        screen = Screen(io.StringIO(), err)
        with screen.waiting("a file", lambda: 0.5):
            screen.aside("hm\x1b[2J")
    assert plain.getvalue() == ""
    assert terminal.getvalue() == "\x1b[2mhm\\x1b[2J\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    colourless = FakeTerminal()
    Screen(io.StringIO(), colourless).aside("hm")
    assert colourless.getvalue() == "hm"


def test_a_long_wait_draws_a_bar_and_wipes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is gone afterwards, and stopping twice does no harm."""
    monkeypatch.setattr("kimi_openai.screen.PATIENCE", 0.0)
    terminal = FakeTerminal()
    with Screen(io.StringIO(), terminal).waiting("uploading \x1bx", lambda: 0.5) as stop:
        while "50 %" not in terminal.getvalue():
            time.sleep(0.001)
        stop()
        stop()
    drawn = terminal.getvalue()
    assert drawn.startswith("\ruploading \\x1bx [##########----------]  50 % 0 s")
    assert re.search(r"\r {40,}\r$", drawn)
    assert "\x1b" not in drawn


def test_code_that_prints_is_made_harmless_too() -> None:
    """What the demo writes through."""
    file = io.StringIO()
    writer = HarmlessWriter(file)
    print("a\x1b[2J", file=writer)
    writer.flush()
    assert file.getvalue() == "a\\x1b[2J\n"


class Terminal:
    """A program on a pseudo-terminal: what it shows, and a keyboard."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master, self.process = master, process
        self.shown = ""

    def until(self, text: str) -> str:
        """What was shown since the last call, up to `text`."""
        end = time.monotonic() + 20
        while text not in self.shown:
            assert time.monotonic() < end, f"waited for {text!r}, saw {self.shown!r}"
            if select.select([self._master], [], [], 0.1)[0]:
                self.shown += os.read(self._master, 65536).decode(errors="surrogateescape")
        shown, _, self.shown = self.shown.partition(text)
        return shown + text

    def type(self, text: str) -> None:
        """Type it."""
        os.write(self._master, text.encode())

    def rest(self) -> str:
        """What was shown to the end of the program."""
        self.process.wait(timeout=20)
        while select.select([self._master], [], [], 0)[0]:
            self.shown += os.read(self._master, 65536).decode(errors="surrogateescape")
        return self.shown


@contextmanager
def on_terminal(kimi: Emulator, *arguments: str, **environ: str) -> Iterator[Terminal]:
    """`python -m kimi_openai ...` with a pseudo-terminal for all three of its files, whose Ctrl-C is a key."""
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    on_it = 'exec "$@" <"$0" >"$0" 2>&1'  # opened by the leader of a session, it becomes the controlling terminal
    process = subprocess.Popen(
        ["sh", "-c", on_it, os.ttyname(slave), sys.executable, "-W", "error", "-m", "kimi_openai", *arguments],
        start_new_session=True,
        env={
            **os.environ,
            "PYTHONPATH": ROOT,
            "TERM": "dumb",
            "MOONSHOT_BASE_URL": kimi.base_url,
            "MOONSHOT_API_KEY": kimi.api_key,
            **environ,
        },
    )
    try:
        yield Terminal(master, process)
        process.wait(timeout=20)
    finally:
        process.kill()
        process.wait()
        os.close(slave)
        os.close(master)


def test_hostile_answers_on_a_terminal(kimi: Emulator) -> None:
    """The terminal shows the escapes of the answer and of the reasoning as text; the only own one is dim."""
    everything = "".join(text for name, text in HOSTILE.items() if name != "surrogate")
    kimi.script(think(f"<{everything}>"), say(f"({everything})"))
    with on_terminal(kimi, "chat", "Hi", TERM="xterm") as terminal:
        shown = terminal.rest()
    assert terminal.process.returncode == 0
    assert set(re.findall("\x1b[^m]*m?", shown)) == {"\x1b[2m", "\x1b[0m"}
    assert not CONTROLS.search(shown.replace("\r\n", "\n").replace("\x1b[2m", "").replace("\x1b[0m", ""))
    assert r"\x1b]8;;https://evil.example\x1b\click" in shown
    assert shown.index("<") < shown.index("(")


def test_a_conversation(kimi: Emulator) -> None:
    """The history goes along; a part that came before Ctrl-C is in it; /new forgets; an error does not end it."""
    kimi.script(think("hm"), say("first answer"))
    kimi.script(say("the beginning"), pause(float("inf")), say("never"))
    kimi.script(say("third answer"))
    with on_terminal(kimi, "chat", "--system", "Be brief.") as terminal:
        terminal.until("> ")
        terminal.type("one\n")
        assert "first answer" in terminal.until("\n> ")
        terminal.type("two\n")
        terminal.until("the beginning")
        terminal.type("\x03")
        terminal.until("\n> ")
        terminal.type("three\n")
        assert "third answer" in terminal.until("\n> ")
        terminal.type("/help\n")
        assert "/quit" in terminal.until("\n> ")
        terminal.type("/new\n")
        terminal.until("\n> ")
        kimi.fail(bad_key())
        terminal.type("four\n")
        assert "401" in terminal.until("\n> ")
        terminal.type("five\n")
        terminal.until("\n> ")
        terminal.type("/quit\n")
        assert "Traceback" not in terminal.rest()
    assert terminal.process.returncode == 0
    *_, third, _, fifth = [[message["content"] for message in body["messages"]] for body in kimi.chats]
    assert third == ["Be brief.", "one", "first answer", "two", "the beginning", "three"]
    assert fifth == ["Be brief.", "five"]


def test_a_note_stands_above_what_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waiting line is wiped away for it and goes on below."""
    monkeypatch.setattr("kimi_openai.screen.PATIENCE", 0.0)
    monkeypatch.setattr("kimi_openai.screen.TICK", 0.0)
    err = FakeTerminal()
    screen = Screen(io.StringIO(), err)
    with screen.waiting("asking"):
        while "asking" not in err.getvalue():
            time.sleep(0.001)
        screen.note("not yet")
        while "asking" not in err.getvalue().partition("not yet\n")[2]:
            time.sleep(0.001)
    assert re.search("asking 0 s\r {10}\rnot yet\n\rasking 0 s", err.getvalue())
    assert err.getvalue().endswith("\r")
