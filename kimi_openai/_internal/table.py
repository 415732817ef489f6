"""Tables as text and as HTML.

Pure. A cell may hold text from a server or a model: control characters and HTML in it are escaped here. Values that
show themselves in a notebook (`_repr_html_`) build a `Table`.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .sanitize import escape_controls, one_line

__all__ = ["LEFT", "MUTED", "NO_MATH", "Table", "bar", "escape_html", "numeric_columns", "text_table", "width"]

MUTED = "opacity:.75"
"""Legible on a light and on a dark page, in any front end."""

NO_MATH = "tex2jax_ignore mathjax_ignore"
"""Classes that MathJax obeys: it typesets nothing in a text of a server, such as an error."""

LEFT, RIGHT = "text-align:left", "text-align:right"
"""Set in every cell, because notebooks align all text in tables to the right."""


def escape_html(text: object) -> str:
    """The text as HTML: shown as it is, without effect.

    >>> escape_html("<img src=x onerror='f()'>")
    '&lt;img src=x onerror=&#x27;f()&#x27;&gt;'
    """
    return html.escape(escape_controls(str(text)))


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header, with a title above. Header and title may be empty. Numbers are aligned to the right."""

    rows: tuple[tuple[object, ...], ...]
    header: tuple[str, ...] = ()
    title: str = ""

    def html(self) -> str:
        """The table as HTML, with every text escaped.

        >>> print(Table((("a",),), title="<b>").html().replace("><", ">\\n<"))
        <div class="tex2jax_ignore mathjax_ignore">
        <div>&lt;b&gt;</div>
        <table>
        <tbody>
        <tr>
        <td style="text-align:left">a</td>
        </tr>
        </tbody>
        </table>
        </div>
        """
        styles = [RIGHT if is_numeric else LEFT for is_numeric in numeric_columns(self._lines)]
        title = f"<div>{escape_html(self.title)}</div>" if self.title else ""
        head = f"<thead>{_html_row(self.header, styles, 'th')}</thead>" if self.header else ""
        body = "".join(_html_row(row, styles, "td") for row in self.rows)
        return f'<div class="{NO_MATH}">{title}<table>{head}<tbody>{body}</tbody></table></div>'

    def text(self) -> str:
        """The table in columns, for a terminal.

        >>> print(Table((("a", 1), ("b", 22)), ("what", "n")).text())
        what   n
        a      1
        b     22
        """
        return "\n".join(part for part in (escape_controls(self.title), text_table(self._lines)) if part)

    @property
    def _lines(self) -> list[tuple[object, ...]]:
        return [row for row in (self.header, *self.rows) if row]


def text_table(rows: Iterable[Sequence[object]]) -> str:
    """Rows as aligned columns for a terminal, numbers to the right. "" if there are no rows.

    >>> print(text_table([("id", "size"), ("file_1", 12), ("x", 3456)]))
    id      size
    file_1    12
    x       3456
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    numeric = numeric_columns(cells)
    return "\n".join("  ".join(map(_padded, row, widths, numeric)).rstrip() for row in cells)


def numeric_columns(rows: Sequence[Sequence[object]]) -> list[bool]:
    """For each column, whether it holds only numbers, percentages or amounts of money. The first row may be a header.

    >>> numeric_columns([("model", "cached", "cost"), ("kimi-k3", "66%", "$0.025")])
    [False, True, True]
    """
    columns = [[_is_number(str(cell)) for cell in column] for column in zip(*rows, strict=True)]
    return [any(column) and all(column[1:]) for column in columns]


def width(text: str) -> int:
    """How many columns of a terminal the text needs: none for a combining character, two for a wide one or an emoji.

    >>> width("kimi"), width("你好"), width("e\u0301"), width("❤\ufe0f")
    (4, 4, 1, 2)
    """
    columns = 0
    for before, char in zip(" " + text, text, strict=False):
        if char == "\ufe0f":  # makes an emoji of the character before it
            columns += unicodedata.east_asian_width(before) not in "WF"
        elif before != "\u200d" and unicodedata.category(char) not in ("Mn", "Me", "Cf"):
            columns += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return columns


def bar(share: float, columns: int = 20) -> str:
    """A progress bar; `share` is from 0 to 1.

    >>> bar(0.25, 8)
    '[##------]  25 %'
    """
    share = min(max(share, 0.0), 1.0)
    full = int(share * columns)
    return f"[{'#' * full}{'-' * (columns - full)}] {share:4.0%}".replace("%", " %")


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"-?[$¥]?[\d.,]+%?", cell) is not None


def _padded(cell: str, columns: int, is_numeric: bool) -> str:
    blanks = " " * (columns - width(cell))
    return blanks + cell if is_numeric else cell + blanks


def _html_row(cells: tuple[object, ...], styles: list[str], tag: str) -> str:
    shown = (f'<{tag} style="{style}">{escape_html(cell)}</{tag}>' for cell, style in zip(cells, styles, strict=True))
    return f"<tr>{''.join(shown)}</tr>"
