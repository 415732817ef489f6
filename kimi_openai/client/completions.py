"""A faster `client.chat.completions`: messages and tools skip the SDK's conversion of typed dicts.

`create` and `parse` pass messages and tools in `extra_body` (see `seam`), and `compat` converts them. The methods are
set on the SDK's own object and leave its class alone. Private names of the SDK in use, each with a test that names it:
`_client` and `_post` of its resources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from types import MethodType
from typing import Any, cast

import openai
from openai.resources.chat import completions as sdk
from openai.resources.chat.completions import AsyncCompletions, Completions

from kimi_openai.errors.exceptions import UnexpectedAnswerError

from .proofs import keep_signatures, signatures_in
from .sdk_errors import sdk_errors_as
from .seam import class_method, is_list, is_off, merged, moved_arguments
from .stream_helper import checked

__all__ = ["check_response_format", "create_arguments", "parse_arguments", "speed_up"]

SLOW_ARGUMENTS = ("messages", "tools")


def speed_up(completions: Any) -> None:
    """Give an object of the SDK's, `client.chat.completions`, the faster methods."""
    methods = ASYNC_METHODS if issubclass(type(completions), AsyncCompletions) else SYNC_METHODS
    for name, method in methods.items():
        setattr(completions, name, MethodType(method, completions))
    completions._post = MethodType(_post, completions._client)


@wraps(Completions.create)
def _create(self: Any, **options: Any) -> Any:
    method, is_sdks_own = class_method(self, "create")
    return method(**(create_arguments(self._client, options) if is_sdks_own else options))


@wraps(Completions.parse)
def _parse(self: Any, **options: Any) -> Any:
    method, is_sdks_own = class_method(self, "parse")
    return method(**(parse_arguments(self._client, options) if is_sdks_own else options))


@wraps(Completions.stream)
def _stream(self: Any, **options: Any) -> Any:
    method, _ = class_method(self, "stream")
    return checked(method(**options))


@wraps(AsyncCompletions.create)
async def _create_async(self: Any, **options: Any) -> Any:
    method, is_sdks_own = class_method(self, "create")
    return await method(**(create_arguments(self._client, options) if is_sdks_own else options))


@wraps(AsyncCompletions.parse)
async def _parse_async(self: Any, **options: Any) -> Any:
    method, is_sdks_own = class_method(self, "parse")
    return await method(**(parse_arguments(self._client, options) if is_sdks_own else options))


@wraps(AsyncCompletions.stream)
def _stream_async(self: Any, **options: Any) -> Any:
    method, _ = class_method(self, "stream")
    return checked(method(**options))


SYNC_METHODS: Mapping[str, Any] = {"create": _create, "parse": _parse, "stream": _stream}
ASYNC_METHODS: Mapping[str, Any] = {"create": _create_async, "parse": _parse_async, "stream": _stream_async}


def create_arguments(client: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `create` with messages and tools in `extra_body`, as the caller passed them."""
    return moved_arguments(client, options, SLOW_ARGUMENTS)


def parse_arguments(client: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `parse`. Tools stay where they are, because the SDK parses the answers with them. But it refuses
    Kimi's `builtin_function` tools there: with one of those, `extra_body` has all tools and `tools` the others."""
    tools = options.get("tools")
    if is_list(tools) and not is_off(client):
        every = list(cast("Iterable[Any]", tools))
        known = [tool for tool in every if not _is_builtin(tool)]
        extra: Any = options.get("extra_body")
        if len(known) < len(every) and (extra is None or isinstance(extra, Mapping)):
            extra = {"tools": every, **cast("Mapping[str, Any]", extra or {})}
        options = {**options, "tools": known, "extra_body": extra}
    return moved_arguments(client, options, ("messages",))


def check_response_format(value: object) -> None:
    """The SDK's check of `response_format`. Raises `TypeError` for a class, which only `parse` takes."""
    sdk.completions.validate_response_format(value)


def _post(client: Any, path: str, *, options: Any, body: Any = None, **request: Any) -> Any:
    """`client.post` with the whole body in `body`, where a wrapper of `post` or `request` looks for it, and without
    pydantic's warnings about `builtin_function` calls in the answer."""
    parser = options.get("post_parser")
    body, options = merged(body, options)
    if callable(parser):
        options = {**options, "post_parser": _quiet_parser(parser)}
    return client.post(path, body=body, options=options, **request)


def _quiet_parser(parser: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A parser that gives builtin calls a type that the SDK knows while the SDK's parser runs."""

    def parse(completion: Any) -> Any:
        builtin = [call for call in _calls(completion) if call.type == "builtin_function"]
        ids = {call.id for call in builtin}
        for call in builtin:
            call.type = "function"
        try:
            with sdk_errors_as(partial(_unparsable, completion)):
                parsed = parser(completion)
            keep_signatures(parsed, signatures_in(completion))
            builtin += [call for call in _calls(parsed) if call.id in ids]
        finally:
            for call in builtin:
                call.type = "builtin_function"
        return parsed

    return parse


def _unparsable(completion: Any, error: Exception) -> openai.OpenAIError:
    return UnexpectedAnswerError(f"what can be parsed ({type(error).__name__}: {error})", completion)


def _calls(completion: Any) -> list[Any]:
    return [call for choice in completion.choices for call in choice.message.tool_calls or ()]


def _is_builtin(tool: Any) -> bool:
    return isinstance(tool, Mapping) and cast("Mapping[str, Any]", tool).get("type") == "builtin_function"
