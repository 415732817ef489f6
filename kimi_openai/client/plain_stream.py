"""The SDK's stream of anything but chat chunks and responses, with errors of the SDK and an end in bounded time.

Legacy completions have such streams, and `client.post` with a stream class of the SDK. The SDK raises Python's errors
for an event that cannot be decoded; before 3.0 it raises those of the HTTP library too, and reads on after `[DONE]`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Generic, TypeVar, get_args, get_origin

import openai

from kimi_openai._internal.decode import decode_json
from kimi_openai._internal.json_values import is_dict
from kimi_openai.errors.exceptions import UnexpectedAnswerError
from kimi_openai.errors.explanations import stream_error
from kimi_openai.retry.deadline import shut_down

from .chunks import each_answer, each_answer_async
from .ending import MOMENT
from .foreign_errors import connection_error
from .sse import DONE

__all__ = ["AsyncPlainStream", "PlainStream", "plain_stream_class_for"]

Item = TypeVar("Item")


class PlainStream(openai.Stream[Item], Generic[Item]):
    """`openai.Stream` whose events are read by `EventReader`."""

    def __stream__(self) -> Iterator[Item]:
        return each_answer(self.response, EventReader(self.response, self._client, self._cast_to))

    def __iter__(self) -> Iterator[Item]:
        return self._iterator

    def close(self) -> None:
        """Close the connection. A thread that reads from it gets `APIConnectionError`, or the end if nothing said how
        long the body is."""
        shut_down(self.response)
        super().close()


class AsyncPlainStream(openai.AsyncStream[Item], Generic[Item]):
    """`openai.AsyncStream` whose events are read by `EventReader`."""

    def __stream__(self) -> AsyncIterator[Item]:
        return each_answer_async(self.response, EventReader(self.response, self._client, self._cast_to))

    def __aiter__(self) -> AsyncIterator[Item]:
        return self._iterator


def plain_stream_class_for(stream_cls: Any, request: Any) -> Any:
    """The class above for the SDK's own; a class of anybody else as it is. Assistants need the SDK's, because in their
    streams the names of events count."""
    return stream_cls if str(request.url).startswith("/threads") else _checked(stream_cls)


@lru_cache(maxsize=32)
def _checked(stream_cls: Any) -> Any:
    kind: Any = {openai.Stream: PlainStream, openai.AsyncStream: AsyncPlainStream}.get(get_origin(stream_cls))
    return stream_cls if kind is None else kind[get_args(stream_cls)[0]]


class EventReader:
    """Makes the SDK's objects of the data of events. Nothing in them says whether they are all: a clean end is one."""

    def __init__(self, response: Any, client: Any, cast_to: Any) -> None:
        self._response, self._client, self._cast_to = response, client, cast_to
        self.rest: float | None = None
        self.is_done = False

    def read(self, data: bytes) -> Sequence[Any]:
        """The object of one event. Raises `UnexpectedAnswerError` for what is not JSON, and the SDK's exception for an
        error event."""
        try:
            value = decode_json(data)
        except ValueError as error:
            what = f"JSON in every event of its stream ({error})"
            raise UnexpectedAnswerError(what, data.decode(errors="replace")) from error
        if is_dict(value) and value.get("error"):
            raise stream_error(value, self._response)
        return (self._client._process_response_data(data=value, cast_to=self._cast_to, response=self._response),)

    def read_unclosed(self, data: bytes) -> Sequence[Any]:
        """The object of an event that the body ended in, without its blank line; none if the event is not whole."""
        with suppress(UnexpectedAnswerError):
            if data and not (self.is_done or data.startswith(DONE)):
                return self.read(data)
        return ()

    def finish(self) -> None:
        """Note that `[DONE]` has come."""
        self.rest, self.is_done = MOMENT, True

    def report_usage(self) -> None:
        """There is nothing to report."""

    def check_whole(self, cause: BaseException | None = None) -> None:
        """Raises `APIConnectionError` if the body could not be read to its end."""
        if cause is not None and not self.is_done:
            error = connection_error(cause, self._response.request)
            raise error from error.__cause__
