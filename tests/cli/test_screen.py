"""The waiting line and tables, on real terminals."""

from __future__ import annotations

import io
import threading
import time

import pytest

from kimi_openai.cli.console import Console
from kimi_openai.emulator import Emulator, pause, rate_limited, say
from kimi_openai.models.catalog import CURRENT

from .conftest import TerminalFile
from .terminal import EXTRAS, on_terminal

XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize("columns", [24, 40, 120])
def test_the_waiting_line_fits_any_width_and_is_erased(kimi: Emulator, columns: int) -> None:
    """It is one line, also with a long wide name, and a note stands above it."""
    kimi.fail(rate_limited(retry_after=2.1))
    kimi.script(pause(0.5), say("2"))
    with on_terminal(kimi, "chat", "-m", "k3", "Hi", columns=columns, **XTERM) as terminal:
        terminal.until_screen(" s")
        terminal.until_true(lambda: "asking again" in terminal.text, "a note")
        terminal.until_true(lambda: terminal.lines[-1].startswith("waiting for"), "the line below the note")
        assert sum(line.startswith("waiting") for line in terminal.lines) == 1
        assert len(terminal.lines[-1]) <= columns
        terminal.rest()
    assert "waiting" not in terminal.text
    assert terminal.lines[-1] == "2"


def test_a_long_name_is_shortened_and_the_numbers_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done and the time are at the end of the line."""
    monkeypatch.setattr("kimi_openai.cli.screen.WAIT_BEFORE_LINE", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    terminal, drawn = TerminalFile(), threading.Event()
    console = Console(io.StringIO(), terminal)

    def share() -> float:
        drawn.set()
        return 1.5

    with console.waiting("uploading " + "文" * 40, share) as stop:
        assert drawn.wait(20)
        stop()
        stop()
    assert "…" in terminal.getvalue()
    assert "100% 0 s" in terminal.getvalue()


def test_without_rich_a_long_wait_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays; a short wait writes nothing, and there is nothing in a pipe."""
    monkeypatch.setattr("kimi_openai.cli.screen.WAIT_BEFORE_LINE", 0.0)
    monkeypatch.setenv("TERM", "dumb")
    terminal, piped = TerminalFile(), io.StringIO()
    for err in (terminal, piped):
        with Console(io.StringIO(), err).waiting("uploading \x1bx", lambda: 0.5):
            end = time.monotonic() + 20
            while err is terminal and not err.getvalue():
                assert time.monotonic() < end
                time.sleep(0.001)
    assert terminal.getvalue() == "uploading \\x1bx ...\n"
    assert piped.getvalue() == ""
    monkeypatch.setattr("kimi_openai.cli.screen.WAIT_BEFORE_LINE", 60.0)
    quick = TerminalFile()
    with Console(io.StringIO(), quick).waiting("x"):
        pass
    assert quick.getvalue() == ""


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("hidden", [(), EXTRAS], ids=["rich", "plain install"])
def test_a_table_fits_the_screen(kimi: Emulator, columns: int, hidden: tuple[str, ...]) -> None:
    """Each row is a block of lines where the columns are wider than the screen."""
    with on_terminal(kimi, "models", columns=columns, hidden=hidden, **XTERM) as terminal:
        terminal.rest()
    assert [line.split()[0] for line in terminal.lines if line.startswith("kimi-")] == [*CURRENT]
    assert (terminal.lines[0].split()[:2] == ["id", "context"]) == (columns >= 80)
    assert ("context 1048576" in terminal.text) == (columns == 40)
