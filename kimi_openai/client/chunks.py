"""Faster classes for the SDK's typed stream of chat chunks: same chunks, and an error if the stream ends too early.

The clients use these classes where the SDK asks for its own. An event is split off by `sse.py` and read by
`chunk_reader.py`; `ending.py` says for how long the rest of a whole answer is read. Private names of the SDK in use,
each with a test that names it: `__stream__`, `_iterator` and `_client` of its streams, `_process_response_data` of its
clients.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Protocol

import openai
from openai.types.chat import ChatCompletionChunk

from kimi_openai.retry.deadline import shut_down

from .async_pieces import AsyncPieces
from .chunk_reader import ChunkReader
from .ending import Reader, rest_of, rest_of_async
from .foreign_errors import is_foreign
from .sse import DONE, Splitter

__all__ = ["AsyncChunkStream", "ChunkStream", "each_answer", "each_answer_async", "stream_class_for"]


class ChunkStream(openai.Stream[ChatCompletionChunk]):
    """`openai.Stream[ChatCompletionChunk]` that raises `StreamCutError` if it ends before its finish_reason."""

    def __stream__(self) -> Iterator[ChatCompletionChunk]:
        return each_answer(self.response, ChunkReader(self.response, self._client))

    def __iter__(self) -> Iterator[ChatCompletionChunk]:
        return self._iterator

    def close(self) -> None:
        """Close the connection. A thread that reads from it gets `StreamCutError`."""
        shut_down(self.response)  # to close a socket does not wake the thread that waits for it
        super().close()


class AsyncChunkStream(openai.AsyncStream[ChatCompletionChunk]):
    """`openai.AsyncStream[ChatCompletionChunk]` that raises `StreamCutError` if it ends before its finish_reason."""

    def __stream__(self) -> AsyncIterator[ChatCompletionChunk]:
        return each_answer_async(self.response, ChunkReader(self.response, self._client))

    def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        return self._iterator


REPLACEMENTS: Mapping[Any, Any] = {
    openai.Stream[ChatCompletionChunk]: ChunkStream,
    openai.AsyncStream[ChatCompletionChunk]: AsyncChunkStream,
}


def stream_class_for(stream_cls: Any) -> Any:
    """The stream class to use where the SDK asks for `stream_cls`: ours for chat chunks, else `stream_cls` itself.

    A tracing tool that wraps `client.request` asks for a subclass of the SDK's class. Ours goes between the two.
    """
    own = REPLACEMENTS.get(stream_cls)
    if own is not None:
        return own
    replaced = (REPLACEMENTS.get(base) for base in getattr(stream_cls, "__orig_bases__", ()))
    own = next(filter(None, replaced), None)
    if own is None or issubclass(stream_cls, own):
        return stream_cls
    return type(stream_cls.__name__, (stream_cls, own), {})


class EventReader(Reader, Protocol):
    """What makes something of the events of a stream, and knows at the end whether it was whole."""

    def read(self, data: bytes) -> Sequence[Any]:
        """What the data of an event stands for: one thing, none or several."""
        ...

    def read_unclosed(self, data: bytes) -> Sequence[Any]:
        """The same for an event that the body ended in."""
        ...

    def finish(self) -> None:
        """Note that `[DONE]` has come."""

    def report_usage(self) -> None:
        """Tell the client's observers about the usage."""

    def check_whole(self, cause: BaseException | None = None) -> None:
        """Raises an error if the answer is not whole."""


def each_answer(response: Any, reader: EventReader) -> Iterator[Any]:
    """What `reader` makes of each event of the response. Raises the errors of the reader."""
    splitter, pieces = Splitter(), response.iter_bytes()
    broken: Exception | None = None
    try:
        try:
            for source in (pieces, rest_of(pieces, response, reader)):
                for piece in source:
                    yield from _found(reader, splitter.feed(piece))
                    if reader.rest is not None and source is pieces:
                        break
        except Exception as error:
            if not is_foreign(error):
                raise
            broken = error
        yield from reader.read_unclosed(splitter.flush())
    finally:
        response.close()
        reader.report_usage()
    reader.check_whole(broken)


async def each_answer_async(response: Any, reader: EventReader) -> AsyncIterator[Any]:
    """`each_answer` for an asynchronous response."""
    splitter, pieces = Splitter(), AsyncPieces(response.aiter_bytes())
    broken: Exception | None = None
    try:
        try:
            for source in (pieces, rest_of_async(pieces, reader)):
                async for piece in source:
                    for found in _found(reader, splitter.feed(piece)):
                        yield found
                    if reader.rest is not None and source is pieces:
                        break
        except Exception as error:
            if not is_foreign(error):
                raise
            broken = error
        for found in reader.read_unclosed(splitter.flush()):
            yield found
    finally:
        await pieces.aclose()
        await response.aclose()
        reader.report_usage()
    reader.check_whole(broken)


def _found(reader: EventReader, events: Sequence[bytes]) -> Iterator[Any]:
    """What `reader` makes of the data of each event, up to `[DONE]`."""
    for data in events:
        if data.startswith(DONE):
            reader.finish()
            return
        yield from reader.read(data)
