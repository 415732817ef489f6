"""The SDK's typed stream of chat chunks, made lighter: the same classes with the same contents, and no silent end.

What is streamed passes an own splitter and pydantic's validator in one step; whatever that refuses is built by the SDK
as ever. `client.py` puts these streams in the place of the SDK's. Private names in use, each with a test that names
it: `__stream__`, `_iterator` and `_client` of the SDK's streams, its clients' `_process_response_data`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

import openai
import pydantic
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from .errors import StreamCutError, UnexpectedAnswerError, stream_error
from .sse import DONE, Splitter
from .usages import observed, settle_usage, take_usage_from_choice

__all__ = ["AsyncChunkStream", "ChunkStream", "instead_of", "quick_completion"]

USAGE_ASKED_FOR = re.compile(rb'"include_usage"\s*:\s*true')
"""In a request's body; inside its texts the quotes are escaped."""


class ChunkStream(openai.Stream[ChatCompletionChunk]):
    """`openai.Stream[ChatCompletionChunk]`: raises `StreamCutError` where it ends before its finish_reason."""

    def __stream__(self) -> Iterator[ChatCompletionChunk]:
        return _chunks(self.response, Reader(self.response, self._client))

    def __iter__(self) -> Iterator[ChatCompletionChunk]:
        return self._iterator


class AsyncChunkStream(openai.AsyncStream[ChatCompletionChunk]):
    """`openai.AsyncStream[ChatCompletionChunk]`: raises `StreamCutError` where it ends before its finish_reason."""

    def __stream__(self) -> AsyncIterator[ChatCompletionChunk]:
        return _achunks(self.response, Reader(self.response, self._client))

    def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        return self._iterator


OURS: Mapping[Any, Any] = {
    openai.Stream[ChatCompletionChunk]: ChunkStream,
    openai.AsyncStream[ChatCompletionChunk]: AsyncChunkStream,
}


def instead_of(stream_cls: Any) -> Any:
    """The stream class to use where the SDK asks for `stream_cls`: ours for chat chunks, else `stream_cls` itself."""
    return OURS.get(stream_cls, stream_cls)


def quick_completion(data: object) -> ChatCompletion | None:
    """A chat completion from its JSON if it is all that the SDK documents, else `None`: the SDK is to build it."""
    try:
        return ChatCompletion.model_validate(data, strict=True)
    except pydantic.ValidationError:
        return None


def _chunks(response: Any, reader: Reader) -> Iterator[ChatCompletionChunk]:
    feed, read, pieces = Splitter().feed, reader.read, response.iter_bytes()
    try:
        for piece in pieces:
            for data in feed(piece):
                if data.startswith(DONE):
                    for _ in pieces:  # what is read to its end leaves a connection that can be used again
                        pass
                    return reader.ended()
                yield read(data)
        reader.ended()
    except reader.http_error as cause:
        reader.ended(cause)
    finally:
        response.close()
        reader.closed()


async def _achunks(response: Any, reader: Reader) -> AsyncIterator[ChatCompletionChunk]:
    feed, read, pieces = Splitter().feed, reader.read, response.aiter_bytes()
    try:
        async for piece in pieces:
            for data in feed(piece):
                if data.startswith(DONE):
                    async for _ in pieces:
                        pass
                    reader.ended()
                    return
                yield read(data)
        reader.ended()
    except reader.http_error as cause:
        reader.ended(cause)
    finally:
        await response.aclose()
        reader.closed()


class Reader:
    """Makes chunks of the data of events, and knows at the end whether the answer was whole.

    A finish_reason makes an answer whole, with `[DONE]` or without: what comes after it is at most the usage once more.
    `[DONE]` alone does not, for gateways write it behind answers that were cut.
    """

    def __init__(self, response: Any, client: Any) -> None:
        self.response = response
        self.http_error = _request_error(response)
        self._build = client._process_response_data
        self._client = client
        self._model = ""
        self._usage: CompletionUsage | None = None
        self._finished = False
        self._text: list[str] = []
        self._reasoning: list[str] = []

    def read(self, data: bytes) -> ChatCompletionChunk:
        """The chunk of one event, of the same contents as the SDK's."""
        try:
            # Strict: where the validator would convert a value, the SDK leaves it as it came.
            chunk = ChatCompletionChunk.model_validate_json(data, strict=True)
        except pydantic.ValidationError:
            return self._lenient(data)
        extra = chunk.model_extra
        if extra:
            if extra.get("error"):
                raise stream_error({"error": extra["error"]}, self.response)
            chunk.model_fields_set.difference_update(extra)
        self._note(chunk)
        return chunk

    def ended(self, cause: BaseException | None = None) -> None:
        """To be called where the bytes end: raises `StreamCutError` if the answer is not whole."""
        if not self._finished:
            text, reasoning = "".join(map(str, self._text)), "".join(map(str, self._reasoning))
            raise StreamCutError(request=self.response.request, text=text, reasoning=reasoning, cause=cause)

    def closed(self) -> None:
        """To be called when the stream is over, however it ended."""
        observed(self._client, self._model, self._usage)

    def _lenient(self, data: bytes) -> ChatCompletionChunk:
        try:
            fields: Any = json.loads(data.decode())
        except ValueError as error:
            raise UnexpectedAnswerError("JSON in every event of its stream", data.decode(errors="replace")) from error
        if isinstance(fields, dict) and cast("dict[str, Any]", fields).get("error"):
            raise stream_error(cast(object, fields), self.response)
        chunk: Any = self._build(data=fields, cast_to=ChatCompletionChunk, response=self.response)
        if isinstance(chunk, ChatCompletionChunk):
            with suppress(AttributeError, TypeError):  # whatever it is, it is the caller's to see
                self._note(chunk)
        return cast(ChatCompletionChunk, chunk)

    def _note(self, chunk: ChatCompletionChunk) -> None:
        """Keep the text and the finish_reason in mind, and put usage in its place."""
        for choice in chunk.choices:
            if choice.finish_reason:
                self._finished = True
                if not _asks_for_usage(self.response):
                    take_usage_from_choice(chunk)
            delta = choice.delta
            if delta.content:
                self._text.append(delta.content)
            extra = delta.model_extra
            if extra:
                # The validator counts unknown fields as set, the SDK does not.
                delta.model_fields_set.difference_update(extra)
                if extra.get("reasoning_content"):
                    self._reasoning.append(extra["reasoning_content"])
            if choice.model_extra:
                choice.model_fields_set.difference_update(choice.model_extra)
        if chunk.usage is not None:
            self._usage = settle_usage(chunk).usage
        self._model = chunk.model


def _asks_for_usage(response: Any) -> bool:
    """Whether one more chunk with the usage follows, as OpenAI's: code that adds up all `chunk.usage` must not count
    twice."""
    return USAGE_ASKED_FOR.search(response.request.content) is not None


def _request_error(response: Any) -> type[Exception]:
    """What the HTTP library of a response raises when its bytes do not all come (httpx's or httpx2's)."""
    for kind in type(response).__mro__:
        library = sys.modules.get(kind.__module__.partition(".")[0])
        found = getattr(library, "RequestError", None)
        if found is not None:
            return cast("type[Exception]", found)
    return OSError
