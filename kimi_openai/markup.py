"""Markdown that a model wrote becomes HTML that can do nothing: no script runs, nothing is fetched.

Pure. markdown-it-py parses (extra `notebook`); raw HTML stays text, images become links, links go to the web or to mail
only. Without the library the text is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from .tables import LEFT, escaped
from .terminal import harmless

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
"""Macros that are links, attributes (`bbox` and `fcolorbox` take any CSS) or definitions rather than
mathematics."""

NO_MATH = "tex2jax_ignore mathjax_ignore"
MATH_HERE = "tex2jax_process mathjax_process"
"""Classes that MathJax obeys: what looks like a formula is typeset only where it was found to be harmless."""


def html_of_text(text: str) -> str:
    """Text as it is, line breaks kept.

    >>> html_of_text("<b>")
    '<div class="tex2jax_ignore mathjax_ignore" style="white-space:pre-wrap">&lt;b&gt;</div>'
    """
    return f'<div class="{NO_MATH}" style="white-space:pre-wrap">{escaped(text)}</div>'


def html_of_markdown(text: str) -> str:
    """A model's Markdown as harmless HTML: its tags, attributes and link targets are from a short list.

    >>> html_of_markdown("*hi* <script>")
    '<div class="tex2jax_ignore mathjax_ignore"><p><em>hi</em> &lt;script&gt;</p>\\n</div>'
    """
    render = _renderer()
    if render is None:
        return html_of_text(text)
    return f'<div class="{NO_MATH}">{render(harmless(text))}</div>'


@cache
def _renderer() -> Callable[[str], str] | None:
    try:
        from markdown_it import MarkdownIt
    except ModuleNotFoundError:
        return None

    class Harmless(MarkdownIt):
        def validateLink(self, url: str) -> bool:
            return url.strip().lower().startswith(LINKS)

    parser = Harmless("js-default", {"html": False, "linkify": False, "typographer": False})
    parser.disable(["image", "html_block", "html_inline"])
    parser.inline.ruler.before("escape", "math", _math)
    for name, rule in (
        ("math", _show_math),
        ("link_open", _show_link),
        ("th_open", _show_cell),
        ("td_open", _show_cell),
        ("fence", _show_code),
        ("code_block", _show_code),
    ):
        parser.add_render_rule(name, rule)
    return parser.render


def _math(state: StateInline, silent: bool) -> bool:
    """A formula, in any of the delimiters that Kimi uses; Markdown would take its `_` and `\\` for its own."""
    found = MATH.match(state.src, state.pos) if state.src[state.pos] in "$\\" else None
    if found is None or found.end() > state.posMax:
        return False
    if not silent:
        token = state.push("math", "", 0)
        token.content, token.meta = str(found[found.lastgroup or 0]), {"block": found.lastgroup in ("a", "b")}
    state.pos = found.end()
    return True


def _show_math(_: Any, tokens: Any, at: int, *__: Any) -> str:
    formula: str = tokens[at].content
    if ACTIVE_MATH.search(formula):
        return f"<code>{escaped(formula)}</code>"
    opening, closing = ("\\[", "\\]") if tokens[at].meta["block"] else ("\\(", "\\)")
    return f'<span class="{MATH_HERE}">{opening}{escaped(formula)}{closing}</span>'


def _show_link(_: Any, tokens: Any, at: int, *__: Any) -> str:
    address = escaped(tokens[at].attrs["href"])
    return f'<a href="{address}" target="_blank" rel="noopener noreferrer nofollow">'


def _show_cell(_: Any, tokens: Any, at: int, *__: Any) -> str:
    return f'<{tokens[at].tag} style="{tokens[at].attrs.get("style", LEFT)}">'


def _show_code(_: Any, tokens: Any, at: int, *__: Any) -> str:
    return f"<pre><code>{escaped(tokens[at].content)}</code></pre>\n"
