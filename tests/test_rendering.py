"""Replies, tables and Markdown as HTML and as text: what is seen, and that nothing a model writes does anything."""

from __future__ import annotations

import builtins
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai import markup
from kimi_openai.costs import PriceList, Tokens
from kimi_openai.errors import Note, UnexpectedAnswerError
from kimi_openai.markup import html_of_markdown, html_of_text
from kimi_openai.models import PRICES
from kimi_openai.rendering import View, error_table, facts_line, notes_table, reply_html, reply_text, usage_table
from kimi_openai.replies import Reply
from kimi_openai.tables import Table

from .harmless import checked, wrong_in

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>1</script></svg>",
    "<iframe src=https://evil.example></iframe>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<a href='javascript:alert(1)'>x</a>",
    "<!-- comment --><?php 1 ?><!DOCTYPE html><![CDATA[x]]>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example/p)",
    "<javascript:alert(1)>",
    "![pixel](https://evil.example/p.png?secret)",
    '![x](https://evil.example/p.png "onerror=alert(1)")',
    "![x][r]\n\n[r]: https://evil.example/p.png",
    "[![x](https://evil.example/p.png)](https://evil.example)",
    "[x](https://ok.example \"title' onmouseover='alert(1)\")",
    '[x](https://ok.example/"onmouseover="alert(1))',
    "```html\n<script>alert(1)</script>",
    '```x" onclick="alert(1)\n1\n```',
    "    <script>alert(1)</script>",
    "`<script>`",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)",
    "</div></div></details><script>alert(1)</script>",
    "| <script> | ![x](http://e.example/p) |\n|-|-|\n| </td></table><b> | [x](javascript:1) |",
    "$\\href{javascript:alert(1)}{x}$",
    "\\[ \\style{background:url(https://evil.example/p)}{x} \\]",
    "\\(\\class{x}{y}\\) $$\\require{html}$$ $a \\) \\href{javascript:1}{x} \\( b$",
    "$</span><script>alert(1)</script>$",
    "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07\x1b[2J",
    "\u202etxt.exe",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_model_writes_does_nothing(text: str) -> None:
    """In the answer, in the reasoning, in a tool call, in a table: no tag or attribute that is not ours."""
    call = {"function": {"name": text, "arguments": text}}
    reply = Reply(content=text, reasoning=text, tool_calls=(call,), head={"model": text}, finish_reason=text)
    for live in (True, False):
        assert wrong_in(reply_html(View(reply=reply, is_live=live, news=text))) == []
    assert wrong_in(Table(((text,),), (text,), text).html()) == []
    assert "\x1b" not in reply_text(View(reply=reply)) + Table(((text,),)).text()


PIECES = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20), st.sampled_from(list("<>\"'&`$\\()[]!|#*_\n:=\x1b")))


@given(
    st.lists(PIECES, max_size=8).map("".join), st.sampled_from(["", "> ", "- ", "# ", "    ", "1. ", "| a |\n|-|\n| "])
)
def test_no_text_makes_anything_that_is_not_on_the_list(text: str, before: str) -> None:
    """However the pieces are put together."""
    reply = Reply(content=before + text, reasoning=text)
    assert wrong_in(reply_html(View(reply=reply, is_live=True))) == []


@pytest.mark.parametrize(
    "text",
    [
        "$\\href{javascript:1}{x}$",
        "\\[\\style{a}{b}\\]",
        "$a \\) \\href{x}{y} \\( b$",
        "$\\def\\x{\\x\\x}\\x$",
        "\\href{javascript:1}{x}",
        "$ \\href{x}{y} $",
        "\\begin{x}\\style{a}{b}\\end{x}",
        "$\\bbox[background:url(https://evil.example/p)]{x}$",
        "$\\fcolorbox{red;background:url(https://evil.example/p)}{white}{x}$",
    ],
)
def test_only_what_was_found_harmless_is_typeset(text: str) -> None:
    """MathJax looks only where it is told to, and there is no macro there that is not mathematics."""
    assert checked(html_of_markdown(text)).formulas == []


def test_words_are_to_the_left_and_numbers_to_the_right() -> None:
    """In tables of ours and of a model's, unless it said otherwise: notebooks would put everything to the right."""
    left, right = "text-align:left", "text-align:right"
    shown = Table((("kimi-k3", "1,000", "66%", "$0.02"),), ("model", "in", "cached", "cost")).html()
    assert checked(shown).styles == [left, right, right, right] * 2
    assert checked(html_of_markdown("|a|b|\n|-|-:|\n|c|d|")).styles == [left, right] * 2


def test_control_characters_are_written_out_in_notebooks_too() -> None:
    """As in a terminal: nothing that a model or a server wrote is swallowed."""
    reply = Reply(content="a\x1b[2J\r\n\ud83d", reasoning="\u202egpj.exe")
    for shown in (reply_html(View(reply=reply)), reply_text(View(reply=reply))):
        assert all(part in shown for part in (r"a\x1b[2J", r"\ud83d", r"\u202egpj.exe"))
    assert r"\x07" in Table((("\x07",),)).html()


