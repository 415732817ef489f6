"""A model's Markdown as HTML without effects: no script runs and nothing is fetched.

Pure. markdown-it-py parses the text (extra `notebook`). Raw HTML stays text, images become links, and links lead to the
web or to mail only. Without the library the text is shown as it is. `code.py` shows the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from kimi_openai._internal.sanitize import escape_controls
from kimi_openai._internal.table import LEFT, escape_html

from .code import code_block, inline_code

if TYPE_CHECKING:
    from markdown_it.rules_inline import StateInline

__all__ = ["html_of_markdown", "html_of_text"]

LINKS = ("http://", "https://", "mailto:")

MATH = re.compile(
    r"\$\$(?P<a>.+?)\$\$|\\\[(?P<b>.+?)\\\]|\\\((?P<c>.+?)\\\)|\$(?![\s\d])(?P<d>[^$\n]+?)(?<!\s)\$(?!\d)", re.DOTALL
)
ACTIVE_MATH = re.compile(
    r"\\\s*(href|url|style|class|cssId|data|html\w*|require|include\w*|action|mmlToken|texttip|unicode|def|gdef|edef|let"
    r"|bbox|fcolorbox|newcommand|renewcommand|newenvironment|renewenvironment|DeclareMathOperator)(?![a-zA-Z])"
)
"""TeX macros that make links, set attributes (`bbox` and `fcolorbox` take any CSS) or define other macros."""

NO_MATH = "tex2jax_ignore mathjax_ignore"
MATH_HERE = "tex2jax_process mathjax_process"
"""Classes that MathJax obeys: it typesets only the formulas that were checked here."""


def html_of_text(text: str) -> str:
    """Plain text as HTML, line breaks kept.

    >>> html_of_text("<b>")
    '<div class="tex2jax_ignore mathjax_ignore" style="white-space:pre-wrap">&lt;b&gt;</div>'
    """
    return f'<div class="{NO_MATH}" style="white-space:pre-wrap">{escape_html(text)}</div>'


def html_of_markdown(text: str) -> str:
    """Markdown as HTML in which only a short list of tags, attributes and link targets can occur.

    >>> html_of_markdown("*hi* <script>")
    '<div class="tex2jax_ignore mathjax_ignore"><p><em>hi</em> &lt;script&gt;</p>\\n</div>'
    """
    render = _renderer()
    if render is None:
        return html_of_text(text)
    return f'<div class="{NO_MATH}">{render(escape_controls(text))}</div>'


@cache
def _renderer() -> Callable[[str], str] | None:
    try:
        from markdown_it import MarkdownIt
    except ModuleNotFoundError:
        return None

    class SafeMarkdown(MarkdownIt):
        def validateLink(self, url: str) -> bool:
            return url.strip().lower().startswith(LINKS)

    parser = SafeMarkdown("js-default", {"html": False, "linkify": False, "typographer": False})
    parser.disable(["image", "html_block", "html_inline"])
    parser.inline.ruler.before("escape", "math", _parse_math)
    for name, rule in (
        ("math", _render_math),
        ("link_open", _render_link),
        ("th_open", _render_cell),
        ("td_open", _render_cell),
        ("fence", _render_code_block),
        ("code_block", _render_code_block),
        ("code_inline", _render_inline_code),
    ):
        parser.add_render_rule(name, rule)
    return parser.render


def _parse_math(state: StateInline, silent: bool) -> bool:
    """A formula, in any of the delimiters that Kimi uses. Without this rule Markdown would read `_` and `\\` in it."""
    found = MATH.match(state.src, state.pos) if state.src[state.pos] in "$\\" else None
    if found is None or found.end() > state.posMax:
        return False
    if not silent:
        token = state.push("math", "", 0)
        token.content, token.meta = str(found[found.lastgroup or 0]), {"block": found.lastgroup in ("a", "b")}
    state.pos = found.end()
    return True


def _render_math(_: Any, tokens: Any, at: int, *__: Any) -> str:
    formula: str = tokens[at].content
    if ACTIVE_MATH.search(formula):
        return inline_code(formula)
    opening, closing = ("\\[", "\\]") if tokens[at].meta["block"] else ("\\(", "\\)")
    return f'<span class="{MATH_HERE}">{opening}{escape_html(formula)}{closing}</span>'


def _render_link(_: Any, tokens: Any, at: int, *__: Any) -> str:
    address = escape_html(tokens[at].attrs["href"])
    return f'<a href="{address}" target="_blank" rel="noopener noreferrer nofollow">'


def _render_cell(_: Any, tokens: Any, at: int, *__: Any) -> str:
    return f'<{tokens[at].tag} style="{tokens[at].attrs.get("style", LEFT)}">'


def _render_code_block(_: Any, tokens: Any, at: int, *__: Any) -> str:
    return code_block(tokens[at].content)


def _render_inline_code(_: Any, tokens: Any, at: int, *__: Any) -> str:
    return inline_code(tokens[at].content)
