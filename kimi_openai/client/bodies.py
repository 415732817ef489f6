"""Bodies of answers with a good status: read, decoded and checked before the SDK makes an object of them.

The clients call it for each response. It raises the SDK's exceptions for what cannot be read, decoded or used; the
shape of a chat answer is checked by `_internal/wire.py`. The events of a stream are read in `chunks.py`.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from functools import lru_cache, partial
from typing import Any, get_origin

import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from kimi_openai._internal.decode import decode_json
from kimi_openai._internal.json_values import is_array, is_dict
from kimi_openai._internal.wire import WireError, checked_chunk, checked_completion, is_list_of_objects
from kimi_openai.errors.explanations import stream_error
from kimi_openai.errors.faults import NO_ANSWER
from kimi_openai.errors.redaction import without_key

from .foreign_errors import connection_errors
from .sdk_errors import sdk_errors_as

__all__ = ["CheckedBody", "answer_error", "build", "check_body", "checked_answer", "take_over"]

ITS_TEXT = object()
"""Stands for the text of a response."""

TAKEN_NAMES = ("_fields_set", "_BaseModel__cls")


def take_over(response: Any, cast_to: Any, *, is_stream: bool) -> bool:
    """Give a response that the SDK will read as JSON the methods of `CheckedBody`.

    Returns whether its body has to be read and checked at once: the SDK will make a model of it, or its `content-type`
    is not what was asked for. With the SDK's `with_streaming_response` it is the caller who reads.
    """
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    kind = get_origin(cast_to) or cast_to
    if is_stream:
        is_due = media_type not in ("text/event-stream", "")
    else:
        is_due = _is_model(kind) or (kind is object and media_type == "application/json")
    is_due = is_due and response.request.headers.get("x-stainless-raw-response") != "stream"
    if is_due or (not is_stream and (_is_model(kind) or kind in (object, dict, list))):
        response.__class__ = _checked_class(response.__class__)
    return is_due


def check_body(response: Any, *, is_stream: bool) -> None:
    """Raises an error if the body of a good status is no answer: it is empty, an error object, a web page, not JSON, or
    plain JSON although a stream was asked for. The body has been read."""
    content: bytes = response.content.removeprefix(BOM_UTF8).strip()
    is_whole_json = content[:1] in (b"{", b"[") and content[-1:] in (b"}", b"]")
    if not content:
        raise answer_error(response, "with nothing in it")
    if not is_whole_json and not is_stream:
        shown = without_key(repr(content[:100]), response.request)
        raise answer_error(response, f"with {_media_type(response)} that is not whole JSON: {shown}")
    value = response.keep_json() if is_whole_json else None
    if is_dict(value) and value.get("error") and value.keys().isdisjoint(("id", "choices", "data")):
        raise stream_error(value, response)
    if is_stream:
        raise answer_error(response, f"with {_media_type(response)} instead of a stream")


def _media_type(response: Any) -> str:
    media_type: str = response.headers.get("content-type", "no content type")
    return media_type.partition(";")[0]


def build(sdk_build: Callable[..., Any], *, data: Any, cast_to: Any, response: Any) -> Any:
    """The object that the SDK's `_process_response_data` builds. Raises `APIResponseValidationError` if the data has
    another shape: the SDK raises anything then, or builds an object that has another type than it says."""
    kind = get_origin(cast_to) or cast_to
    if not _is_model(kind):
        return sdk_build(data=data, cast_to=cast_to, response=response)
    with sdk_errors_as(partial(_other_shape, response, data)):
        return sdk_build(data=_buildable(_checked(data, kind)), cast_to=cast_to, response=response)


def checked_answer(data: Any, kind: Any, response: Any) -> Any:
    """The data that the SDK would make an object of this kind of. Raises `APIResponseValidationError`, as `build`."""
    try:
        return _checked(data, kind)
    except WireError as error:
        raise _other_shape(response, data, error) from error


def _other_shape(response: Any, data: Any, error: Exception) -> openai.OpenAIError:
    return answer_error(response, f"with an answer that has another shape ({error})", data)


def _checked(data: Any, kind: Any) -> Any:
    """The data for an SDK model. Raises `WireError`."""
    if issubclass(kind, ChatCompletion):
        return checked_completion(data)
    if issubclass(kind, ChatCompletionChunk):
        return checked_chunk(data)
    if not is_dict(data):
        raise WireError("", "an object", data)
    if "data" in kind.model_fields:  # a page of a list
        entries: Any = data.get("data") or []
        if not is_list_of_objects(entries):
            raise WireError("data", "a list of objects", entries)
        if not all(isinstance(entry.get("id"), str | None) for entry in entries):  # the next page begins after an id
            raise WireError("data", "a list of objects whose ids are texts", entries)
        data = {**data, "data": entries}
    return data


def _buildable(value: Any) -> Any:
    """The value without the names in it that the SDK's `construct` has for its own arguments."""
    if is_dict(value):
        return {name: _buildable(part) for name, part in value.items() if name not in TAKEN_NAMES}
    return list(map(_buildable, value)) if is_array(value) else value


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, openai.BaseModel)


