"""How the demo looks: the code that runs is shown, results are indented, and colours are for terminals."""

from __future__ import annotations

import io

import openai
import pytest

from kimi_openai.cli.demo_page import DemoPage
from kimi_openai.emulator import Emulator
from kimi_openai.errors.exceptions import Note

from .conftest import TerminalFile


def greet(name: str) -> None:
    """Not shown."""
    print("Hello,\n", end="")
    print(name, end="")


def two_sides(out: io.StringIO) -> str:
    """One step, with the same code on both sides."""
    page = DemoPage(out)
    page.step("A greeting")
    page.before(greet, "you")
    page.after(greet, "all")
    return out.getvalue()


def test_code_is_shown_once_and_results_are_indented() -> None:
    """The body of the function, without its docstring."""
    shown = """
1. A greeting

    print("Hello,\\n", end="")
    print(name, end="")
  before: openai
    Hello,
    you
  after: kimi_openai
    Hello,
    all
"""
    assert two_sides(io.StringIO()) == shown


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for pipes, `NO_COLOR` or a dumb terminal."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain = two_sides(io.StringIO())
    coloured = two_sides(TerminalFile())
    assert "\x1b[31m  before: openai\x1b[0m" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    assert two_sides(TerminalFile()) == plain
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert two_sides(TerminalFile()) == plain


def test_an_error_of_kimis_is_a_result(kimi: Emulator) -> None:
    """And notes are below the result that they belong to, each once."""
    out = io.StringIO()
    page = DemoPage(out)

    async def refused(client: openai.AsyncOpenAI) -> None:
        """A request with a wrong key."""
        for _ in range(2):
            page.note(Note("a", "body.a", "left out", "Kimi has no a", "leave it out"))
        await client.models.list()

    page.before(refused, openai.AsyncOpenAI(base_url=kimi.base_url, api_key="sk-wrong"))
    before, after = out.getvalue().split("  before: openai\n    AuthenticationError: 401 ")
    assert "await client.models.list()" in before
    assert after.endswith("\n    changed: body.a: left out, because Kimi has no a\n")
