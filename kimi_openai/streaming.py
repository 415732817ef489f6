"""`stream`: an answer as it comes, whatever breaks on the way.

Only the drivers live here, one for each world: they send, wait, read and close as `exchange.py` says.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator, Mapping
from contextlib import aclosing, closing
from types import TracebackType
from typing import TYPE_CHECKING, Any, get_args, overload

import anyio
import openai
from openai.types.chat import ChatCompletion

from .asking import pace_of, request_of
from .deadlines import cut_after, within
from .events import Event, Part
from .exchange import Exchange
from .flows import AnyClient
from .messages import MessageLike
from .replies import Reply
from .resuming import OnCut
from .usages import observed
from .waits import real_wait

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["AsyncChatStream", "ChatStream", "stream"]


class _AnyStream:
    """What is the same in both worlds."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @property
    def reply(self) -> Reply:
        """What has come so far: `content`, `reasoning`, `tool_calls`, `finish_reason`, `usage`."""
        return self._exchange.reply()

    @property
    def parts(self) -> tuple[Part, ...]:
        """What each answered request brought, and cost."""
        return tuple(self._exchange.parts)

    @property
    def resumptions(self) -> int:
        """How often the answer went on where it had broken off, or started over."""
        return sum(part.how in ("resumed", "restarted") for part in self._exchange.parts)

    def _final(self) -> ChatCompletion:
        exchange = self._exchange
        if exchange.error is not None:
            raise exchange.error
        if not exchange.is_over:
            raise RuntimeError("the stream was closed before its end; `reply` is what had come")
        return exchange.completion()


class ChatStream(_AnyStream):
    """The events of an answer, as an iterable context manager; leaving it closes the connection."""

    def __init__(self, client: Any, exchange: Exchange, options: Mapping[str, Any]) -> None:
        super().__init__(exchange)
        self._events = _events(client, exchange, options)

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if one is open."""
        self._events.close()

    @property
    def text_stream(self) -> Iterator[str]:
        """Only the pieces of text. Raises `StreamCutError` where the answer has to start over after text was given."""
        self._exchange.keeps_text = True
        return (event.delta for event in self._events if event.type == "content.delta")

    def get_final_completion(self) -> ChatCompletion:
        """The whole answer, as `chat.completions.create` would have given it, once it is there."""
        for _ in self._events:
            pass
        return self._final()


def _events(client: Any, exchange: Exchange, options: Mapping[str, Any]) -> Generator[Event, None, None]:
    """Ask and read until it is over. A function, so that a loop that is left drops it, which closes the connection."""
    while not exchange.is_over:
        if exchange.wait:
            time.sleep(real_wait(exchange.wait))
        try:
            ask = _patient(client, exchange).post
            response = ask(body=exchange.body, stream_cls=openai.Stream[object], **options).response
        except openai.APIError as error:
            yield from exchange.refused(error)
            continue
        exchange.opened(response)
        cause: Exception | None = None
        try:
            limit = cut_after(exchange.pace.left(), response)
            with limit, closing(response), closing(_unread(response, "iter")) as pieces:
                while not exchange.is_broken:
                    try:
                        piece = next(pieces, None)
                    except Exception as error:
                        cause = error
                        break
                    if piece is None:
                        break
                    yield from exchange.feed(piece)
        finally:
            observed(client, *exchange.spent)
        yield from exchange.ended(cause)


class AsyncChatStream(_AnyStream):
    """`ChatStream` for an asynchronous client: `async with`, `async for`."""

    def __init__(self, client: Any, exchange: Exchange, options: Mapping[str, Any]) -> None:
        super().__init__(exchange)
        self._events = _events_async(client, exchange, options)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection, if one is open."""
        await self._events.aclose()

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """Only the pieces of text. Raises `StreamCutError` where the answer has to start over after text was given."""
        self._exchange.keeps_text = True
        return (event.delta async for event in self._events if event.type == "content.delta")

    async def get_final_completion(self) -> ChatCompletion:
        """The whole answer, as `chat.completions.create` would have given it, once it is there."""
        async for _ in self._events:
            pass
        return self._final()


