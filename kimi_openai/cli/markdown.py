"""Markdown on a terminal while it arrives, by rich: finished blocks are printed, the one that grows is shown below.

`console.py` calls it on terminals where rich is installed. An answer is text of a model: HTML stays text, the address
of a link is shown beside it, and characters that an entity such as `&#x202e;` stands for are written out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.markdown import Heading, Markdown
from rich.segment import Segment

from kimi_openai._internal.sanitize import escape_controls

__all__ = ["MarkdownWriter", "finished_lines", "markdown"]

PARSER = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"]).disable("image")

REDRAWS_PER_SECOND = 10


class _Heading(Heading):
    """A heading at the left, on every level and with every version of rich."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class _Markdown(Markdown):
    elements: ClassVar = {**Markdown.elements, "heading_open": _Heading}


def markdown(text: str) -> Markdown:
    """The text for rich. Line breaks inside of a paragraph stay, because models write lines that belong apart."""
    shown = _Markdown("", hyperlinks=False)
    shown.parsed = PARSER.parse(text)
    _make_safe(shown.parsed)
    return shown


def _make_safe(tokens: Iterable[Token]) -> None:
    for token in tokens:
        token.content = escape_controls(token.content)
        if "href" in token.attrs:
            token.attrs["href"] = escape_controls(str(token.attrs["href"]))
        if token.type == "softbreak":
            token.type = "hardbreak"
        _make_safe(token.children or ())


def finished_lines(text: str) -> int:
    """How many lines of a Markdown text, of which more may come, belong to blocks that nothing can change any more.

    >>> finished_lines("One.\\n\\nTwo,"), finished_lines("One.\\n\\nTwo,\\n"), finished_lines("- a\\n\\n- b\\n")
    (0, 2, 0)
    """
    whole = text[: text.rfind("\n") + 1]  # the last line may become anything
    starts = [token.map[0] for token in PARSER.parse(whole) if token.level == 0 and token.map]
    return starts[-1] if starts else 0


class MarkdownWriter:
    """Shows one Markdown text on a terminal, piece by piece, until `end`.

    The block that grows is erased before anything else is written: rich redraws it in another thread, which would
    move the cursor in between.
    """

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._text = ""
        self._has_blocks = False
        self._live: Live | None = None

    def feed(self, piece: str) -> None:
        """Add a piece."""
        self._text += piece
        count = finished_lines(self._text) if "\n" in piece else 0
        if count:
            self.erase()
            lines = self._text.split("\n")
            self._text = "\n".join(lines[count:])
            self._print("\n".join(lines[:count]))
        if self._live is None:
            self._live = Live(
                console=self._screen,
                get_renderable=lambda: _Lines(self._text, max(self._screen.height - 2, 1)),
                transient=True,
                refresh_per_second=REDRAWS_PER_SECOND,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()

    def erase(self) -> None:
        """Take the block that grows off the screen, until the next piece comes."""
        if self._live is not None:
            self._live.stop()
        self._live = None

    def end(self) -> None:
        """Print what is left."""
        self.erase()
        text, self._text = self._text, ""
        self._print(text)

    def _print(self, text: str) -> None:
        if text.strip():
            if self._has_blocks:
                self._screen.line()
            self._has_blocks = True
            self._screen.print(_Lines(text), end="")


class _Lines:
    """A text as lines without blanks at their ends, which rich fills up to the width of the screen and which would be
    copied along, and without empty lines around it. `most`: only so many of the last lines."""

    def __init__(self, text: str, most: int = 0) -> None:
        self._text, self._most = text, most

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = [_stripped(line) for line in console.render_lines(markdown(self._text), options, pad=False)]
        used = [number for number, line in enumerate(lines) if line]
        for line in lines[used[0] : used[-1] + 1][-self._most :] if used else ():
            yield from line
            yield Segment.line()


def _stripped(line: list[Segment]) -> list[Segment]:
    """The line without blanks at its end; those with a ground stay."""
    while line and not (line[-1].style and line[-1].style.bgcolor):
        last = line[-1]
        if text := last.text.rstrip():
            return [*line[:-1], Segment(text, last.style)]
        line = line[:-1]
    return line
