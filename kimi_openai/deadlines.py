"""An answer that is being read ends by its deadline, however it drips: a read timeout bounds one silence only.

One helper for each world, used where a caller gave his patience a limit; what becomes of the answer is decided in
`exchange.py`.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any, TypeVar

import anyio

__all__ = ["cut_after", "within"]

Result = TypeVar("Result")


@contextmanager
def cut_after(seconds: float | None, response: Any) -> Generator[None, None, None]:
    """Shut the connection of a response down after so many seconds, unless it has been left by then: no other way ends
    a read that another thread is in. Both HTTP libraries document where the socket is."""
    stream: Any = response.extensions.get("network_stream")
    connection: Any = stream and stream.get_extra_info("socket")
    if seconds is None or connection is None:
        yield
        return
    timer = Timer(seconds, _shut_down, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # of an SSL socket too: its reader sees the end


async def within(seconds: float | None, read: Callable[[], Awaitable[Result]]) -> Result:
    """What `read` gives; TimeoutError if it takes longer."""
    if seconds is None:
        return await read()
    with anyio.fail_after(seconds):
        return await read()
