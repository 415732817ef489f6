"""What a run leaves behind: open sockets, threads, tasks and warnings; and how long this machine stood still.

A context variable says which run opens something.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
import threading
import time
import traceback
import warnings
import weakref
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

__all__ = ["RUN", "Heartbeat", "Watch", "open_sockets", "settled", "stack_of_error", "stack_of_thread", "watching"]

RUN: ContextVar[int | None] = ContextVar("chaos_run", default=None)
"""The seed of the run under way in this context."""

SETTLE = 2.0
"""Seconds that what is being closed may take."""


@dataclass
class Watch:
    """What each run opened, and the noises of all."""

    sockets: dict[int, list[weakref.ref[socket.socket]]] = field(default_factory=dict)
    threads: dict[int, list[threading.Thread]] = field(default_factory=dict)
    tasks: dict[int, list[weakref.ref[asyncio.Task[Any]]]] = field(default_factory=dict)
    noises: list[str] = field(default_factory=list)

    def left(self, seed: int) -> dict[str, list[str]]:
        """What a run has left open, by kind."""
        connections = [each() for each in self.sockets.get(seed, ())]
        tasks = [each() for each in self.tasks.get(seed, ())]
        return {
            "socket": [repr(each) for each in connections if each is not None and each.fileno() >= 0],
            "thread": [each.name for each in self.threads.get(seed, ()) if _is_left(each)],
            "task": [repr(each) for each in tasks if each is not None and not each.done()],
        }

    def noise(self, text: str) -> None:
        """Write down a warning."""
        self.noises.append(text if RUN.get() is None else f"{text} (seed {RUN.get()})")

    def task_factory(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        """Makes the tasks of an event loop."""
        task = asyncio.Task(coroutine, loop=loop, **options)
        _add(self.tasks, weakref.ref(task))  # kept alive, it would not say that its exception was never retrieved
        return task

    def exception_handler(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Takes what an event loop reports."""
        self.noise(f"{context.get('message')}: {context.get('exception')!r}")


def _is_left(thread: threading.Thread) -> bool:
    """Not the threads of an event loop's executor, which end with the loop."""
    return thread.is_alive() and not thread.name.startswith("asyncio_")


def _add(kept: dict[int, list[Any]], value: Any) -> None:
    seed = RUN.get()
    if seed is not None:
        kept.setdefault(seed, []).append(value)


@contextmanager
def watching() -> Generator[Watch, None, None]:
    """Watch all sockets and threads of this process and all warnings, until the end of the block."""
    watch = Watch()
    connect, start = socket.socket.connect, threading.Thread.start

    def connected(self: socket.socket, address: Any) -> None:
        _add(watch.sockets, weakref.ref(self))
        connect(self, address)

    def started(self: threading.Thread) -> None:
        _add(watch.threads, self)
        start(self)

    with (
        warnings.catch_warnings(record=True) as caught,
        patch.object(socket.socket, "connect", connected),
        patch.object(threading.Thread, "start", started),
        patch.object(sys, "unraisablehook", lambda broken: watch.noise(f"unraisable: {broken.exc_value!r}")),
        patch.object(threading, "excepthook", lambda broken: watch.noise(f"a thread died of {broken.exc_value!r}")),
    ):
        warnings.simplefilter("always")
        yield watch
        gc.collect()
    loud = [each for each in caught if issubclass(each.category, ResourceWarning | RuntimeWarning)]
    watch.noises += [f"{each.category.__name__}: {each.message}" for each in loud]


def stack_of_thread(ident: int) -> str:
    """Where a thread waits."""
    frame = sys._current_frames().get(ident)
    return _places(traceback.extract_stack(frame)) if frame is not None else "a thread that is over"


def stack_of_error(error: BaseException) -> str:
    """Where an exception was raised."""
    return _places(traceback.extract_tb(error.__traceback__))


def _places(frames: Sequence[traceback.FrameSummary]) -> str:
    """The last place in our own package, and the last two of all."""
    own = [frame for frame in frames if "kimi_openai/" in frame.filename][-1:]
    last = [frame for frame in frames[-2:] if frame not in own]
    return " > ".join(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in own + last)


def _short(filename: str) -> str:
    for folder in ("/site-packages/", "/kimi_openai/", "/lib/"):
        filename = filename.rpartition(folder)[2]
    return filename


def open_sockets() -> int | None:
    """How many sockets this process has open; `None` where the system has no `/proc`."""
    folder = Path("/proc/self/fd")
    return sum(map(_is_socket, folder.iterdir())) if folder.exists() else None


def _is_socket(entry: Path) -> bool:
    with suppress(OSError):  # it was closed meanwhile
        return os.readlink(entry).startswith("socket:")
    return False


class Heartbeat:
    """A thread that wakes up often: by how much it was late in all is how long other programs had the processor."""

    PERIOD = 0.02

    def __init__(self) -> None:
        self.late = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="chaos-heartbeat", daemon=True)

    def _beat(self) -> None:
        last = time.monotonic()
        while not self._over.wait(self.PERIOD):
            now = time.monotonic()
            self.late += max(now - last - 1.25 * self.PERIOD, 0.0)
            last = now

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


async def settled(is_settled: Callable[[], bool]) -> bool:
    """Whether something holds within some time."""
    until = time.monotonic() + SETTLE
    while not is_settled():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.02)
    return True