def test_mathematics_is_for_the_notebook_to_typeset() -> None:
    """In all delimiters that Kimi uses, with what Markdown would take for emphasis; prices are no formulas."""
    found = checked(
        html_of_markdown("$a_1 b_1$, \\(x^2\\), $$y$$ and \\[\n\\frac{1}{2} < 3\n\\] cost $5 and $6, `$x$`")
    )
    assert found.formulas == ["\\(a_1 b_1\\)", "\\(x^2\\)", "\\[y\\]", "\\[\n\\frac{1}{2} < 3\n\\]"]


def test_markdown_is_typeset() -> None:
    """Emphasis, code, lists, tables, and links that say nothing of where one comes from."""
    shown = html_of_markdown("# T\n\n**b** `c` [l](https://ok.example)\n\n- i\n\n```py\nx < 1\n```\n\n|a|\n|-|\n|1|")
    assert wrong_in(shown) == []
    for part in ("<h1>T</h1>", "<strong>b</strong>", "<code>c</code>", "<li>i</li>", "x &lt; 1", ">1</td>"):
        assert part in shown
    assert '<a href="https://ok.example" target="_blank" rel="noopener noreferrer nofollow">l</a>' in shown


def test_an_image_is_a_link() -> None:
    """Its address is there to be clicked, and nothing is fetched."""
    assert '!<a href="https://x.example/p.png" ' in html_of_markdown("![p](https://x.example/p.png)")


def test_without_the_markdown_library_the_text_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is, and escaped."""
    real = builtins.__import__

    def missing(name: str, *rest: Any, **options: Any) -> Any:
        if name.startswith("markdown_it"):
            raise ModuleNotFoundError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    markup._renderer.cache_clear()
    try:
        assert html_of_markdown("**b** <i>") == html_of_text("**b** <i>")
    finally:
        markup._renderer.cache_clear()


USAGE = {
    "prompt_tokens": 400,
    "completion_tokens": 45,
    "total_tokens": 445,
    "cached_tokens": 256,
    "completion_tokens_details": {"reasoning_tokens": 20},
}


def test_the_reasoning_is_open_while_kimi_thinks_and_folded_afterwards() -> None:
    """Above the answer, which is not there yet in the first case."""
    thinks = reply_html(View(reply=Reply(reasoning="hm"), is_live=True, pieces=1))
    answers = reply_html(View(reply=Reply(reasoning="hm", content="yes"), is_live=True, pieces=2))
    assert "<details open>" in thinks
    assert "Thinking…" in thinks
    assert "<details>" in answers
    assert answers.index("hm") < answers.index("<p>yes</p>")


def test_the_last_line_has_the_facts() -> None:
    """Tokens, cached share, time to the first token, speed, cost; only what is known."""
    reply = Reply(content="x", usage=USAGE, head={"model": "kimi-k3"})
    assert facts_line(View(reply=reply, first=0.31, last=0.76)) == (
        "kimi-k3 · 400 tokens in (64% cached) · 45 out (20 reasoning) · 310 ms to the first token · 100 tokens/s"
        " · $0.0012"
    )
    assert facts_line(View(reply=Reply(content="x"))) == ""
    assert facts_line(View(reply=Reply(finish_reason="length"))) == "cut off by its token budget"
    assert facts_line(View(reply=Reply(), breaks=2)) == "broke off twice, went on each time"
    assert facts_line(View(reply=Reply(), is_live=True, pieces=7)) == "7 tokens so far"


def test_the_text_has_the_same() -> None:
    """For a terminal."""
    call = {"function": {"name": "add", "arguments": '{"a":1}'}}
    reply = Reply(content="x", reasoning="hm", tool_calls=(call,), usage=USAGE, head={"model": "other"})
    assert reply_text(View(reply=reply)) == (
        'Reasoning: hm\n\nx\n\nadd({"a":1})\n\n[other · 400 tokens in (64% cached) · 45 out (20 reasoning)]'
    )


def test_usage_errors_and_notes_are_tables() -> None:
    """Each with what its reader wants to know."""
    assert usage_table(USAGE, "kimi-k3").rows[-1] == ("cost", "$0.0012 (prices of 2026-11-23)")
    assert ("of it cached", "256 (64%)") in usage_table(USAGE).rows
    assert [name for name, _ in error_table(UnexpectedAnswerError("x", {})).rows] == ["what", "whose", "to do"]
    note = Note("pinned", "temperature", "left out", "only 1 is allowed", "leave it out")
    assert notes_table([note]).rows == (("temperature", "left out", "only 1 is allowed", "leave it out"),)


def test_prices_can_be_replaced() -> None:
    """By a list of another day and currency."""
    prices = PriceList({"kimi-k3": PRICES["kimi-k2.6"]}, date(2027, 1, 1), "CNY")
    assert facts_line(View(reply=Reply(usage=USAGE, head={"model": "kimi-k3"}), prices=prices)).endswith("¥0.00036")
    assert prices.cost("kimi-k9", Tokens()) is None
