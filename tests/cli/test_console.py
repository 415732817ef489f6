"""The two outputs of a command, and the waiting line."""

from __future__ import annotations

import io

import pytest

from kimi_openai.cli.console import Console

from .conftest import TerminalFile


def test_asides_and_waiting_lines_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere there is not one byte of them; on a terminal an aside is dim, unless NO_COLOR is set."""
    monkeypatch.setenv("TERM", "xterm")
    plain, terminal = io.StringIO(), TerminalFile()
    for err in (plain, terminal):
        console = Console(io.StringIO(), err)
        with console.waiting("a file", lambda: 0.5):
            console.aside("hm\x1b[2J")
    assert plain.getvalue() == ""
    assert terminal.getvalue() == "\x1b[2mhm\\x1b[2J\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    colourless = TerminalFile()
    Console(io.StringIO(), colourless).aside("hm")
    assert colourless.getvalue() == "hm"


def test_invisible_characters_are_data_in_a_pipe() -> None:
    """A terminal shows that they are there, and a pipe gets them as they are; what controls a terminal neither."""
    piped, terminal = io.StringIO(), TerminalFile()
    for out in (piped, terminal):
        console = Console(out, io.StringIO())
        console.line("pay\u200bpal \x1b[2J")
        console.answer("pay\u200b")
        console.answer("pal \u202e")
        console.end_answer()
    assert piped.getvalue() == "pay\u200bpal \\x1b[2J\npay\u200bpal \\u202e\n"
    assert terminal.getvalue() == "pay\\u200bpal \\x1b[2J\npay\\u200bpal \\u202e\n"
