"""Makes text from a model or a server safe to show: control characters and invisible characters are written out.

Pure functions, for the command line and for notebooks. Tables and HTML are made in `table.py`. The invisible characters
are those of Unicode's property Default_Ignorable_Code_Point, the separators of lines and paragraphs, and the marks of
annotations. Those that a script or an emoji needs stay, see `NEEDED`.
"""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["CONTROLS", "INVISIBLE", "ControlEscaper", "escape_controls", "escape_json", "json_line", "one_line"]

CONTROL_CLASS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
CONTROLS = re.compile(f"[{CONTROL_CLASS}]")
"""Characters that control a terminal (C0, DEL, C1), that override the direction of the text, or that no encoding can
write (surrogates). Newline and tab are not among them."""

INVISIBLE_CLASS = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028\u2029\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
INVISIBLE = re.compile(f"[{INVISIBLE_CLASS}]")
"""Characters that show nothing: zero-width ones, marks of direction, fillers, variation selectors, tags."""

JOINING = "\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ua8e0-\ua8ff\ufb50-\ufdff\ufe70-\ufefc"
"""Arabic, Syriac, N'Ko, the scripts of India, Tibetan, Burmese, Khmer and Mongolian: there a joiner, a non-joiner or a
selector after a letter changes how the word is written (Persian is hard to read without)."""
EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u231a-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
IDEOGRAPHS = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"

NEEDED = re.compile(
    f"(?<=[{JOINING}])(?<![\u061c\u17b4\u17b5\u180b-\u180f])[\u200c\u200d\u180b-\u180f]"
    f"|(?<=[{EMOJI}\ufe0f])\u200d(?=[{EMOJI}])"
    f"|(?<=[{EMOJI}0-9#*])[\ufe0e\ufe0f]"
    f"|(?<=[{IDEOGRAPHS}])[\ufe00-\ufe02\U000e0100-\U000e01ef]"
)
"""Invisible characters that stay: one (non-)joiner or selector after a letter of a script that needs it, the joiner
between two emoji, and one variation selector after an emoji, a digit of a keycap or an ideograph."""

TAG = {char: chr(0xE0000 + ord(char)) for char in "abcdefghijklmnopqrstuvwxyz\x7f"}
FLAGS = "|".join(f"\U0001f3f4{''.join(map(TAG.__getitem__, name))}" for name in ("gbeng\x7f", "gbsct\x7f", "gbwls\x7f"))
"""England's, Scotland's and Wales's: the only emoji with tags, which stay too."""

SHOWN = re.compile(f"{FLAGS}|[{CONTROL_CLASS}{INVISIBLE_CLASS}]")
UNDECIDED = re.compile("(?:\r|\u200d|\U0001f3f4[\U000e0061-\U000e007a]{0,5})$")
"""What can end a piece of text so that the next piece decides about it."""


def escape_controls(text: str, *, keeps_invisible: bool = False) -> str:
    r"""The text with control characters and invisible characters written out, so that a terminal shows them and does
    not obey them.

    Newlines and tabs stay; CR LF becomes a newline. `keeps_invisible`: only control characters are written out.

    >>> escape_controls("\x1b[31mred\r\n\x07"), escape_controls("pay\u200bpal")
    ('\\x1b[31mred\n\\x07', 'pay\\u200bpal')
    """
    return _escaped("", text.replace("\r\n", "\n"), keeps_invisible)


def one_line(value: object) -> str:
    r"""The text of a value for a place with one line, such as a table cell: newlines and tabs are written out too.

    >>> one_line("a\n\tb")
    'a\\x0a\\x09b'
    """
    return re.sub("[\n\t]", _hex_escape, escape_controls(str(value)))


def escape_json(text: str) -> str:
    r"""JSON with the control and invisible characters in its strings as `\uXXXX`: the same value, safe for a terminal.

    >>> escape_json('{"a": "\x9b1m"}')
    '{"a": "\\u009b1m"}'
    """
    return SHOWN.sub(lambda found: found[0] if _is_needed(found) else json.dumps(found[0])[1:-1], text)


def json_line(value: Any) -> str:
    """A value as one line of JSON, safe for a terminal. What JSON cannot express (such as a decimal) becomes text.

    >>> json_line({"text": "你好"})
    '{"text": "你好"}'
    """
    return escape_json(json.dumps(value, ensure_ascii=False, default=str))


def _escaped(before: str, text: str, keeps_invisible: bool) -> str:
    """The text with the matching characters written out; `before` is the character that stands before it."""

    def escape(found: re.Match[str]) -> str:
        return found[0] if found.start() < len(before) or _is_needed(found) else _hex_escape(found)

    return (CONTROLS if keeps_invisible else SHOWN).sub(escape, before + text)[len(before) :]


def _is_needed(found: re.Match[str]) -> bool:
    return len(found[0]) > 1 or NEEDED.match(found.string, found.start()) is not None


def _hex_escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class ControlEscaper:
    r"""`escape_controls` for text that comes in pieces: the joined output is the same as for the whole text.

    >>> escaper = ControlEscaper()
    >>> escaper.feed("a\r") + escaper.feed("\nb\r") + escaper.flush()
    'a\nb\\x0d'
    """

    def __init__(self, *, keeps_invisible: bool = False) -> None:
        self._keeps_invisible = keeps_invisible
        self._pending = self._before = ""

    def feed(self, piece: str) -> str:
        """What can be shown now. The end is kept back if the next piece decides about it: a CR, a joiner."""
        text = self._pending + piece
        undecided = UNDECIDED.search(text)
        end = undecided.start() if undecided else len(text)
        self._pending = text[end:]
        return self._escaped(text[:end])

    def flush(self) -> str:
        """What was kept back. The text ends here: what follows is another one."""
        shown = self._escaped(self._pending)
        self._pending = self._before = ""
        return shown

    def _escaped(self, text: str) -> str:
        shown = _escaped(self._before, text.replace("\r\n", "\n"), self._keeps_invisible)
        self._before = text[-1:] or self._before
        return shown
