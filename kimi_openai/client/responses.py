"""A faster `client.responses`, and one that says what Kimi cannot do: input and tools skip the SDK's conversion.

The methods are set on the SDK's own object and leave its class alone, as those of `completions`; `seam` explains how.
Everything else about Responses is in `kimi_openai.responses`. Private names of the SDK in use, each with a test that
names it: `_client` and `_post` of its resources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from types import MethodType
from typing import Any

import openai
import pydantic
from openai.resources.responses import AsyncResponses, Responses

from kimi_openai._internal.wire import WireError
from kimi_openai.compat.rule import fatal
from kimi_openai.errors.exceptions import CompatError, UnexpectedAnswerError
from kimi_openai.responses.answer import checked_response
from kimi_openai.usage.normalize import notify_observers

from .after_attempt import settle
from .bodies import answer_error
from .call import Call
from .response_reader import failure_in
from .response_stream import checked, incomplete
from .sdk_errors import sdk_errors_as
from .seam import class_method, is_off, merged, moved_arguments

__all__ = ["accepted_answer", "speed_up"]


def speed_up(responses: Any) -> None:
    """Give an object of the SDK's, `client.responses`, the faster methods."""
    methods = ASYNC_METHODS if issubclass(type(responses), AsyncResponses) else SYNC_METHODS
    for name, method in methods.items():
        setattr(responses, name, MethodType(method, responses))
    if hasattr(responses, "connect"):  # from openai 2 on
        responses.connect = MethodType(wraps(responses.connect)(_connect), responses)
    responses._post = MethodType(_post, responses._client)


@wraps(Responses.create)
def _create(self: Any, **options: Any) -> Any:
    method, is_sdks_own = class_method(self, "create")
    return method(**(moved_arguments(self._client, options, ("input", "tools")) if is_sdks_own else options))


@wraps(Responses.parse)
def _parse(self: Any, **options: Any) -> Any:
    method, is_sdks_own = class_method(self, "parse")
    return method(**(moved_arguments(self._client, options, ("input",)) if is_sdks_own else options))


@wraps(Responses.stream)
def _stream(self: Any, **options: Any) -> Any:
    method, _ = class_method(self, "stream")
    return checked(method(**options))


@wraps(AsyncResponses.create)
async def _create_async(self: Any, **options: Any) -> Any:
    method, is_sdks_own = class_method(self, "create")
    return await method(**(moved_arguments(self._client, options, ("input", "tools")) if is_sdks_own else options))


@wraps(AsyncResponses.parse)
async def _parse_async(self: Any, **options: Any) -> Any:
    method, is_sdks_own = class_method(self, "parse")
    return await method(**(moved_arguments(self._client, options, ("input",)) if is_sdks_own else options))


@wraps(AsyncResponses.stream)
def _stream_async(self: Any, **options: Any) -> Any:
    method, _ = class_method(self, "stream")
    return checked(method(**options))


SYNC_METHODS: Mapping[str, Any] = {"create": _create, "parse": _parse, "stream": _stream}
ASYNC_METHODS: Mapping[str, Any] = {"create": _create_async, "parse": _parse_async, "stream": _stream_async}


def _connect(self: Any, *args: Any, **options: Any) -> Any:
    """The SDK's websocket, which Kimi does not have."""
    if is_off(self._client):
        return class_method(self, "connect")[0](*args, **options)
    why, fix = "Kimi has no websocket for responses", "use client.responses.create(stream=True)"
    raise CompatError((fatal("connect", "responses.connect", why, fix),))


def _post(client: Any, path: str, *, options: Any, body: Any = None, **request: Any) -> Any:
    """`client.post` with the whole body in `body`, where a wrapper of `post` or `request` looks for it."""
    parser = options.get("post_parser")
    if callable(parser):
        options = {**options, "post_parser": _honest_parser(parser)}
    body, options = merged(body, options)
    return client.post(path, body=body, options=options, **request)


def _honest_parser(parser: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A parser that says that a text was cut off, where the SDK's says only that it is no JSON."""

    def parse(response: Any) -> Any:
        def unexpected(error: Exception) -> openai.OpenAIError:
            return UnexpectedAnswerError(f"what can be parsed ({type(error).__name__}: {error})", response)

        try:
            with sdk_errors_as(unexpected):
                return parser(response)
        except (pydantic.ValidationError, UnexpectedAnswerError) as error:
            if getattr(response, "status", None) != "incomplete":
                raise
            raise incomplete(response) from error

    return parse


def accepted_answer(client: Any, data: Any, response: Any) -> Any:
    """The JSON of a plain response, with the documented types, its ids and what it continues; it is remembered.

    Raises the exception of a response that failed, and `APIResponseValidationError` for what is no response.
    """
    try:
        found = checked_response(data)
    except WireError as error:
        raise answer_error(response, f"with an answer that has another shape ({error})", data) from error
    call = Call.of(response)
    exchange: Any = call.exchange if call else None
    notify_observers(client, found.get("model", ""), found.get("usage"), response=response)
    settle(response, found.get("usage"))
    if exchange is not None:
        found = exchange.whole(found)
    if found.get("status") == "failed":
        raise failure_in(found, response)
    if exchange is not None:
        exchange.remember(found)
    return found
