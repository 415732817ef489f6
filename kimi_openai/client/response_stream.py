"""The SDK's streams of a response, with an error if they end too early, and its `.stream()` with errors of the SDK.

The clients use these classes where the SDK asks for its own. Private names of the SDK in use, each with a test that
names it: `__stream__`, `_iterator` and `_client` of its streams, `_state` of its `.stream()`, and of that
`_completed_response`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import openai
import pydantic
from openai.lib.streaming.responses._responses import (
    AsyncResponseStream,
    AsyncResponseStreamManager,
    ResponseStream,
    ResponseStreamManager,
    ResponseStreamState,
)
from openai.types.responses import ResponseStreamEvent

from kimi_openai.errors.exceptions import IncompleteResponseError, UnexpectedAnswerError
from kimi_openai.retry.deadline import shut_down

from .chunks import each_answer, each_answer_async
from .response_reader import ResponseReader
from .sdk_errors import sdk_errors_as

__all__ = ["AsyncResponseEvents", "ResponseEvents", "checked", "incomplete", "stream_class_for"]


class ResponseEvents(openai.Stream[ResponseStreamEvent]):
    """`openai.Stream[ResponseStreamEvent]` that raises `StreamCutError` if it ends before `response.completed`."""

    def __stream__(self) -> Iterator[ResponseStreamEvent]:
        return each_answer(self.response, ResponseReader(self.response, self._client))

    def __iter__(self) -> Iterator[ResponseStreamEvent]:
        return self._iterator

    def close(self) -> None:
        """Close the connection. A thread that reads from it gets `StreamCutError`."""
        shut_down(self.response)
        super().close()


class AsyncResponseEvents(openai.AsyncStream[ResponseStreamEvent]):
    """`openai.AsyncStream[ResponseStreamEvent]` that raises `StreamCutError` if it ends before `response.completed`."""

    def __stream__(self) -> AsyncIterator[ResponseStreamEvent]:
        return each_answer_async(self.response, ResponseReader(self.response, self._client))

    def __aiter__(self) -> AsyncIterator[ResponseStreamEvent]:
        return self._iterator


def stream_class_for(stream_cls: Any) -> Any:
    """The stream class to use where the SDK asks for `stream_cls`, which may be one of the caller's."""
    if stream_cls == openai.Stream[ResponseStreamEvent]:
        return ResponseEvents
    return AsyncResponseEvents if stream_cls == openai.AsyncStream[ResponseStreamEvent] else stream_cls


# `.stream()` ----------------------------------------------------------------------------------------------------------


def checked(manager: Any) -> Any:
    """The SDK's stream manager, made to use the classes below. Anything else is returned as it is."""
    if type(manager) is ResponseStreamManager:
        manager.__class__ = CheckedManager
    elif type(manager) is AsyncResponseStreamManager:
        manager.__class__ = AsyncCheckedManager
    return manager


def incomplete(response: Any) -> IncompleteResponseError:
    """The exception for a response of status "incomplete"."""
    details = response.incomplete_details
    return IncompleteResponseError((details and details.reason) or "no reason given", response)


class CheckedManager(ResponseStreamManager[Any]):
    """The SDK's manager of a stream."""

    def __enter__(self) -> Any:
        stream: Any = super().__enter__()
        stream.__class__, stream._state.__class__ = CheckedStream, CheckedState
        return stream


class AsyncCheckedManager(AsyncResponseStreamManager[Any]):
    """The SDK's manager of an asynchronous stream."""

    async def __aenter__(self) -> Any:
        stream: Any = await super().__aenter__()
        stream.__class__, stream._state.__class__ = AsyncCheckedStream, CheckedState
        return stream


class CheckedStream(ResponseStream[Any]):
    """The SDK's stream, which says why a response is not whole."""

    def get_final_response(self) -> Any:
        """The whole response. Raises `IncompleteResponseError` if it ended early."""
        self.until_done()
        return _final(self._state)


class AsyncCheckedStream(AsyncResponseStream[Any]):
    """The SDK's asynchronous stream, which says why a response is not whole."""

    async def get_final_response(self) -> Any:
        """The whole response. Raises `IncompleteResponseError` if it ended early."""
        await self.until_done()
        return _final(self._state)


def _final(state: Any) -> Any:
    if state._completed_response is not None:
        return state._completed_response
    ended = getattr(state, "incomplete_response", None)
    if ended is not None:
        raise incomplete(ended)
    raise UnexpectedAnswerError("a response.completed event", None)


class CheckedState(ResponseStreamState[Any]):
    """The SDK's accumulator of events. Raises `UnexpectedAnswerError` if they do not fit together."""

    def handle_event(self, event: Any) -> Any:
        """The events that the event leads to."""

        def unexpected(error: Exception) -> openai.OpenAIError:
            return UnexpectedAnswerError(f"events that fit together ({type(error).__name__}: {error})", event)

        if event.type == "response.incomplete":
            cast(Any, self).incomplete_response = event.response
        try:
            with sdk_errors_as(unexpected):
                return super().handle_event(event)
        except pydantic.ValidationError:
            if event.type != "response.output_text.done":
                raise
            return [event]  # the next events say whether the text was cut off by its budget
