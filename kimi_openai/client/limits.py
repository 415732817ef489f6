"""Limits of the time that a call takes, for the connections that `network.py` does not limit.

Those are the connections of every asynchronous client, and of an HTTP client of the caller's. Each attempt of a call
with `patience` gets `LimitedTimeouts`. Each response to such a call gets a body that ends when no time is left, and so
does each that comes by aiohttp.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import lru_cache
from typing import Any

from kimi_openai.retry.deadline import Deadline, shut_down_after, within

from .network import is_limited

__all__ = ["LimitedTimeouts", "limit_body", "limit_body_async"]


class LimitedTimeouts(dict[str, Any]):
    """The timeouts of a request; each lookup gives at most the time left."""

    def __init__(self, deadline: Deadline, timeouts: Mapping[str, Any]) -> None:
        self._deadline = deadline
        super().__init__({name: self._limited(timeouts.get(name)) for name in ("connect", "read", "write", "pool")})

    def get(self, name: str, default: Any = None) -> Any:
        return self._limited(super().get(name, default))

    def _limited(self, seconds: float | None) -> float | None:
        return self._deadline.at_most(seconds).left()


def limit_body(response: Any, deadline: Deadline) -> None:
    """Let reads of `response` end at the deadline."""
    if deadline.patience is not None and not is_limited(response):
        library = _library_of(response)
        response.stream = _for_library(_Body, library.SyncByteStream)(response, deadline, library.ReadTimeout)


def limit_body_async(response: Any, deadline: Deadline) -> None:
    """`limit_body` for an asynchronous response.

    A response that came by aiohttp gets the read timeout of its request too: after damaged chunk framing the parser of
    aiohttp 3.14 (the one in C) raises nothing, and no timeout of aiohttp ends that read.
    """
    extensions = response.extensions
    is_by_aiohttp = "http_version" in extensions and "network_stream" not in extensions
    timeout = response.request.extensions.get("timeout", {}).get("read") if is_by_aiohttp else None
    if deadline.patience is not None or timeout is not None:
        library = _library_of(response)
        make = _for_library(_AsyncBody, library.AsyncByteStream)
        response.stream = make(response, deadline, library.ReadTimeout, timeout)


def _library_of(response: Any) -> Any:
    """The HTTP library of a response. openai 3 takes a caller's client of the older library too."""
    return sys.modules[type(response).__module__.partition(".")[0]]


@lru_cache(maxsize=4)
def _for_library(body: Any, base: Any) -> Any:
    """The class of a body, as the library that will read it accepts it."""
    return type(body.__name__, (body, base), {})


class _AnyBody:
    def __init__(self, response: Any, deadline: Deadline, error: Any, timeout: float | None = None) -> None:
        self._inner, self._deadline, self._error, self._timeout = response.stream, deadline, error, timeout
        self._response = weakref.ref(response)  # which refers to this body

    @property
    def elapsed(self) -> Any:
        """The time that the request took, of which the library reads it."""
        return getattr(self._inner, "elapsed", None)

    def _check(self) -> None:
        if self._deadline.is_over:
            raise self._error("the call has no time left")


class _Body(_AnyBody):
    """Its connection is shut down at the deadline."""

    def __iter__(self) -> Iterator[bytes]:
        with shut_down_after(self._deadline.left(), self._response()):
            pieces = iter(self._inner)
            while True:
                self._check()
                try:
                    piece = next(pieces, None)
                except Exception:
                    self._check()
                    raise
                if piece is None:
                    return
                yield piece

    def close(self) -> None:
        self._inner.close()


class _AsyncBody(_AnyBody):
    """Each of its reads has the time that is left, and its own timeout if it has one."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = self._inner.__aiter__()
        try:
            while True:
                self._check()
                try:
                    piece = await within(self._deadline.at_most(self._timeout).left(), pieces.__anext__)
                except StopAsyncIteration:
                    return
                except TimeoutError as error:
                    raise self._error("no data came in time") from error
                yield piece
        finally:
            if hasattr(pieces, "aclose"):
                await pieces.aclose()

    async def aclose(self) -> None:
        await self._inner.aclose()
