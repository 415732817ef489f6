"""A model's Markdown as HTML without effects: no script runs and nothing is fetched.

Pure. markdown-it-py parses the text (extra `notebook`). Raw HTML stays text, images become links, and links lead to the
web or to mail only. Without the library the text is shown as it is. `code.py` shows the code, `formulas.py` says which
formulas may be typeset.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from kimi_openai._internal.sanitize import escape_controls
from kimi_openai._internal.table import LEFT, NO_MATH, escape_html

from .code import code_block, inline_code
from .formulas import MATH, MAX_FORMULAS, is_harmless

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

__all__ = ["html_of_markdown", "html_of_text"]

LINKS = ("http://", "https://", "mailto:")

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
    return f'<div class="{NO_MATH}">{render(escape_controls(text), {"formulas": 0})}</div>'


@cache
def _renderer() -> Callable[[str, Any], str] | None:
    try:
        from markdown_it import MarkdownIt
        from mdit_py_plugins.tasklists import tasklists_plugin
    except ModuleNotFoundError:
        return None

    class SafeMarkdown(MarkdownIt):
        def validateLink(self, url: str) -> bool:
            return url.strip().lower().startswith(LINKS)

    parser = SafeMarkdown("js-default", {"html": False, "linkify": False, "typographer": False})
    parser.disable(["image", "html_block", "html_inline"]).use(tasklists_plugin)
    parser.inline.ruler.before("escape", "math", _parse_math)
    parser.block.ruler.before("fence", "math", _parse_math_block, {"alt": ["paragraph", "reference", "blockquote"]})
    for name, rule in (
        ("text", _render_text),
        ("math", _render_math),
        ("link_open", _render_link),
        ("th_open", _render_cell),
        ("td_open", _render_cell),
        ("list_item_open", _render_item),
        ("bullet_list_open", _render_list),
        ("ordered_list_open", _render_list),
        ("html_inline", _render_check_box),
        ("fence", _render_code_block),
        ("code_block", _render_code_block),
        ("code_inline", _render_inline_code),
    ):
        parser.add_render_rule(name, rule)
    return parser.render


def _parse_math(state: StateInline, silent: bool) -> bool:
    """A formula in a line. Without this rule Markdown would read `_` and `\\` in it."""
    found = MATH.match(state.src, state.pos) if state.src[state.pos] in "$\\" else None
    if found is None or found.end() > state.posMax:
        return False
    if not silent:
        token = state.push("math", "", 0)
        token.content, token.meta = str(found[found.lastgroup or 0]), {"block": found.lastgroup in ("a", "b")}
    state.pos = found.end()
    return True


def _parse_math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A formula on separate lines. Without this rule a line of it that begins with `+` or `-` would be a list."""
    if state.is_code_block(start):
        return False
    begin = state.bMarks[start] + state.tShift[start]
    found = MATH.match(state.src, begin) if state.src.startswith(("$$", "\\["), begin) else None
    last = next((line for line in range(start, end) if found and state.eMarks[line] >= found.end()), None)
    if found is None or last is None or state.src[found.end() : state.eMarks[last]].strip():
        return False
    if not silent:
        lines = state.getLines(start, last + 1, state.blkIndent, False).strip()  # without the marks of a quotation
        token = state.push("math", "", 0)
        token.content, token.meta, token.block = lines[2:-2], {"block": True}, True
        state.line = last + 1
    return True


def _render_text(_: Any, tokens: Any, at: int, *__: Any) -> str:
    return escape_html(tokens[at].content)  # once more, for what was written as an entity (`&#x202e;`)


def _render_math(_: Any, tokens: Any, at: int, __: Any, env: Any) -> str:
    formula: str = tokens[at].content
    env["formulas"] += len(formula)
    if env["formulas"] > MAX_FORMULAS or not is_harmless(formula):
        return code_block(formula, "latex") if tokens[at].block else inline_code(formula)
    opening, closing = ("\\[", "\\]") if tokens[at].meta["block"] else ("\\(", "\\)")
    return f'<span class="{MATH_HERE}">{opening}{escape_html(formula)}{closing}</span>'


def _render_link(_: Any, tokens: Any, at: int, *__: Any) -> str:
    address = escape_html(tokens[at].attrs["href"])
    return f'<a href="{address}" target="_blank" rel="noopener noreferrer nofollow">'


def _render_cell(_: Any, tokens: Any, at: int, *__: Any) -> str:
    return f'<{tokens[at].tag} style="{tokens[at].attrs.get("style", LEFT)}">'


def _render_item(_: Any, tokens: Any, at: int, *__: Any) -> str:
    return '<li style="list-style:none">' if "class" in tokens[at].attrs else "<li>"


def _render_list(_: Any, tokens: Any, at: int, *__: Any) -> str:
    start = tokens[at].attrs.get("start")
    return f"<{tokens[at].tag}>\n" if start is None else f'<ol start="{int(start)}">\n'


def _render_check_box(_: Any, tokens: Any, at: int, *__: Any) -> str:
    """The only inline HTML is the check box of the task list's plugin. As a character it needs no form."""
    return "☑" if "checked" in tokens[at].content else "☐"  # the text after it begins with a blank


def _render_code_block(_: Any, tokens: Any, at: int, *__: Any) -> str:
    words = tokens[at].info.split()
    return code_block(tokens[at].content, words[0] if words else "")


def _render_inline_code(_: Any, tokens: Any, at: int, *__: Any) -> str:
    return inline_code(tokens[at].content)
