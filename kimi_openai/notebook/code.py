"""How a notebook shows code: code blocks and inline code of a model's Markdown, and tool calls.

Pure: text in, HTML or text out. Pygments highlights (extra `notebook`); without it the code is plain. `markdown.py` and
`render.py` call it.

No style sheet and no script is needed: each colour is a mixture of a hue with the colour of the text around it
(`currentColor`), and each ground a thin grey, so it is dark on a light page and light on a dark one, whatever front end
shows it. A browser without `color-mix` shows the code without colours.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from kimi_openai._internal.sanitize import escape_controls
from kimi_openai._internal.table import escape_html

__all__ = ["code_block", "inline_code", "tool_call_box", "tool_call_text"]

clock = time.monotonic

HUES = {"comment": "#888", "keyword": "#a6f", "name": "#29e", "text": "#0a4", "number": "#e71", "error": "#f66"}
"""The hues by what they mark. `test_contrast.py` holds every mixture to WCAG's 4.5."""

SHARE = 50
"""The share of the text's own colour in each mixture, in per cent."""

STYLES = {
    "Comment": "italic comment",
    "Generic.Deleted": "error",
    "Generic.Heading": "name",
    "Generic.Inserted": "text",
    "Keyword": "keyword",
    "Literal.Number": "number",
    "Literal.String": "text",
    "Literal.String.Escape": "number",
    "Name.Attribute": "name",
    "Name.Builtin": "name",
    "Name.Class": "name",
    "Name.Decorator": "number",
    "Name.Exception": "name",
    "Name.Function": "name",
    "Name.Tag": "keyword",
    "Operator.Word": "keyword",
}
"""Pygments' kinds of tokens: how each looks. Kinds below them look the same, all others as plain text."""

FRAME = "border:1px solid rgba(127,127,127,.4);border-radius:4px;padding:.3em .6em;margin:.4em 0"
GROUND = "rgba(127,127,127,.1)"
COLOURS = ";".join(f"--kimi-{name}:color-mix(in srgb,currentColor {SHARE}%,{hue})" for name, hue in HUES.items())
BLOCK = (
    f"background:{GROUND};border-radius:4px;padding:.6em .8em;margin:.7em 0;overflow-x:auto;white-space:pre;{COLOURS}"
)
WRAPPED = "white-space:pre-wrap;overflow-wrap:anywhere;word-break:normal"
PLAIN = "background:none;padding:0;white-space:inherit"
"""For the code in a block: JupyterLab gives it the ground of the page, which would cover the block's, and wraps it."""

MAX_HIGHLIGHTED = 10_000
"""Characters. A longer block is plain: highlighting it anew with each painting would take too long."""

MAX_SECONDS = 0.5
"""What is not highlighted after this time is plain. Some of Pygments' lexers are quadratic: C's on blank lines, say."""

MAX_SHORT = 80
"""Characters of a tool call that stays on one line."""

MAX_UNFOLDED = (12, 1000)
"""Lines and characters of arguments that are shown unfolded."""


def code_block(text: str, language: str = "", *, wraps: bool = False) -> str:
    """A block of code as HTML, line breaks kept, highlighted if Pygments knows the language.

    `wraps`: long lines are wrapped; else the block scrolls.

    >>> code_block("x < 1").endswith('">x &lt; 1</code></pre>\\n')
    True
    """
    name = "".join(re.findall(r"[\w+#.-]", language[:40]))
    kept = f' class="language-{escape_html(name)}"' if name else ""
    wrapped = f";{WRAPPED}" if wraps else ""
    return f'<pre style="{BLOCK}{wrapped}"><code{kept} style="{PLAIN}">{_highlighted(text, name)}</code></pre>\n'


def inline_code(text: str) -> str:
    """Code inside a line, as HTML.

    >>> inline_code("<b>")
    '<code>&lt;b&gt;</code>'
    """
    return f"<code>{escape_html(text)}</code>"


def tool_call_text(call: Any) -> str:
    """A tool call as it stands on the wire, as text. A terminal needs it escaped.

    >>> tool_call_text({"function": {"name": "add", "arguments": '{"a":1}'}})
    'add({"a":1})'
    """
    function: Any = call.get("function") or {}
    return f"{function.get('name') or ''}({function.get('arguments') or ''})"


def tool_call_box(call: Any) -> str:
    """A tool call as HTML: its text in a box; if that is longer than a line, its indented arguments, folded if long."""
    text = tool_call_text(call)
    if len(text) <= MAX_SHORT and "\n" not in text:
        return f'<div style="{FRAME};{WRAPPED}">{inline_code(text)}</div>'
    function: Any = call.get("function") or {}
    arguments = _indented(str(function.get("arguments") or ""))
    lines, characters = MAX_UNFOLDED
    state = " open" if arguments.count("\n") < lines and len(arguments) <= characters else ""
    title = f"{inline_code(function.get('name') or 'a tool')} with {len(arguments):,} characters of arguments"
    block = code_block(arguments, "json", wraps=True)
    return f'<details{state} style="{FRAME}"><summary style="cursor:pointer">{title}</summary>{block}</details>'


def _indented(arguments: str) -> str:
    """JSON with indentation; the text as it is if it is no JSON, or if something in it would look different."""
    try:
        value = json.loads(arguments, object_pairs_hook=_without_doubles, parse_float=_same_float)
    except (ValueError, RecursionError):
        return arguments
    return json.dumps(value, indent=2, ensure_ascii=False)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name comes twice")
    return found


def _same_float(digits: str) -> float:
    if repr(float(digits)) != digits:
        raise ValueError("a number that Python writes in another way")
    return float(digits)


@lru_cache(maxsize=256)  # while an answer arrives, its blocks are painted again and again
def _highlighted(text: str, language: str) -> str:
    """The code as escaped HTML, with colours if there are any for the language."""
    highlight = _highlighter() if language and len(text) <= MAX_HIGHLIGHTED else None
    return (highlight(escape_controls(text), language) if highlight else None) or escape_html(text)


def _in_time(tokens: Iterable[tuple[Any, str]], text: str) -> Iterator[tuple[Any, str]]:
    """The tokens until the time is over, then the rest of the text as one plain token."""
    end, done = clock() + MAX_SECONDS, 0
    for kind, value in tokens:
        yield kind, value
        done += len(value)
        if clock() > end:
            yield type(kind)(), text[done:]
            return


@cache
def _highlighter() -> Callable[[str, str], str | None] | None:
    """Pygments, in our colours: code and language in, HTML out (`None` if it does not know the language)."""
    try:
        pygments: Any = import_module("pygments")
        lexers: Any = import_module("pygments.lexers")
        formatters: Any = import_module("pygments.formatters")
        styles: Any = import_module("pygments.style")
    except ModuleNotFoundError:
        return None
    kind: Any = import_module("pygments.token").string_to_tokentype
    looks = {kind(name): re.sub(r"(\w+)$", r"var(--kimi-\1)", look) for name, look in STYLES.items()}
    style = type("KimiStyle", (styles.Style,), {"styles": looks})
    formatter = formatters.HtmlFormatter(style=style, noclasses=True, nowrap=True)

    def highlight(text: str, language: str) -> str | None:
        try:
            lexer = lexers.get_lexer_by_name(language, stripnl=False)
        except ValueError:  # its ClassNotFound
            return None
        tokens = list(_in_time(lexer.get_tokens(text), text))
        if "".join(value for _, value in tokens) not in (text, f"{text}\n"):
            return None  # some lexers lose characters, such as that of consoles
        markup: str = pygments.format(tokens, formatter)
        return markup if text.endswith("\n") else markup.removesuffix("\n")

    return highlight
