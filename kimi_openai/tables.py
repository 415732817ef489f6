"""A small table: how values of ours show themselves in a notebook (`_repr_html_`).

Pure. A cell is text that may have come from a server or a model; it is made harmless here, whatever it is.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

from .terminal import are_numbers, harmless, table

__all__ = ["LEFT", "MUTED", "Table", "escaped"]

MUTED = "color:var(--jp-ui-font-color2,#666)"
LEFT, RIGHT = "text-align:left", "text-align:right"
"""Said for each cell: notebooks put all text of a table to the right."""


def escaped(text: object) -> str:
    """The text as HTML that shows it and does nothing.

    >>> escaped("<img src=x onerror='f()'>")
    '&lt;img src=x onerror=&#x27;f()&#x27;&gt;'
    """
    return html.escape(harmless(str(text)))


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header (which may be empty), with a line above them; numbers are to the right."""

    rows: tuple[tuple[object, ...], ...]
    header: tuple[str, ...] = ()
    title: str = ""

    def html(self) -> str:
        """As HTML, everything in it escaped.

        >>> Table((("a",),), title="<b>").html()
        '<div>&lt;b&gt;</div><table><tbody><tr><td style="text-align:left">a</td></tr></tbody></table>'
        """
        styles = [RIGHT if is_right else LEFT for is_right in are_numbers(self._lines)]
        title = f"<div>{escaped(self.title)}</div>" if self.title else ""
        head = f"<thead>{_row(self.header, styles, 'th')}</thead>" if self.header else ""
        body = "".join(_row(row, styles, "td") for row in self.rows)
        return f"{title}<table>{head}<tbody>{body}</tbody></table>"

    def text(self) -> str:
        """In columns, for a terminal.

        >>> print(Table((("a", 1), ("b", 22)), ("what", "n")).text())
        what   n
        a      1
        b     22
        """
        return "\n".join(part for part in (harmless(self.title), table(self._lines)) if part)

    @property
    def _lines(self) -> list[tuple[object, ...]]:
        return [row for row in (self.header, *self.rows) if row]


def _row(cells: tuple[object, ...], styles: list[str], tag: str) -> str:
    shown = (f'<{tag} style="{style}">{escaped(cell)}</{tag}>' for cell, style in zip(cells, styles, strict=True))
    return f"<tr>{''.join(shown)}</tr>"
