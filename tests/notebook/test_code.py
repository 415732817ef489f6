"""Code blocks, inline code and tool calls."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai._internal.sanitize import escape_controls
from kimi_openai.notebook import code
from kimi_openai.notebook.code import (
    MAX_HIGHLIGHTED,
    MAX_SECONDS,
    code_block,
    inline_code,
    tool_call_box,
    tool_call_text,
)
from kimi_openai.notebook.markdown import html_of_markdown
from tests.harmless import checked, wrong_in
from tests.hostile import HTML_ATTACKS, INVISIBLE_ATTACKS

LANGUAGES = ["python", "json", "html", "diff", "bash", "javascript", "c++", "sql", "console", "latex"]


@pytest.mark.parametrize("text", HTML_ATTACKS)
def test_code_is_escaped(text: str) -> None:
    """No tag of the code gets into the page."""
    call = {"function": {"name": text, "arguments": text}}
    blocks = "".join(code_block(text, language) for language in [*LANGUAGES, text])
    assert wrong_in(blocks + inline_code(text) + tool_call_box(call)) == []


@given(st.text(max_size=60), st.sampled_from(LANGUAGES))
def test_highlighting_changes_no_character(text: str, language: str) -> None:
    """A reader who copies a block gets what the model wrote, with its control characters written out."""
    assert "".join(checked(code_block(text, language)).texts).removesuffix("\n") == escape_controls(text)


@pytest.mark.parametrize("text", INVISIBLE_ATTACKS.values(), ids=INVISIBLE_ATTACKS)
def test_what_nobody_sees_is_written_out_in_code(text: str) -> None:
    """In a block, in a line and in a tool call: code that looks harmless must be what it looks."""
    call = {"function": {"name": text, "arguments": json.dumps({"path": text, "more": "x" * 80}, ensure_ascii=False)}}
    for shown in (code_block(text, "python"), inline_code(text), tool_call_box(call)):
        assert escape_controls(text) in "".join(checked(shown).texts)


def test_a_block_is_highlighted_and_keeps_its_language() -> None:
    """The language stands where tools look for it, and is no way to another attribute."""
    shown = html_of_markdown("```python title=x\nreturn 1  # one\n```")
    assert '<code class="language-python" ' in shown
    for kind in ("keyword", "number", "comment"):
        assert f'"color: var(--kimi-{kind})' in shown
    assert '<code class="language-xonclick1" ' in html_of_markdown('```x"onclick="1\n1\n```')


@pytest.mark.parametrize("markdown", ["```\nx < 1\n```", "    x < 1\n", "```nosuch\nx < 1\n```"])
def test_a_block_of_no_known_language_is_plain(markdown: str) -> None:
    """It has the same ground."""
    shown = html_of_markdown(markdown)
    assert "x &lt; 1\n</code></pre>" in shown
    assert "background:rgba" in shown
    assert "<span" not in shown


def test_a_long_block_is_plain() -> None:
    """Painting it sixteen times a second must not take all the time."""
    assert "<span" in code_block("1 " * (MAX_HIGHLIGHTED // 2), "python")
    assert "<span" not in code_block("1 " * MAX_HIGHLIGHTED, "python")


def test_what_takes_long_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some lexers need minutes for text that was made for it; no character is lost."""
    times = iter([0.0, 0.1, 0.2, MAX_SECONDS + 0.1])
    monkeypatch.setattr(code, "clock", lambda: next(times))
    shown = code_block("1 2 3 4 5 'slow'", "python")
    assert text_of(shown).strip() == "1 2 3 4 5 'slow'"
    assert shown.count("<span") < 3


def test_without_pygments_a_block_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra may be missing."""

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(code, "import_module", missing)
    for cached in (code._highlighter, code._highlighted):
        cached.cache_clear()
    try:
        assert "return 1</code>" in code_block("return 1", "python")
    finally:
        for cached in (code._highlighter, code._highlighted):
            cached.cache_clear()


def test_markdown_shows_its_inline_code_so() -> None:
    """Between backticks."""
    text = "x < 'a'"
    assert f"<p>{inline_code(text)}</p>" in html_of_markdown(f"`{text}`")


@pytest.mark.parametrize("call", [{}, {"function": None}, {"function": {"name": None, "arguments": None}}])
def test_an_incomplete_tool_call_is_shown(call: object) -> None:
    """While it arrives, its name and arguments may be missing."""
    assert tool_call_text(call) == "()"
    assert "()" in tool_call_box(call)


def box(arguments: Any) -> str:
    """A call of `save` as HTML."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return tool_call_box({"function": {"name": "save", "arguments": text}})


def text_of(markup: str) -> str:
    """What a reader sees."""
    return "".join(checked(markup).texts)


def test_a_tool_call_is_wrapped_and_if_it_is_long_indented_and_folded() -> None:
    """One line up to eighty characters; then indented JSON; a screenful of it is folded, with its size."""
    assert "save({&quot;a&quot;:1})" in box('{"a":1}')
    assert "white-space:pre-wrap;overflow-wrap:anywhere" in box('{"a":1}')
    medium, long = {"path": "x" * 80, "ü": [1, 2.5]}, {"text": "word " * 500}
    assert '{\n  "path": "' in text_of(box(medium))
    assert '"ü": [\n    1,\n    2.5\n  ]' in text_of(box(medium))
    assert "white-space:pre-wrap;overflow-wrap:anywhere" in box(medium)
    assert re.search("<details open[^>]*><summary", box(medium))
    assert re.search("<details style[^>]*><summary", box(long))
    assert "save with 2,516 characters of arguments" in text_of(box(long))


@pytest.mark.parametrize(
    "arguments",
    [
        '{"a": 1, "a": 2, "b": "%s"}',
        '{"a": 1e3, "b": "%s"}',
        '{"a": 0.10000000000000000001, "b": "%s"}',
        '{"a": "%s',
        '{"a": "%s"} and more',
        "[" * 5000 + '"%s"',
        '{"a": ' + "9" * 5000 + ', "b": "%s"}',
    ],
    ids=["double name", "exponent", "digits", "cut off", "not JSON", "deep", "huge"],
)
def test_arguments_that_would_look_different_are_shown_as_they_came(arguments: str) -> None:
    """Who approves a call must see what is called."""
    text = arguments % ("x" * 80)
    assert text in text_of(box(text))
