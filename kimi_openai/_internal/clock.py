"""The clock that waits are measured with, and `instant`, which skips all waits in tests."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import anyio
import openai

__all__ = ["instant", "now", "pause", "real_wait"]


class _Clock:
    """Counts the `instant` blocks that are open (`depth`), and the seconds of waits that they skipped."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.depth = 0
        self.skipped = 0.0


_clock = _Clock()


@contextmanager
def instant() -> Generator[None, None, None]:
    """For tests: a `with` block in which nothing waits, neither the SDK's loop of our clients nor any loop of this
    package, in any thread.

    The waits are still computed, logged and passed to `on_retry`, and they count against `patience` as if they had
    happened. Blocks may be nested; waiting starts again when the outermost one ends.
    """
    with _clock.lock:
        _clock.depth += 1
    try:
        yield
    finally:
        with _clock.lock:
            _clock.depth -= 1


def now() -> float:
    """The seconds of a monotonic clock that includes the waits that `instant` skipped."""
    return time.monotonic() + _clock.skipped


def real_wait(seconds: float) -> float:
    """How long to really sleep for a wait of so many seconds: all of it, or 0 inside `instant`."""
    with _clock.lock:
        if not _clock.depth:
            return seconds
        _clock.skipped += seconds
        return 0.0


def pause(client: object, seconds: float) -> Any:
    """What a flow yields to wait for so many seconds. A synchronous client has waited when this returns."""
    sleep = anyio.sleep if isinstance(client, openai.AsyncOpenAI) else time.sleep
    return sleep(real_wait(seconds))
