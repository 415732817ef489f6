"""Reads a file of the platform line by line while it arrives, and again if its download breaks."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from random import random
from typing import Protocol, TypeVar

import openai

from kimi_openai._internal.clock import pause
from kimi_openai.client.foreign_errors import connection_errors
from kimi_openai.errors.exceptions import UnexpectedAnswerError
from kimi_openai.retry.backoff import wait_for
from kimi_openai.retry.failure import failure_of

from .batch_output import LineSplitter

__all__ = ["read_lines", "read_lines_async"]

log = logging.getLogger("kimi_openai")

PIECE = 64 * 1024

ATTEMPTS = 4
"""How often a file is downloaded if the connection breaks. Each download begins with the first line."""

BROKEN = (openai.APIConnectionError, UnexpectedAnswerError)
"""What a download that breaks raises."""

Found = TypeVar("Found", covariant=True)


class ReadLine(Protocol[Found]):
    """Makes something of a line. Raises `ValueError` for a last line that is not whole."""

    def __call__(self, line: bytes, *, is_last: bool = False) -> Found | None: ...


def read_lines(client: openai.OpenAI, file_id: str, read: ReadLine[Found]) -> Iterator[Found]:
    """What `read` finds in the lines of a file, while it arrives; None is left out.

    After a break `read` gets the lines before it once more: it, or the caller, leaves out what it already had.
    """
    for attempt in range(ATTEMPTS):
        lines = LineSplitter()
        try:
            with (
                client.files.with_streaming_response.content(file_id) as response,
                connection_errors(response.http_request),
            ):
                for piece in response.iter_bytes(PIECE):
                    yield from _found(map(read, lines.feed(piece)))
                yield from _found(_last(read, lines))
        except BROKEN as error:
            pause(client, _wait_after(error, attempt))
        else:
            return


async def read_lines_async(client: openai.AsyncOpenAI, file_id: str, read: ReadLine[Found]) -> AsyncIterator[Found]:
    """`read_lines` for an asynchronous client."""
    for attempt in range(ATTEMPTS):
        lines = LineSplitter()
        try:
            async with client.files.with_streaming_response.content(file_id) as response:
                with connection_errors(response.http_request):
                    async for piece in response.iter_bytes(PIECE):
                        for found in _found(map(read, lines.feed(piece))):
                            yield found
                    for found in _found(_last(read, lines)):
                        yield found
        except BROKEN as error:
            await pause(client, _wait_after(error, attempt))
        else:
            return


def _found(results: Iterable[Found | None]) -> Iterator[Found]:
    return (result for result in results if result is not None)


def _last(read: ReadLine[Found], lines: LineSplitter) -> Iterator[Found | None]:
    held = bytes(lines.held)
    try:
        yield from (read(line, is_last=True) for line in lines.flush())
    except ValueError as error:  # the download has ended too early
        raise UnexpectedAnswerError("a whole last line", held.decode(errors="replace")) from error


def _wait_after(error: openai.OpenAIError, attempt: int) -> float:
    """The seconds until a file is downloaded again; raises the error if it was the last time."""
    if attempt == ATTEMPTS - 1:
        raise error
    log.info("the download of a batch's file broke (%s); once more", type(error).__name__)
    return wait_for(failure_of(error), attempt=attempt, jitter=random())