def answer_error(response: Any, what: str, body: Any = ITS_TEXT) -> openai.APIResponseValidationError:
    """The exception for an answer that cannot be used. `body` is what came, by default the text of the response, which
    has been read."""
    message = f"status {response.status_code} {what}; {NO_ANSWER.whose} side; {NO_ANSWER.advice} (not retried)"
    return openai.APIResponseValidationError(response, response.text if body is ITS_TEXT else body, message=message)


class CheckedBody:
    """Methods of the HTTP library's response that raise the SDK's exceptions instead of the library's or Python's.

    The SDK decodes each body without looking for exceptions, and reads some when it no longer looks for those of the
    library.
    """

    _kept: tuple[Any, ...] = ()

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A pickle or a copy is a response of the HTTP library: the class that is made here has no name to find."""
        reduced: Any = super().__reduce_ex__(protocol)
        return _empty, (type(self).__mro__[2],), *reduced[2:]

    def json(self, **options: Any) -> Any:
        """The JSON value in the body. Raises `APIResponseValidationError` if there is none."""
        response: Any = self
        library: Any = super()
        kept, self._kept = self._kept, ()
        try:
            return library.json(**options) if options else kept[0] if kept else decode_json(response.content)
        except ValueError as error:
            raise answer_error(response, f"with JSON that cannot be read ({error})") from error

    def keep_json(self) -> Any:
        """`json`, whose next call returns the same value without decoding it again."""
        self._kept = (self.json(),)
        return self._kept[0]

    def iter_bytes(self, *args: Any, **options: Any) -> Iterator[bytes]:
        """The bytes of the body. Raises `APIConnectionError` and closes the response if it cannot be read."""
        response: Any = self
        library: Any = super()
        try:
            with connection_errors(response.request):
                yield from library.iter_bytes(*args, **options)
        except openai.APIConnectionError:
            response.close()
            raise

    async def aiter_bytes(self, *args: Any, **options: Any) -> AsyncIterator[bytes]:
        """The bytes of the body. Raises `APIConnectionError` and closes the response if it cannot be read."""
        response: Any = self
        library: Any = super()
        try:
            with connection_errors(response.request):
                async with aclosing(library.aiter_bytes(*args, **options)) as pieces:
                    async for piece in pieces:
                        yield piece
        except openai.APIConnectionError:
            await response.aclose()
            raise


def _empty(kind: Any) -> Any:
    return kind.__new__(kind)


@lru_cache(maxsize=8)
def _checked_class(kind: Any) -> Any:
    return kind if issubclass(kind, CheckedBody) else type(kind.__name__, (CheckedBody, kind), {})
