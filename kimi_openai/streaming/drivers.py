"""The I/O of a stream: send, wait, read and close as a `Session` decides, once for each kind of client.

`chat_stream` hands the events on. What they mean, and what follows a cut, is decided in the session; until when the
rest of a whole answer is read, in `client.ending`. The time that a call may take is limited by the client.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, closing, contextmanager
from typing import Any, cast

import anyio
import openai

from kimi_openai._internal.clock import real_wait
from kimi_openai.client.after_attempt import settle
from kimi_openai.client.async_pieces import AsyncPieces
from kimi_openai.client.call import stoppable
from kimi_openai.client.ending import rest_of, rest_of_async
from kimi_openai.client.foreign_errors import without_aiohttp
from kimi_openai.client.network import Limit
from kimi_openai.client.proofs import signatures_of_response
from kimi_openai.client.reasoning import remember
from kimi_openai.compat.adapt import report_answer
from kimi_openai.usage.normalize import notify_observers

from .events import Event
from .reader import ResponseReader
from .session import Session

__all__ = ["AsyncStop", "events_of", "events_of_async", "keep_reply"]


def keep_reply(error: BaseException | None, session: Session) -> None:
    """Put what has come on the exception of an interruption or of a cancelled task, as `reply`."""
    is_interruption = error is not None and not isinstance(error, Exception | GeneratorExit)
    if is_interruption and not hasattr(error, "reply"):
        cast(Any, error).reply = session.saved_reply()


@contextmanager
def _reported(client: Any, session: Session) -> Generator[None, None, None]:
    """Puts what has come on an interruption, and reports the notes on the answer, however it ended."""
    try:
        yield
    except BaseException as error:
        keep_reply(error, session)
        raise
    finally:
        for note in session.notes:
            report_answer(note, getattr(client, "kimi_options", None))


def events_of(client: Any, session: Session, options: Mapping[str, Any], limit: Limit) -> Generator[Event, None, None]:
    """The events of a session, as they come, until `limit` is stopped. If the caller drops the generator, the
    connection is closed."""
    with _reported(client, session):
        while not session.is_over:
            limit.sleep(real_wait(session.wait))
            if limit.is_stopped:
                return
            try:
                with stoppable(limit):
                    response = limit.response = _post(client, session, openai.Stream[object], options).response
            except openai.APIError as error:
                if not limit.is_stopped:
                    yield from session.refused(error)
                continue
            reader = session.opened(response)
            session.signatures += signatures_of_response(response)
            try:
                with closing(response), closing(_raw_bytes(response, "iter")) as pieces:
                    yield from _events_in(pieces, response, reader)
            finally:
                notify_observers(client, *session.spent, response=response)
                settle(response, session.spent[1])
            if limit.is_stopped:
                return
            yield from _ended(client, session, reader)


def _ended(client: Any, session: Session, reader: ResponseReader) -> list[Event]:
    """The last events of a response that has been read. If the answer is whole, its reasoning is remembered."""
    events = session.ended(reader)
    if session.is_over:
        reply = session.reply()
        remember(getattr(client, "kimi_options", None), session.messages, reply.tool_calls, reply.reasoning)
    return events


def _events_in(pieces: Any, response: Any, reader: ResponseReader) -> Generator[Event, None, None]:
    """The events in the pieces of one response."""
    rest = rest_of(pieces, response, reader)
    while reader.error is None:
        try:
            piece = next(pieces if reader.rest is None else rest, None)
        except Exception as error:
            reader.fail(without_aiohttp(error))
            return
        if piece is None:
            return
        yield from reader.feed(piece)


class AsyncStop:
    """Ends what a task waits for in a stream; to be set by another task."""

    def __init__(self) -> None:
        self.is_set = False
        self.scope: anyio.CancelScope | None = None
        self.response: Any = None

    async def set(self) -> None:
        """End the stream."""
        self.is_set = True
        if self.scope is not None:
            self.scope.cancel()
        elif self.response is not None:
            await self.response.aclose()


async def events_of_async(
    client: Any, session: Session, options: Mapping[str, Any], stop: AsyncStop
) -> AsyncGenerator[Event, None]:
    """`events_of` for an asynchronous client."""
    with _reported(client, session):
        while not session.is_over:
            try:
                response = stop.response = await _response_async(client, session, options, stop)
            except openai.APIError as error:
                for event in session.refused(error):
                    yield event
                continue
            if response is None:
                return
            reader = session.opened(response)
            session.signatures += signatures_of_response(response)
            try:
                async with aclosing(response), aclosing(AsyncPieces(_raw_bytes(response, "aiter"))) as pieces:
                    rest = rest_of_async(pieces, reader)
                    while (piece := await _next_piece(pieces if reader.rest is None else rest, reader)) is not None:
                        for event in reader.feed(piece):
                            yield event
            finally:
                notify_observers(client, *session.spent, response=response)
                settle(response, session.spent[1])
            if stop.is_set:
                return
            for event in _ended(client, session, reader):
                yield event


async def _response_async(client: Any, session: Session, options: Mapping[str, Any], stop: AsyncStop) -> Any:
    """The response to the next request, `None` if the stream was stopped."""
    with anyio.CancelScope() as stop.scope:
        try:
            if session.wait:
                await anyio.sleep(real_wait(session.wait))
            return (await _post(client, session, openai.AsyncStream[object], options)).response
        finally:
            stop.scope = None
    return None


async def _next_piece(pieces: Any, reader: ResponseReader) -> bytes | None:
    """The next piece, `None` at the end or after an error."""
    if reader.error is not None:
        return None
    try:
        piece: bytes = await pieces.__anext__()
    except StopAsyncIteration:
        return None
    except Exception as error:
        reader.fail(without_aiohttp(error))
        return None
    return piece


def _post(client: Any, session: Session, stream_cls: type[Any], options: Mapping[str, Any]) -> Any:
    """Send the next request (awaitable for an asynchronous client); after the first, with the patience that is left."""
    left = session.budget.deadline.left() if session.parts or session.refusals else None
    sender = client if left is None else client.with_options(patience=left)
    return sender.post(body=session.body, stream_cls=stream_cls, **options)


def _raw_bytes(response: Any, kind: str) -> Any:
    """The bytes as they come; through the HTTP library's decoder only if they are compressed."""
    return getattr(response, f"{kind}_bytes" if "content-encoding" in response.headers else f"{kind}_raw")()