async def _events_async(client: Any, exchange: Exchange, options: Mapping[str, Any]) -> AsyncGenerator[Event, None]:
    """`_events` for an asynchronous client."""
    while not exchange.is_over:
        if exchange.wait:
            await anyio.sleep(real_wait(exchange.wait))
        try:
            ask = _patient(client, exchange).post
            response = (await ask(body=exchange.body, stream_cls=openai.AsyncStream[object], **options)).response
        except openai.APIError as error:
            for event in exchange.refused(error):
                yield event
            continue
        exchange.opened(response)
        cause: Exception | None = None
        try:
            async with aclosing(response), aclosing(_unread(response, "aiter")) as pieces:
                read = pieces.__anext__
                while not exchange.is_broken:
                    try:
                        piece = await within(exchange.pace.left(), read)
                    except StopAsyncIteration:
                        break
                    except Exception as error:
                        cause = error
                        break
                    for event in exchange.feed(piece):
                        yield event
        finally:
            observed(client, *exchange.spent)
        for event in exchange.ended(cause):
            yield event


def _unread(response: Any, kind: str) -> Any:
    """The bytes as they come; through the HTTP library's decoder only where they are compressed."""
    return getattr(response, f"{kind}_bytes" if "content-encoding" in response.headers else f"{kind}_raw")()


def _patient(client: Any, exchange: Exchange) -> Any:
    """The client, for requests after the first with what is left of its patience."""
    left = exchange.pace.left() if exchange.parts or exchange.refusals else None
    return client if left is None else client.with_options(patience=left)


@overload
def stream(
    client: openai.OpenAI, *, model: str, messages: Iterable[MessageLike], on_cut: OnCut = ..., **params: Any
) -> ChatStream: ...
@overload
def stream(
    client: openai.AsyncOpenAI, *, model: str, messages: Iterable[MessageLike], on_cut: OnCut = ..., **params: Any
) -> AsyncChatStream: ...
def stream(
    client: AnyClient, *, model: str, messages: Iterable[MessageLike], on_cut: OnCut = "resume", **params: Any
) -> ChatStream | AsyncChatStream:
    """A context manager with the events of an answer, which goes on where its connection breaks.

        with stream(client, model="kimi-k3", messages=[...]) as answer:
            for event in answer:
                if event.type == "content.delta":
                    print(event.delta, end="")
            completion = answer.get_final_completion()

    `async with` and `async for` for an asynchronous client. `params`: what `chat.completions.create` takes (also
    `extra_body`, `extra_headers`, `timeout`), and fields of Kimi's as they are. `answer.text_stream` gives the text
    alone.

    `on_cut` says what happens when the connection is cut, stalls past the read timeout, ends early or brings an error
    that may pass: "resume" asks for the rest by partial mode where there is text (one `resumed` event; no text is lost
    or doubled) and starts over where there is none, a tool call has begun or JSON was asked for (one `restarted` event:
    forget what was told before); "restart" always starts over; "raise" raises `StreamCutError`. It gives up after ten
    requests in a row that brought nothing, when the client's `patience` ends (a deadline for the whole
    answer), or at the first failure with `max_retries=0`. A budget such as `max_completion_tokens` is each request's.

    Raises what the SDK raises for a request that is refused for good; every exception has what had come as `reply`.
    Source: platform docs, streaming and partial mode guides.
    """
    if on_cut not in get_args(OnCut):
        raise ValueError(f"on_cut is {on_cut!r}; it is one of {', '.join(map(repr, get_args(OnCut)))}")
    body, options = request_of(model, messages, params)
    exchange = Exchange(body, pace_of(client), on_cut=on_cut)
    if isinstance(client, openai.AsyncOpenAI):
        return AsyncChatStream(client, exchange, options)
    return ChatStream(client, exchange, options)
