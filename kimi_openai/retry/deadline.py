"""The time that a caller gives to a call: how much of it is left, and how a read ends when it is over.

A read timeout limits one silence only; an answer that arrives in small pieces can take any time. `shut_down_after` and
`within` end such a read, for synchronous and asynchronous code. The caller decides what happens to the answer.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Timer
from typing import Any, TypeVar

import anyio

from kimi_openai._internal.clock import now

__all__ = ["Deadline", "shut_down", "shut_down_after", "shut_down_socket", "within"]

Result = TypeVar("Result")

LEAST = 0.001
"""Seconds that are left of a deadline that has passed: a timeout must be positive."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Ends `patience` seconds after `started` (by `clock.now`), never if `patience` is `None`."""

    patience: float | None = None
    started: float = field(default_factory=now)

    def elapsed(self) -> float:
        """The seconds since the start."""
        return now() - self.started

    def left(self) -> float | None:
        """The seconds until the end, always positive; `None` if there is no end."""
        return None if self.patience is None else max(self.patience - self.elapsed(), LEAST)

    def ends_within(self, wait: float) -> bool:
        """Whether nothing would be left after a wait of so many seconds."""
        return self.patience is not None and self.elapsed() + wait >= self.patience

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.ends_within(0)

    def at_most(self, seconds: float | None) -> Deadline:
        """A deadline that ends so many seconds from now, or when this one ends if that is earlier."""
        left = self.left()
        return self if seconds is None or (left is not None and left <= seconds) else Deadline(seconds)


@contextmanager
def shut_down_after(seconds: float | None, response: Any) -> Generator[None, None, None]:
    """Shuts down the connection of `response` after so many seconds, unless the `with` block has ended by then."""
    if seconds is None or _socket_of(response) is None:
        yield
        return
    timer = Timer(seconds, shut_down, [response])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def shut_down(response: Any) -> None:
    """Shuts down the connection of `response`, if the response is open and has a socket."""
    if not response.is_closed:
        shut_down_socket(_socket_of(response))


def shut_down_socket(connection: socket.socket | None) -> None:
    """Ends every read and write of a socket in which another thread waits. To close it does not wake that thread."""
    if connection is not None:
        with suppress(OSError):  # it is closed already
            socket.socket.shutdown(connection, socket.SHUT_RDWR)  # of an SSL socket too: its reader sees the end


def _socket_of(response: Any) -> socket.socket | None:
    """Both HTTP libraries document how to get it."""
    stream: Any = response.extensions.get("network_stream")
    found: socket.socket | None = stream and stream.get_extra_info("socket")
    return found


async def within(seconds: float | None, read: Callable[[], Awaitable[Result]]) -> Result:
    """What `read` returns. Raises `TimeoutError` if it takes longer than so many seconds."""
    if seconds is None:
        return await read()
    with anyio.fail_after(seconds):
        return await read()
