"""A command on a real pseudo-terminal, whose screen is a terminal emulator's (pyte)."""

from __future__ import annotations

import os
import re
import select
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

import pyte
import pytest

from kimi_openai.emulator import Emulator
from tests.forked import started_on

from .conftest import environment

TIMEOUT = 30.0

PASTE, END_PASTE = "\x1b[200~", "\x1b[201~"
ENTER, CTRL_C, CTRL_D = "\r", "\x03", "\x04"

SIZES = ("COLUMNS", "LINES")
"""Variables that would count instead of the size of the terminal."""

EXTRAS = ("rich", "prompt_toolkit", "argcomplete")


class Screen(pyte.Screen):
    """A screen that tells the program where its cursor is, and that shows joined emoji as the first of them (pyte knows
    no joiners)."""

    def __init__(self, columns: int, rows: int, keyboard: int) -> None:
        super().__init__(columns, rows)
        self._keyboard = keyboard

    def draw(self, data: str) -> None:
        super().draw(re.sub("\u200d.|[\ufe0e\ufe0f\u200c]", "", data))

    def write_process_input(self, data: str) -> None:
        os.write(self._keyboard, data.encode())


class Terminal:
    """A program on a pseudo-terminal: the bytes that it has written since the last look, its screen, and a keyboard."""

    def __init__(self, master: int, process: BaseProcess, columns: int, rows: int) -> None:
        self._master, self.process = master, process
        self.shown = ""
        self._screen = Screen(columns, rows, master)
        self._stream: Any = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        """The lines on the screen, without blanks at their ends and without empty ones."""
        return [line.rstrip() for line in self._screen.display if line.strip()]

    @property
    def page(self) -> str:
        """All that is on the screen, with its empty lines."""
        return "\n".join(line.rstrip() for line in self._screen.display).strip("\n")

    @property
    def text(self) -> str:
        """The screen as one line of words: without line ends, which depend on the width."""
        return " ".join(word for line in self.lines for word in line.split())

    def until(self, text: str) -> str:
        """What was written since the last call, up to `text`."""
        end = time.monotonic() + TIMEOUT
        while text not in self.shown:
            assert time.monotonic() < end, f"waited for {text!r}, saw {self.shown!r}"
            self._read(0.1)
        shown, _, self.shown = self.shown.partition(text)
        return shown + text

    def until_true(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until the screen is as wanted."""
        end = time.monotonic() + TIMEOUT
        while not is_so():
            assert time.monotonic() < end, f"waited for {what}, saw {self.lines!r}"
            self._read(0.1)

    def until_screen(self, text: str) -> None:
        """Wait until the words are on the screen."""
        self.until_true(lambda: text in self.text, repr(text))

    def at_prompt(self) -> None:
        """Wait until the program wants a question: the last line is an empty prompt, and the cursor is in it."""
        self.until_true(lambda: self.lines[-1:] == [">"] and self._screen.cursor.x == 2, "a prompt")

    def enter(self, keys: str, shown: str | None = None) -> None:
        """At the prompt, type keys that show as `shown` in the last line; then Enter, and wait for the next prompt."""
        self.at_prompt()
        line = (keys if shown is None else shown).strip()
        self.type(keys)
        self.until_true(lambda: self.lines[-1].endswith(line), repr(line))
        self.type(ENTER)
        self.until_true(lambda: not self.lines[-1].endswith(line), "the end of the question")
        self.at_prompt()

    def leave(self) -> str:
        """At the prompt, type Ctrl-D, and return what was written until the program ended."""
        self.at_prompt()
        self.type(CTRL_D)
        return self.rest()

    def type(self, text: str) -> None:
        """Type the text."""
        os.write(self._master, text.encode())

    def rest(self) -> str:
        """What was written until the program ended."""
        end = time.monotonic() + TIMEOUT
        while self.process.is_alive():
            assert time.monotonic() < end, f"it does not end, saw {self.lines!r}"
            self._read(0.05)
        while self._read(0):
            pass
        return self.shown

    def _read(self, patience: float) -> bool:
        if not select.select([self._master], [], [], patience)[0]:
            return False
        data = os.read(self._master, 65536)
        self.shown += data.decode(errors="surrogateescape")
        self._stream.feed(data)
        return True


@contextmanager
def on_terminal(
    kimi: Emulator | None,
    *arguments: str,
    columns: int = 80,
    rows: int = 60,
    hidden: Sequence[str] = (),
    stdin: str = "",
    **variables: str,
) -> Iterator[Terminal]:
    """`python -m kimi_openai ...` with a pseudo-terminal for all three of its files, whose Ctrl-C is a key.

    `hidden`: packages that cannot be imported in it. `stdin`: a shell command whose output is its stdin instead.
    """
    pty, fcntl, termios = map(pytest.importorskip, ("pty", "fcntl", "termios"))
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    variables = {name: value for name, value in environment(kimi, TERM="dumb").items() if name not in SIZES} | variables
    process = started_on(os.ttyname(slave), arguments, variables, hidden=hidden, stdin=stdin)
    try:
        yield Terminal(master, process, columns, rows)
        process.join(TIMEOUT)
        assert process.exitcode is not None, "it does not end"
    finally:
        process.kill()
        process.join()
        os.close(slave)
        os.close(master)
