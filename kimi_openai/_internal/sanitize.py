"""Text that somebody else wrote, made safe for a terminal: control characters are written out.

Pure functions, for the command line and for notebooks. Tables, bars and HTML are made in `table.py`.
"""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["CONTROLS", "ControlEscaper", "escape_controls", "escape_json", "json_line", "one_line"]

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that control a terminal (C0, DEL, C1), that change the direction of the text, or that no encoding can
write (surrogates). Newline and tab are not among them."""


def escape_controls(text: str) -> str:
    r"""The text with its control characters written out, so that a terminal shows them and does not obey them.

    Newlines and tabs stay; CR LF becomes a newline.

    >>> escape_controls("\x1b[31mred\r\n\x07")
    '\\x1b[31mred\n\\x07'
    """
    return CONTROLS.sub(_hex_escape, text.replace("\r\n", "\n"))


def one_line(value: object) -> str:
    r"""The text of a value for a place with one line, such as a table cell: newlines and tabs are written out too.

    >>> one_line("a\n\tb")
    'a\\x0a\\x09b'
    """
    return re.sub("[\n\t]", _hex_escape, escape_controls(str(value)))


def escape_json(text: str) -> str:
    r"""JSON with the control characters in its strings as `\uXXXX`: the same value, safe for a terminal.

    >>> escape_json('{"a": "\x9b1m"}')
    '{"a": "\\u009b1m"}'
    """
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def json_line(value: Any) -> str:
    """A value as one line of JSON, safe for a terminal. What JSON cannot express (such as a decimal) becomes text.

    >>> json_line({"text": "你好"})
    '{"text": "你好"}'
    """
    return escape_json(json.dumps(value, ensure_ascii=False, default=str))


def _hex_escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class ControlEscaper:
    r"""`escape_controls` for text that comes in pieces: the joined output is the same as for the whole text.

    >>> escaper = ControlEscaper()
    >>> escaper.feed("a\r") + escaper.feed("\nb\r") + escaper.flush()
    'a\nb\\x0d'
    """

    def __init__(self) -> None:
        self._pending = ""

    def feed(self, piece: str) -> str:
        """What can be shown now. A CR at the end is kept back, because a LF may follow."""
        text = self._pending + piece
        self._pending = "\r" if text.endswith("\r") else ""
        return escape_controls(text.removesuffix("\r"))

    def flush(self) -> str:
        """What was kept back."""
        pending, self._pending = self._pending, ""
        return escape_controls(pending)
