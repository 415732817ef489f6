"""How long the rest of a body is read once its answer is whole.

The usage may follow a finish_reason, then `[DONE]` and the end of the body. They are read, because only then can the
connection be used again; but a server or gateway may hold the body open, so they are not waited for. The typed stream
and `kimi_openai.stream` read by these rules.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

from kimi_openai.retry.deadline import Deadline, within

from .network import ends_after

__all__ = ["MOMENT", "USAGE_WAIT", "Reader", "rest_of", "rest_of_async"]

MOMENT = 0.2
"""Seconds for what follows an answer that is whole."""

USAGE_WAIT = 3.0
"""Seconds for the usage, if it was asked for and has not come with the finish_reason."""


class Reader(Protocol):
    """What knows whether an answer is whole."""

    @property
    def rest(self) -> float | None:
        """The seconds for which the rest of the body is read, `None` while the answer is not whole."""
        ...

    @property
    def is_done(self) -> bool:
        """Whether `[DONE]` has come, after which nothing counts."""
        ...


def rest_of(pieces: Iterator[bytes], response: Any, reader: Reader) -> Iterator[bytes]:
    """The pieces that come after the answer is whole, for as long as `reader.rest` says; none if it is not whole."""
    for deadline in _deadlines(reader):
        try:
            with ends_after(deadline.left(), response):
                piece = next(pieces, None)
        except Exception:
            if deadline.is_over:
                return
            raise
        if piece is None:
            return
        if not reader.is_done:
            yield piece


async def rest_of_async(pieces: AsyncIterator[bytes], reader: Reader) -> AsyncIterator[bytes]:
    """`rest_of` for an asynchronous response."""
    for deadline in _deadlines(reader):
        try:
            piece = await within(deadline.left(), pieces.__anext__)
        except (StopAsyncIteration, TimeoutError):
            return
        if not reader.is_done:
            yield piece


def _deadlines(reader: Reader) -> Iterator[Deadline]:
    """The deadline for each next piece. It starts again when `reader.rest` changes; there is none after it is over."""
    rest, deadline = None, Deadline()
    while reader.rest is not None:
        if reader.rest != rest:
            rest = reader.rest
            deadline = Deadline(rest)
        if deadline.is_over:
            return
        yield deadline
