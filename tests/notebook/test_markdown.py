"""A model's Markdown as HTML: what is typeset, and that nothing in it has an effect."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.notebook import markdown
from kimi_openai.notebook.formulas import MAX_FORMULAS
from kimi_openai.notebook.markdown import html_of_markdown, html_of_text
from tests.harmless import checked, wrong_in
from tests.hostile import HTML_ATTACKS, INVISIBLE_ATTACKS

PIECES = st.one_of(
    st.sampled_from([*HTML_ATTACKS, *INVISIBLE_ATTACKS.values()]),
    st.text(max_size=20),
    st.sampled_from(list("<>\"'&`$\\()[]!|#*_\n:=\x1b")),
)


@given(
    st.lists(PIECES, max_size=8).map("".join), st.sampled_from(["", "> ", "- ", "# ", "    ", "1. ", "| a |\n|-|\n| "])
)
def test_no_text_makes_html_that_is_not_allowed(text: str, before: str) -> None:
    """Attacks, in any combination and at any place of a document."""
    assert wrong_in(html_of_markdown(before + text)) == []
    assert wrong_in(html_of_text(text)) == []


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
def test_formulas_with_active_macros_are_not_typeset(text: str) -> None:
    """MathJax typesets only the formulas that were checked."""
    assert checked(html_of_markdown(text)).formulas == []


def test_formulas_are_left_to_the_notebook() -> None:
    """In all delimiters that Kimi uses, with what Markdown would take for emphasis; prices are no formulas."""
    found = checked(
        html_of_markdown("$a_1 b_1$, \\(x^2\\), $$y$$ and \\[\n\\frac{1}{2} < 3\n\\] cost $5 and $6, `$x$`")
    )
    assert found.formulas == ["\\(a_1 b_1\\)", "\\(x^2\\)", "\\[y\\]", "\\[\n\\frac{1}{2} < 3\n\\]"]


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("We get:\n$$\na\n- b\n+ c\n$$\nand so on", "\\[\na\n- b\n+ c\n\\]"),
        ("\\[\na\n- b\n\\]", "\\[\na\n- b\n\\]"),
        ("> $$\n> a\n> - b\n> $$", "\\[\na\n- b\n\\]"),
        ("- item\n  $$\n  a\n  + b\n  $$", "\\[\na\n+ b\n\\]"),
        ("$$x$$", "\\[x\\]"),
    ],
)
def test_a_formula_of_several_lines_is_no_list(text: str, formula: str) -> None:
    """Lines of sums begin with a sign that begins an item in Markdown."""
    found = checked(html_of_markdown(text))
    assert found.formulas == [formula]
    assert wrong_in(html_of_markdown(text)) == []


def test_a_formula_that_is_not_typeset_is_code() -> None:
    """In a line or as a block, so that it can be read and copied."""
    assert "<code>\\href{a}{b}</code>" in html_of_markdown("see $\\href{a}{b}$")
    block = html_of_markdown("$$\n\\href{a}{b}\n$$")
    assert '<code class="language-latex" ' in block
    assert checked(block).formulas == []


def test_the_formulas_of_a_text_are_bounded() -> None:
    """MathJax would need minutes for a hundred thousand of them; each answer starts anew."""
    one = "$" + "x+" * 400 + "y$ "
    assert len(checked(html_of_markdown(one * 10)).formulas) == 10
    assert len(checked(html_of_markdown(one * 100)).formulas) == MAX_FORMULAS // 801
    assert len(checked(html_of_markdown(one)).formulas) == 1
    assert checked(html_of_markdown("$" + "x" * 3000 + "$")).formulas == []


def test_task_lists_have_boxes() -> None:
    """As characters: there is nothing to click."""
    shown = html_of_markdown("- [x] one\n- [ ] two `[ ]`\n- three [x]\n\n3. [x] four")
    assert [text for text in checked(shown).texts if text.strip()][:2] == ["☑ one", "☐ two "]
    assert shown.count('<li style="list-style:none">') == 3
    assert "three [x]" in shown
    assert '<ol start="3">' in shown
    assert wrong_in(shown) == []


@pytest.mark.parametrize(
    "text",
    [
        "pay&#x200b;pal",
        "pay&ZeroWidthSpace;pal",
        "&#x202e;gpj.exe",
        "pay&#8206;pal",
        "&lrm;a",
        "x&#xE0041;y",
        "a&#x2028;b",
    ],
)
def test_invisible_characters_are_written_out_if_they_come_as_entities(text: str) -> None:
    """Markdown decodes them, so they are looked for after that."""
    assert "\\u" in html_of_markdown(text).lower()
    assert all(char.isprintable() or char == "\n" for char in html_of_markdown(text))


def test_markdown_is_typeset() -> None:
    """Headings, emphasis, lists, tables, and links that do not reveal the page they are on."""
    shown = html_of_markdown("# T\n\n**b** [l](https://ok.example)\n\n- i\n\n|a|\n|-|\n|1|")
    assert wrong_in(shown) == []
    for part in ("<h1>T</h1>", "<strong>b</strong>", "<li>i</li>", ">1</td>"):
        assert part in shown
    assert '<a href="https://ok.example" target="_blank" rel="noopener noreferrer nofollow">l</a>' in shown


def test_cells_are_left_unless_the_table_says_otherwise() -> None:
    """A notebook would align them to the right."""
    left, right = "text-align:left", "text-align:right"
    assert checked(html_of_markdown("|a|b|\n|-|-:|\n|c|d|")).styles == [left, right] * 2


def test_an_image_is_a_link() -> None:
    """Its address can be clicked, and nothing is fetched."""
    assert '!<a href="https://x.example/p.png" ' in html_of_markdown("![p](https://x.example/p.png)")


def test_without_the_markdown_library_the_text_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is, and escaped."""
    real = builtins.__import__

    def missing(name: str, *rest: Any, **options: Any) -> Any:
        if name.startswith("markdown_it"):
            raise ModuleNotFoundError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    markdown._renderer.cache_clear()
    try:
        assert html_of_markdown("**b** <i>") == html_of_text("**b** <i>")
    finally:
        markdown._renderer.cache_clear()
