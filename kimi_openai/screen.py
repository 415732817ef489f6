"""Where the commands write: answers to stdout, everything else to stderr, all of it harmless.

The only room that asks whether there is a terminal. Colour, waiting lines and bars are for terminals alone; what is
written is a value from `terminal.py`.
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

from .terminal import Harmless, bar, harmless, width

__all__ = ["HarmlessWriter", "Screen"]

PATIENCE = 0.7
"""Seconds before a waiting line appears: what is quick needs none."""

TICK = 0.2


class HarmlessWriter:
    """A text file that makes harmless what is written through it, for code that prints as it likes."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._harmless = file, Harmless()

    def write(self, text: str) -> int:
        """Write the text, all that can be shown of it."""
        self._file.write(self._harmless.feed(text))
        return len(text)

    def flush(self) -> None:
        """Flush the file beneath."""
        self._file.flush()


class Screen:
    """A command's two outputs. `out_is_tty` and `err_is_tty` say which of them a human sees."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.out, self.err = out or sys.stdout or StringIO(), err or sys.stderr or StringIO()  # they may be closed
        self.out_is_tty, self.err_is_tty = self.out.isatty(), self.err.isatty()
        self.has_colour = self.err_is_tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._answer, self._aside = Harmless(), Harmless()
        self._stands_open = False
        self._line = _WaitingLine(self.err)

    def answer(self, piece: str) -> None:
        """A piece of an answer, at once."""
        self._write(self.out, self._answer.feed(piece))

    def end_answer(self) -> None:
        """The end of an answer: its last line ends."""
        self._write(self.out, self._answer.rest())
        if self._stands_open:
            self._write(self.out, "\n")

    def line(self, text: str) -> None:
        """Whole lines of an answer."""
        self._write(self.out, f"{harmless(text)}\n")

    def aside(self, piece: str) -> None:
        """A piece of what a human may like to see beside the answer: dim, and on a terminal only."""
        if self.err_is_tty:
            text = self._aside.feed(piece)
            self._write(self.err, f"\x1b[2m{text}\x1b[0m" if text and self.has_colour else text)

    def note(self, text: str) -> None:
        """A line about the answer, or a problem."""
        with suppress(BrokenPipeError):
            self.out.flush()
        self._line.above(f"{harmless(text)}\n")

    @contextmanager
    def waiting(
        self, label: str, share: Callable[[], float] | None = None
    ) -> Generator[Callable[[], None], None, None]:
        """While the block runs, and until what it is given is called, a line on the terminal says what is waited for
        and how long; with `share` (0 to 1), how much is done. Nothing elsewhere."""
        if self.err_is_tty:
            self._line.start(harmless(label), share)
        try:
            yield self._line.stop
        finally:
            self._line.stop()

    def _write(self, file: TextIO, text: str) -> None:
        if text:
            file.write(text)
            file.flush()
            if file is self.out:
                self._stands_open = not text.endswith("\n")


class _WaitingLine:
    """Drawn by a thread of its own from `start` on, and wiped away by `stop`; once is enough, more does no harm."""

    def __init__(self, err: TextIO) -> None:
        self._err = err
        self._drawn = 0
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, label: str, share: Callable[[], float] | None) -> None:
        """Draw it in a while."""
        self._is_over.clear()
        self._thread = threading.Thread(target=self._run, args=(label, share), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Wipe it away for good."""
        if self._thread:
            self._is_over.set()
            self._thread.join()
            self._thread = None
            self._draw("")

    def above(self, text: str) -> None:
        """Write a line where it is; it goes on below."""
        self._draw("", text)

    def _run(self, label: str, share: Callable[[], float] | None) -> None:
        begun = time.monotonic()
        pause = PATIENCE
        while not self._is_over.wait(pause):
            done = f" {bar(share())}" if share else ""
            self._draw(f"{label}{done} {time.monotonic() - begun:.0f} s")
            pause = TICK

    def _draw(self, text: str, above: str = "") -> None:
        with self._lock:
            wiped = " " * (self._drawn - width(text))
            self._drawn = width(text)
            line = f"\r{text}{wiped}" + ("" if text else "\r") if self._drawn or wiped else ""
            if line or above:
                self._err.write(line + above)
                self._err.flush()
