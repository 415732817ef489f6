"""What may stand on a terminal: text of others made harmless, and tables, bars and JSON as strings.

Pure values: nothing is written here and no terminal is asked. They go to `screen.py`, and to notebooks by `tables.py`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["Harmless", "are_numbers", "bar", "escaped", "harmless", "json_text", "one_line", "table", "width"]

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What steers a terminal (C0, DEL, C1) or the direction of reading, and what no encoding can write; not newline and
tab."""


def harmless(text: str) -> str:
    r"""The text with its control characters written out, so that a terminal shows them and obeys none; newlines and
    tabs stay, CR LF is a newline.

    >>> harmless("\x1b[31mred\r\n\x07")
    '\\x1b[31mred\n\\x07'
    """
    return CONTROLS.sub(_written_out, text.replace("\r\n", "\n"))


def one_line(text: object) -> str:
    r"""The same for a place that has one line only, such as a cell: newlines and tabs are written out too.

    >>> one_line("a\n\tb")
    'a\\x0a\\x09b'
    """
    return re.sub("[\n\t]", _written_out, harmless(str(text)))


def escaped(json_line: str) -> str:
    r"""JSON with the control characters in its strings as `\uXXXX`: the same value, harmless.

    >>> escaped('{"a": "\x9b1m"}')
    '{"a": "\\u009b1m"}'
    """
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", json_line)


def json_text(value: Any) -> str:
    """A value as one line of JSON, harmless and otherwise readable; what JSON does not know (decimals) as text."""
    return escaped(json.dumps(value, ensure_ascii=False, default=str))


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class Harmless:
    r"""`harmless` for text that comes in pieces, whose joined output is that of the whole.

    >>> told = Harmless()
    >>> told.feed("a\r") + told.feed("\nb\r") + told.rest()
    'a\nb\\x0d'
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be shown of it now: a CR at the end waits for what follows."""
        text = self._held + piece
        self._held = "\r" if text.endswith("\r") else ""
        return harmless(text.removesuffix("\r"))

    def rest(self) -> str:
        """What still waited."""
        held, self._held = self._held, ""
        return harmless(held)


def width(text: str) -> int:
    """How many columns a terminal needs for it.

    >>> width("kimi"), width("你好"), width("e\u0301")
    (4, 4, 1)
    """
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def table(rows: Iterable[Sequence[object]]) -> str:
    """Rows as aligned columns, numbers to the right; each cell is made harmless. "" for no rows.

    >>> print(table([("id", "size"), ("file_1", 12), ("x", 3456)]))
    id      size
    file_1    12
    x       3456
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    numeric = are_numbers(cells)
    return "\n".join("  ".join(map(_padded, row, widths, numeric)).rstrip() for row in cells)


def are_numbers(rows: Sequence[Sequence[object]]) -> list[bool]:
    """For each column whether all of it are numbers, shares or amounts; the first row may be a header.

    >>> are_numbers([("model", "cached", "cost"), ("kimi-k3", "66%", "$0.025")])
    [False, True, True]
    """
    columns = [[_is_number(str(cell)) for cell in column] for column in zip(*rows, strict=True)]
    return [any(column) and all(column[1:]) for column in columns]


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"-?[$¥]?[\d.,]+%?", cell) is not None


def _padded(cell: str, columns: int, is_right: bool) -> str:
    blanks = " " * (columns - width(cell))
    return blanks + cell if is_right else cell + blanks


def bar(share: float, columns: int = 20) -> str:
    """A progress bar.

    >>> bar(0.25, 8)
    '[##------]  25 %'
    """
    share = min(max(share, 0.0), 1.0)
    full = int(share * columns)
    return f"[{'#' * full}{'-' * (columns - full)}] {share:4.0%}".replace("%", " %")
