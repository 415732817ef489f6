"""`stream`: the events of an answer as they come, also after its connection was cut.

The two stream classes and the function that makes them. `drivers` does the I/O, `session` decides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast, get_args, overload

import openai
from openai.types.chat import ChatCompletion

from kimi_openai._internal.flow import AnyClient
from kimi_openai._internal.secrets import shown
from kimi_openai.client.network import Limit
from kimi_openai.client.proofs import Signatures
from kimi_openai.messages.builders import MessageLike
from kimi_openai.messages.reply import Reply

from .drivers import AsyncStop, events_of, events_of_async, keep_reply
from .events import Event, Part
from .request import budget_of, request_of
from .resume import OnCut
from .session import Session

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["AsyncChatStream", "ChatStream", "stream"]


class _AnyStream:
    """What a stream knows without I/O."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def reply(self) -> Reply:
        """What has come so far: `content`, `reasoning`, `tool_calls`, `finish_reason`, `usage`."""
        return self._session.reply()

    @property
    def parts(self) -> tuple[Part, ...]:
        """What each request that was answered brought and cost."""
        return tuple(self._session.parts)

    @property
    def resumptions(self) -> int:
        """How often the answer was resumed or started over after a cut."""
        return sum(part.how in ("resumed", "restarted") for part in self._session.parts)

    @property
    def _kimi_signatures(self) -> Signatures:
        return self._session.signatures

    def _final(self) -> ChatCompletion:
        session = self._session
        if session.error is not None:
            raise session.error
        if not session.is_over:
            raise RuntimeError("the stream was closed before its end; `reply` has what came before")
        return session.completion()


class ChatStream(_AnyStream):
    """The events of an answer: an iterable, and a context manager that closes the connection at its end."""

    def __init__(self, client: Any, session: Session, options: Mapping[str, Any]) -> None:
        super().__init__(session)
        self._limit = Limit()
        self._events = events_of(client, session, options, self._limit)

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        keep_reply(error, self._session)
        self.close()

    def close(self) -> None:
        """Close the connection, if one is open. If another thread reads the events, they end there."""
        try:
            self._events.close()
        except ValueError:  # "generator already executing"
            self._limit.stop()

    @property
    def text_stream(self) -> Iterator[str]:
        """The pieces of text alone. Raises `StreamCutError` if the answer has to start over after text was shown."""
        self._session.keeps_text = True
        return (event.delta for event in self._events if event.type == "content.delta")

    def get_final_completion(self) -> ChatCompletion:
        """Reads to the end; the whole answer, as `chat.completions.create` would have returned it."""
        for _ in self._events:
            pass
        return self._final()


class AsyncChatStream(_AnyStream):
    """`ChatStream` for an asynchronous client: `async with`, `async for`."""

    def __init__(self, client: Any, session: Session, options: Mapping[str, Any]) -> None:
        super().__init__(session)
        self._stop = AsyncStop()
        self._events = events_of_async(client, session, options, self._stop)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        keep_reply(error, self._session)
        await self.close()

    async def close(self) -> None:
        """Close the connection, if one is open. If another task reads the events, they end there."""
        try:
            await self._events.aclose()
        except RuntimeError:
            if not cast(Any, self._events).ag_running:
                raise
            await self._stop.set()

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """The pieces of text alone. Raises `StreamCutError` if the answer has to start over after text was shown."""
        self._session.keeps_text = True
        return (event.delta async for event in self._events if event.type == "content.delta")

    async def get_final_completion(self) -> ChatCompletion:
        """Reads to the end; the whole answer, as `chat.completions.create` would have returned it."""
        async for _ in self._events:
            pass
        return self._final()


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
    """A context manager with the events of an answer; it goes on by itself after a cut connection.

        with stream(client, model="kimi-k3", messages=[...]) as answer:
            for event in answer:
                if event.type == "content.delta":
                    print(event.delta, end="")
            completion = answer.get_final_completion()

    Use `async with` and `async for` for an asynchronous client. `params` are the parameters of
    `chat.completions.create` (also `extra_body`, `extra_headers`, `timeout`), and fields that only Kimi has.
    `answer.text_stream` gives the text alone.

    `on_cut` says what happens if the connection is cut, is silent for longer than the read timeout, ends early or
    brings an error that may pass:

    - "resume" asks for the rest by partial mode if there is text: one `resumed` event, and no text is lost or doubled.
      It starts over if there is no text, if a tool call has begun or if JSON was asked for: one `restarted` event,
      which means that all deltas before it are void.
    - "restart" always starts over.
    - "raise" raises `StreamCutError`.

    An answer that ended without text, after its reasoning only, is asked for once more: one `restarted` event and a
    `Note`. With "raise" it is noted only.

    It gives up after ten requests in a row that brought nothing, when the client's `patience` ends (a deadline for the
    whole answer), or at the first failure with `max_retries=0`. A budget such as `max_completion_tokens` counts for
    each request.

    Raises what the SDK raises for a request that is refused for good. Every exception has what had come as `reply`,
    also `KeyboardInterrupt` and the `CancelledError` of a task (outside of the task, Python 3.10 raises another one,
    whose context it is). Raises `ValueError` for another `on_cut` or for an `n` other than 1 that the client does not
    leave out. `messages` and `params` are copied at the call. Source: platform docs, streaming and partial mode guides.
    """
    if on_cut not in get_args(OnCut):
        raise ValueError(f"on_cut is {shown(on_cut)}; it is one of {', '.join(map(repr, get_args(OnCut)))}")
    body, options = request_of(client, model, messages, params)
    session = Session(body, budget_of(client), on_cut=on_cut)
    if isinstance(client, openai.AsyncOpenAI):
        return AsyncChatStream(client, session, options)
    return ChatStream(client, session, options)
