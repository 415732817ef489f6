"""A small table: how values of ours show themselves in a notebook (`_repr_html_`).

Pure. A cell is text that may have come from a server or a model; it is made harmless here, whatever it is.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

__all__ = ["Table", "escaped", "printable"]

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What moves a terminal's cursor or turns text around; of the control characters only tab and newline are text."""

MUTED = "color:var(--jp-ui-font-color2,#666)"


def printable(text: object) -> str:
    """The text without what would be a command to a terminal.

    >>> printable("a\\x1b[2Jb\\r")
    'a[2Jb'
    """
    return CONTROLS.sub("", str(text))


def escaped(text: object) -> str:
    """The text as HTML that shows it and does nothing.

    >>> escaped("<img src=x onerror='f()'>")
    '&lt;img src=x onerror=&#x27;f()&#x27;&gt;'
    """
    return html.escape(printable(text))


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header (which may be empty), with a line above them."""

    rows: tuple[tuple[object, ...], ...]
    header: tuple[str, ...] = ()
    title: str = ""

    def html(self) -> str:
        """As HTML, everything in it escaped.

        >>> Table((("a", 1),), title="<b>").html()
        '<div>&lt;b&gt;</div><table><tbody><tr><td>a</td><td>1</td></tr></tbody></table>'
        """
        title = f"<div>{escaped(self.title)}</div>" if self.title else ""
        head = f"<thead>{_row(self.header, 'th')}</thead>" if self.header else ""
        return f"{title}<table>{head}<tbody>{''.join(_row(row, 'td') for row in self.rows)}</tbody></table>"

    def text(self) -> str:
        """In columns, for a terminal.

        >>> print(Table((("a", 1), ("b", 22)), ("what", "n")).text())
        what  n
        a     1
        b     22
        """
        lines = [[printable(cell) for cell in row] for row in (self.header, *self.rows) if row]
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        shown = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
        return "\n".join([*([printable(self.title)] if self.title else []), *shown])


def _row(cells: tuple[object, ...], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{escaped(cell)}</{tag}>' for cell in cells)}</tr>"
