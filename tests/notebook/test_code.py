"""Code blocks, inline code and tool calls."""

from __future__ import annotations

import pytest

from kimi_openai.notebook.code import code_block, inline_code, tool_call_box, tool_call_text
from kimi_openai.notebook.markdown import html_of_markdown
from tests.harmless import wrong_in
from tests.hostile import HTML_ATTACKS


@pytest.mark.parametrize("text", HTML_ATTACKS)
def test_code_is_escaped(text: str) -> None:
    """No tag of the code gets into the page."""
    call = {"function": {"name": text, "arguments": text}}
    assert wrong_in(code_block(text) + inline_code(text) + tool_call_box(call)) == []


@pytest.mark.parametrize("markdown", ["```py\nx < 1\n```", "    x < 1\n"], ids=["fenced", "indented"])
def test_markdown_shows_its_code_blocks_so(markdown: str) -> None:
    """The name of the language is not shown."""
    assert code_block("x < 1\n") in html_of_markdown(markdown)


def test_markdown_shows_its_inline_code_so() -> None:
    """Between backticks."""
    code = "x < 'a'"
    assert f"<p>{inline_code(code)}</p>" in html_of_markdown(f"`{code}`")


@pytest.mark.parametrize("call", [{}, {"function": None}, {"function": {"name": None, "arguments": None}}])
def test_an_incomplete_tool_call_is_shown(call: object) -> None:
    """While it arrives, its name and arguments may be missing."""
    assert tool_call_text(call) == "()"
