"""The two outputs of a command: answers to stdout, everything else to stderr, with control characters written out.

Only this module asks whether an output is a terminal. Colour, waiting lines and progress bars are for terminals only.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from io import StringIO
from typing import TextIO

from kimi_openai._internal.sanitize import ControlEscaper, escape_controls
from kimi_openai._internal.table import bar, width

__all__ = ["Console", "EscapingWriter"]

WAIT_BEFORE_LINE = 0.7
"""Seconds before a waiting line appears: a quick command needs none."""

REDRAW_INTERVAL = 0.2


class EscapingWriter:
    """A text file that escapes what is written through it, for code that uses `print`."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._escaper = file, ControlEscaper()

    def write(self, text: str) -> int:
        """Write the text with its control characters written out."""
        self._file.write(self._escaper.feed(text))
        return len(text)

    def flush(self) -> None:
        """Flush the file beneath."""
        self._file.flush()


class Console:
    """Stdout and stderr of a command. `out_is_tty` and `err_is_tty` say which of them is a terminal."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.out, self.err = out or sys.stdout or StringIO(), err or sys.stderr or StringIO()  # they may be closed
        self.out_is_tty, self.err_is_tty = self.out.isatty(), self.err.isatty()
        self.has_colour = self.err_is_tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._answer_escaper, self._aside_escaper = ControlEscaper(), ControlEscaper()
        self._is_mid_line = False
        self._waiting_line = _WaitingLine(self.err)

    def answer(self, piece: str) -> None:
        """Write a piece of an answer at once."""
        self._write(self.out, self._answer_escaper.feed(piece))

    def end_answer(self) -> None:
        """End an answer, with a newline if its last line has none."""
        self._write(self.out, self._answer_escaper.flush())
        if self._is_mid_line:
            self._write(self.out, "\n")

    def line(self, text: str) -> None:
        """Write whole lines of an answer."""
        self._write(self.out, f"{escape_controls(text)}\n")

    def aside(self, piece: str) -> None:
        """Write a piece of something beside the answer, such as reasoning: dim, and on a terminal only."""
        if self.err_is_tty:
            text = self._aside_escaper.feed(piece)
            self._write(self.err, f"\x1b[2m{text}\x1b[0m" if text and self.has_colour else text)

    def note(self, text: str) -> None:
        """Write a line about the answer, or a problem, to stderr."""
        with suppress(BrokenPipeError):
            self.out.flush()
        self._waiting_line.write_above(f"{escape_controls(text)}\n")

    @contextmanager
    def waiting(
        self, label: str, share: Callable[[], float] | None = None
    ) -> Generator[Callable[[], None], None, None]:
        """While the block runs, show on a terminal what the command waits for, how long, and how much of it is done.

        The block gets a function that ends the waiting line early. `share` returns what is done, from 0 to 1.
        """
        if self.err_is_tty:
            self._waiting_line.start(escape_controls(label), share)
        try:
            yield self._waiting_line.stop
        finally:
            self._waiting_line.stop()

    def _write(self, file: TextIO, text: str) -> None:
        if text:
            file.write(text)
            file.flush()
            if file is self.out:
                self._is_mid_line = not text.endswith("\n")


class _WaitingLine:
    """A line that its own thread draws from `start` to `stop`. Stopping it twice does no harm."""

    def __init__(self, err: TextIO) -> None:
        self._err = err
        self._drawn_width = 0
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, label: str, share: Callable[[], float] | None) -> None:
        """Draw the line after a while."""
        self._is_over.clear()
        self._thread = threading.Thread(target=self._run, args=(label, share), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Erase the line and end the thread."""
        if self._thread:
            self._is_over.set()
            self._thread.join()
            self._thread = None
            self._draw("")

    def write_above(self, text: str) -> None:
        """Write whole lines in its place; the waiting line is drawn again below them."""
        self._draw("", text)

    def _run(self, label: str, share: Callable[[], float] | None) -> None:
        begun = time.monotonic()
        pause = WAIT_BEFORE_LINE
        while not self._is_over.wait(pause):
            done = f" {bar(share())}" if share else ""
            self._draw(f"{label}{done} {time.monotonic() - begun:.0f} s")
            pause = REDRAW_INTERVAL

    def _draw(self, text: str, above: str = "") -> None:
        with self._lock:
            erased = " " * (self._drawn_width - width(text))
            line = f"\r{text}{erased}" + ("" if text else "\r") if text or erased else ""
            self._drawn_width = width(text)
            if line or above:
                self._err.write(line + above)
                self._err.flush()
