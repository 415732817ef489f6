"""The bytes of an asynchronous response, read so that an event loop may shut down in the middle of them.

A loop that shuts down closes all asynchronous generators at the same time, those of the HTTP library too, each of which
waits for the next one inside it. asyncio then reports "asynchronous generator is already running". So the loop does not
get to know them: whoever reads the pieces closes them, and the response.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from functools import partial
from types import coroutine
from typing import Any

__all__ = ["AsyncPieces"]


class AsyncPieces:
    """An asynchronous iterator over the items of `generator`, which has not been started."""

    __slots__ = ("_generator", "_next")

    def __init__(self, generator: AsyncGenerator[bytes, None]) -> None:
        self._generator = generator
        self._next: Callable[[], Awaitable[bytes]] = self._first

    def __aiter__(self) -> AsyncPieces:
        return self

    def __anext__(self) -> Awaitable[bytes]:
        return self._next()

    async def aclose(self) -> None:
        """Close the generator."""
        await self._generator.aclose()

    def _first(self) -> Awaitable[bytes]:
        """The first item. All generators inside this one start before the first byte is waited for."""
        self._next = self._generator.__anext__
        return _hidden_start(self._next)


@coroutine
def _hidden_start(start: Callable[[], Awaitable[bytes]]) -> Generator[Any, Any, bytes]:
    """The result of the awaitable that `start` makes. Generators that begin before its first wait are hidden from the
    loop, and one that is dropped just ends."""
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, _forget)
    try:
        steps: Any = start().__await__()
        wait = next(steps)
    except StopIteration as end:
        return bytes(end.value)
    finally:
        sys.set_asyncgen_hooks(*hooks)
    while True:
        try:
            answer = yield wait
        except BaseException as error:
            advance: Any = partial(steps.throw, error)
        else:
            advance = partial(steps.send, answer)
        try:
            wait = advance()
        except StopIteration as end:
            return bytes(end.value)


def _forget(_: object) -> None:
    pass
