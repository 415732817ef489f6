"""A command on a real pseudo-terminal."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kimi_openai.emulator import Emulator

from .conftest import environment

TIMEOUT = 20.0


class Terminal:
    """A program on a pseudo-terminal: what it shows, and a keyboard."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master, self.process = master, process
        self.shown = ""

    def until(self, text: str) -> str:
        """What was shown since the last call, up to `text`."""
        end = time.monotonic() + TIMEOUT
        while text not in self.shown:
            assert time.monotonic() < end, f"waited for {text!r}, saw {self.shown!r}"
            if select.select([self._master], [], [], 0.1)[0]:
                self.shown += os.read(self._master, 65536).decode(errors="surrogateescape")
        shown, _, self.shown = self.shown.partition(text)
        return shown + text

    def type(self, text: str) -> None:
        """Type the text."""
        os.write(self._master, text.encode())

    def rest(self) -> str:
        """What was shown until the program ended."""
        self.process.wait(timeout=TIMEOUT)
        while select.select([self._master], [], [], 0)[0]:
            self.shown += os.read(self._master, 65536).decode(errors="surrogateescape")
        return self.shown


@contextmanager
def on_terminal(kimi: Emulator, *arguments: str, **variables: str) -> Iterator[Terminal]:
    """`python -m kimi_openai ...` with a pseudo-terminal for all three of its files, whose Ctrl-C is a key."""
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    on_it = 'exec "$@" <"$0" >"$0" 2>&1'  # opened by the leader of a session, it becomes the controlling terminal
    process = subprocess.Popen(
        ["sh", "-c", on_it, os.ttyname(slave), sys.executable, "-W", "error", "-m", "kimi_openai", *arguments],
        start_new_session=True,
        env=environment(kimi, TERM="dumb") | variables,
    )
    try:
        yield Terminal(master, process)
        process.wait(timeout=TIMEOUT)
    finally:
        process.kill()
        process.wait()
        os.close(slave)
        os.close(master)
