"""The two outputs of a command, and the waiting line."""

from __future__ import annotations

import io
import re
import time

import pytest

from kimi_openai.cli.console import Console, EscapingWriter

from .conftest import TerminalFile


def until_drawn(terminal: io.StringIO, text: str, *, after: str = "") -> None:
    """Wait until another thread has drawn the text."""
    end = time.monotonic() + 20
    while text not in terminal.getvalue().partition(after)[2] if after else text not in terminal.getvalue():
        assert time.monotonic() < end, f"waited for {text!r}, saw {terminal.getvalue()!r}"
        time.sleep(0.001)


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


def test_a_long_wait_draws_a_bar_and_erases_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is gone afterwards, and stopping it twice does no harm."""
    monkeypatch.setattr("kimi_openai.cli.console.WAIT_BEFORE_LINE", 0.0)
    terminal = TerminalFile()
    with Console(io.StringIO(), terminal).waiting("uploading \x1bx", lambda: 0.5) as stop:
        until_drawn(terminal, "50 %")
        stop()
        stop()
    drawn = terminal.getvalue()
    assert drawn.startswith("\ruploading \\x1bx [##########----------]  50 % 0 s")
    assert re.search(r"\r {40,}\r$", drawn)
    assert "\x1b" not in drawn


def test_a_note_stands_above_the_waiting_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waiting line is erased for it and drawn again below."""
    monkeypatch.setattr("kimi_openai.cli.console.WAIT_BEFORE_LINE", 0.0)
    monkeypatch.setattr("kimi_openai.cli.console.REDRAW_INTERVAL", 0.0)
    terminal = TerminalFile()
    console = Console(io.StringIO(), terminal)
    with console.waiting("asking"):
        until_drawn(terminal, "asking")
        console.note("not yet")
        until_drawn(terminal, "asking", after="not yet\n")
    assert re.search("asking 0 s\r {10}\rnot yet\n\rasking 0 s", terminal.getvalue())
    assert terminal.getvalue().endswith("\r")


def test_printed_text_is_escaped() -> None:
    """For code that uses `print`."""
    file = io.StringIO()
    writer = EscapingWriter(file)
    print("a\x1b[2J", file=writer)
    writer.flush()
    assert file.getvalue() == "a\\x1b[2J\n"
