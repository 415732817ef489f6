"""How a notebook shows code: code blocks and inline code of a model's Markdown, and tool calls.

Pure: text in, HTML or text out. The code is escaped and not highlighted. `markdown.py` and `render.py` call it.
"""

from __future__ import annotations

from typing import Any

from kimi_openai._internal.table import escape_html

__all__ = ["code_block", "inline_code", "tool_call_box", "tool_call_text"]

BOX = "border:1px solid var(--jp-border-color2,#bbb);border-radius:4px;padding:.3em .6em;margin:.4em 0"


def code_block(text: str) -> str:
    """A block of code as HTML, line breaks kept.

    >>> code_block("x < 1")
    '<pre><code>x &lt; 1</code></pre>\\n'
    """
    return f"<pre><code>{escape_html(text)}</code></pre>\n"


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
    """A tool call as HTML: its text in a box."""
    return f'<div style="{BOX}">{inline_code(tool_call_text(call))}</div>'
