"""The two outputs of a command: answers to stdout, everything else to stderr, with control characters written out.

Only this module and `screen.py` ask whether an output is a terminal. Colour, Markdown, waiting lines and progress bars
are for terminals only. Invisible characters are written out on terminals, and are data in pipes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from io import StringIO
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, TextIO

from kimi_openai._internal.sanitize import ControlEscaper, escape_controls, json_line
from kimi_openai._internal.table import text_records, text_table, width

from .screen import WaitingLine, has_colour, is_dumb, screen_of

if TYPE_CHECKING:
    from .markdown import MarkdownWriter

__all__ = ["Console"]


class Console:
    """Stdout and stderr of a command. `out_is_tty` and `err_is_tty` say which of them is a terminal,
    `is_dumb` whether a terminal cannot move its cursor, `has_colour` whether styles are written to stderr."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.out, self.err = out or sys.stdout or StringIO(), err or sys.stderr or StringIO()  # they may be closed
        self.out_is_tty, self.err_is_tty = self.out.isatty(), self.err.isatty()
        self.has_colour, self.is_dumb = has_colour(self.err), is_dumb()
        self._answer_escaper = ControlEscaper(keeps_invisible=not self.out_is_tty)
        self._aside_escaper = ControlEscaper()
        self._is_mid_line = False
        self._waiting_line: WaitingLine | None = None
        self._markdown_writer: MarkdownWriter | None = None

    @cached_property
    def _out_screen(self) -> Any:
        return screen_of(self.out)

    @cached_property
    def _err_screen(self) -> Any:
        return screen_of(self.err)

    def answer(self, piece: str) -> None:
        """Write a piece of an answer at once."""
        self._write(self.out, self._answer_escaper.feed(piece))

    def markdown(self, piece: str) -> None:
        """Show a piece of an answer in Markdown; as it is where that cannot be shown."""
        if self._out_screen is None:
            self.answer(piece)
            return
        if self._markdown_writer is None:
            from .markdown import MarkdownWriter

            self._markdown_writer = MarkdownWriter(self._out_screen)
        self._markdown_writer.feed(self._answer_escaper.feed(piece))

    def end_answer(self) -> None:
        """End an answer, with a newline if its last line has none."""
        rest = self._answer_escaper.flush()
        if self._markdown_writer:
            self._markdown_writer.feed(rest)
            self._markdown_writer.end()
            self._markdown_writer = None
            return
        self._write(self.out, rest)
        if self._is_mid_line:
            self._write(self.out, "\n")

    def line(self, text: str) -> None:
        """Write whole lines of an answer."""
        self._write(self.out, f"{escape_controls(text, keeps_invisible=not self.out_is_tty)}\n")

    def table(self, rows: Sequence[Sequence[object]], *, instead: object = None) -> None:
        """Write rows in columns; one below the other if a terminal is too narrow for them. `instead`: a value that is
        written as JSON in their place, unless it is None."""
        if instead is not None:
            self.line(json_line(instead))
            return
        text = text_table(rows)
        is_too_wide = self.out_is_tty and max(map(width, text.split("\n"))) > get_terminal_size().columns
        self.line(text_records(rows) if is_too_wide else text)

    def aside(self, piece: str) -> None:
        """Write a piece of something beside the answer, such as reasoning: dim, and on a terminal only."""
        if self.err_is_tty:
            text = self._aside_escaper.feed(piece)
            self._write(self.err, f"\x1b[2m{text}\x1b[0m" if text and self.has_colour else text)

    def note(self, text: str) -> None:
        """Write a line about the answer, or a problem, to stderr; above what is being redrawn."""
        with suppress(BrokenPipeError):
            self.out.flush()
        if self._markdown_writer and self.err_is_tty:
            self._markdown_writer.erase()
        line = f"{escape_controls(text)}\n"
        if self._waiting_line:
            self._waiting_line.write_above(line)
        else:
            self._write(self.err, line)

    @contextmanager
    def waiting(
        self, label: str, share: Callable[[], float] | None = None
    ) -> Generator[Callable[[], None], None, None]:
        """While the block runs, show on a terminal what the command waits for, how long, and how much of it is done.

        The block gets a function that ends the waiting line early. `share` returns what is done, from 0 to 1.
        """
        if not self.err_is_tty:
            yield lambda: None
            return
        self._waiting_line = line = WaitingLine(lambda: self._err_screen, self.err, escape_controls(label), share)
        line.start()

        def stop() -> None:
            line.stop()
            self._waiting_line = None

        try:
            yield stop
        finally:
            stop()

    def _write(self, file: TextIO, text: str) -> None:
        if text:
            file.write(text)
            file.flush()
            if file is self.out:
                self._is_mid_line = not text.endswith("\n")
