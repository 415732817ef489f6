"""A conversation on a real terminal: what is read, what is sent, what is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimi_openai.emulator import Emulator, bad_key, pause, say, think

from .conftest import Run, TerminalFile
from .terminal import CTRL_C, END_PASTE, ENTER, EXTRAS, PASTE, on_terminal

XTERM = {"TERM": "xterm-256color"}
PROMPTS = [pytest.param(XTERM, (), id="prompt_toolkit"), pytest.param({}, (), id="dumb")]
PROMPTS.append(pytest.param(XTERM, EXTRAS, id="plain install"))


def contents(kimi: Emulator) -> list[list[str]]:
    """The texts of the messages of each request."""
    return [[message["content"] for message in body["messages"]] for body in kimi.chats]


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(("variables", "hidden"), PROMPTS)
def test_a_conversation(kimi: Emulator, variables: dict[str, str], hidden: tuple[str, ...]) -> None:
    """It sends the history, with the part of an answer that came before Ctrl-C. /new forgets it. An error does not
    end the conversation, Ctrl-D does."""
    kimi.script(think("hm"), say("first answer"))
    kimi.script(say("the beginning"), pause(float("inf")), say("never"))
    kimi.script(say("third answer"))
    with on_terminal(kimi, "chat", "--system", "Be brief.", hidden=hidden, **variables) as terminal:
        terminal.enter("one")
        assert "first answer" in terminal.text
        terminal.type(f"two{ENTER}")
        terminal.until_screen("the beginning")
        terminal.type(CTRL_C)
        terminal.enter("three")
        assert "third answer" in terminal.text
        terminal.enter("/new")
        assert "a new conversation" in terminal.text
        kimi.fail(bad_key())
        terminal.enter("four")
        assert "401" in terminal.text
        terminal.enter("five")
        assert "Traceback" not in terminal.leave()
    assert terminal.process.exitcode == 0
    *_, third, _, fifth = contents(kimi)
    assert third == ["Be brief.", "one", "first answer", "two", "the beginning", "three"]
    assert fifth == ["Be brief.", "five"]


def test_a_paste_is_one_question(kimi: Emulator) -> None:
    """Also with empty lines in it, and Alt-Enter begins a line of a question that is typed."""
    with on_terminal(kimi, "chat", **XTERM) as terminal:
        terminal.enter(f"{PASTE}def f():\r\n\r\n    return 你好{END_PASTE}", "return 你好")
        terminal.enter("typed\x1b\rbelow", "below")
        terminal.leave()
    first, second = contents(kimi)
    assert first == ["def f():\n\n    return 你好"]
    assert second[-1] == "typed\nbelow"


def test_a_slash_word_that_is_no_command_is_not_sent(run: Run) -> None:
    """The note says how to send it: with a space before it."""
    _, _, errors = run("chat", stdin=TerminalFile("/etc/passwd is what?\n /etc/passwd is what?\n"))
    assert "/etc/passwd is no command and was not sent" in errors
    assert "put a space before it" in errors
    assert contents(run.kimi) == [["/etc/passwd is what?"]]


def test_commands_are_completed(kimi: Emulator, tmp_path: Path) -> None:
    """Their names, the levels of /effort, the models, and the paths of files."""
    (tmp_path / "a note.txt").write_text("The meeting is on Tuesday.")
    with on_terminal(kimi, "chat", **XTERM) as terminal:
        terminal.at_prompt()
        terminal.type("/eff\t")
        terminal.until_screen("> /effort")
        terminal.type(" lo\t")
        terminal.until_screen("> /effort low")
        terminal.type(ENTER)
        terminal.until_screen("effort: low")
        terminal.enter("/file a\t", "> /file a note.txt")
        assert "a note.txt goes with the next question" in terminal.text
        terminal.enter("When?")
        terminal.leave()
    assert kimi.chats[-1]["reasoning_effort"] == "low"
    assert "Tuesday" in kimi.chats[-1]["messages"][0]["content"]


@pytest.mark.parametrize("flags", [[], ["--no-log"]], ids=["log", "no-log"])
def test_what_is_typed_is_kept_for_its_owner(kimi: Emulator, state_of_this_test: Path, flags: list[str]) -> None:
    """The next conversation has it at the Up key; with --no-log nothing is written."""
    with on_terminal(kimi, "chat", *flags, **XTERM) as terminal:
        terminal.enter("a long question")
        terminal.leave()
    with on_terminal(kimi, "chat", *flags, **XTERM) as terminal:
        if flags:
            terminal.at_prompt()
            terminal.type("\x1b[A")
        else:
            terminal.enter("\x1b[A", "a long question")
        terminal.leave()
    if flags:
        assert not state_of_this_test.exists()
        assert contents(kimi) == [["a long question"]]
    else:
        assert contents(kimi) == [["a long question"]] * 2
        assert (state_of_this_test / "history").stat().st_mode & 0o777 == 0o600
        assert state_of_this_test.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_written_is_told(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The conversation goes on without it."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("kimi_openai.cli.console.sys.stderr", TerminalFile())
    code, answer, _ = run("chat", stdin=TerminalFile("one\ntwo\n"))
    assert (code, len(run.kimi.chats[-1]["messages"])) == (0, 3)
    assert answer
