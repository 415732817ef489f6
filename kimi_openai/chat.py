"""`client.chat` of the SDK, with messages and tools handed over as they are instead of walked as typed dicts.

The SDK merges `extra_body` into the body it builds: what travels there skips its walk, which costs up to a hundred
times the rest of a call. Signatures and types stay the SDK's. Private names in use, each with a test that names it:
`_client` and `_post` of its resources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, cast

import openai
import pydantic
from openai.resources.chat import chat as sdk
from openai.resources.chat.completions import completions as sdk_completions

from .messages import replay_message

__all__ = ["AsyncChat", "AsyncCompletions", "Chat", "Completions", "hand_over", "hand_over_parse", "plain"]

HEAVY = ("messages", "tools")

ATOMS = frozenset({str, int, float, bool, type(None)})
FLAT = frozenset({str, type(None)})
ABSENT = (openai.NotGiven, openai.Omit)


class Completions(sdk_completions.Completions):
    """The SDK's chat completions, lighter."""

    def __init__(self, client: openai.OpenAI) -> None:
        super().__init__(client)
        self._post = quiet_post(client.post)

    if not TYPE_CHECKING:

        @wraps(sdk_completions.Completions.create)
        def create(self, **options: Any) -> Any:
            return super().create(**hand_over(self._client, options))

        @wraps(sdk_completions.Completions.parse)
        def parse(self, **options: Any) -> Any:
            return super().parse(**hand_over_parse(self._client, options))


class AsyncCompletions(sdk_completions.AsyncCompletions):
    """The SDK's asynchronous chat completions, lighter."""

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        super().__init__(client)
        self._post = quiet_post(client.post)

    if not TYPE_CHECKING:

        @wraps(sdk_completions.AsyncCompletions.create)
        async def create(self, **options: Any) -> Any:
            return await super().create(**hand_over(self._client, options))

        @wraps(sdk_completions.AsyncCompletions.parse)
        async def parse(self, **options: Any) -> Any:
            return await super().parse(**hand_over_parse(self._client, options))


class Chat(sdk.Chat):
    """The SDK's `client.chat`, lighter."""

    if not TYPE_CHECKING:

        @cached_property
        def completions(self) -> Completions:
            return Completions(self._client)


class AsyncChat(sdk.AsyncChat):
    """The SDK's asynchronous `client.chat`, lighter."""

    if not TYPE_CHECKING:

        @cached_property
        def completions(self) -> AsyncCompletions:
            return AsyncCompletions(self._client)


def hand_over(client: Any, options: dict[str, Any], names: Iterable[str] = HEAVY) -> dict[str, Any]:
    """The arguments of `create` with the heavy ones in `extra_body`; what the caller has there wins, as in the SDK.

    The model is one of them: its type is a union with every id of OpenAI's, which the walk hashes several times. With
    `compat="off"` the arguments stay as they are.
    """
    extra = options.get("extra_body")
    if _is_off(client) or not (extra is None or isinstance(extra, Mapping)):
        return options
    heavy = {name: plain(options[name]) for name in names if _is_list(options.get(name))}
    if not heavy:
        return options
    if isinstance(options.get("model"), str):
        heavy["model"] = options["model"]
    return {**options, **dict.fromkeys(heavy, openai.omit), "extra_body": {**heavy, **(extra or {})}}


def hand_over_parse(client: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `parse`: tools stay, for the SDK reads the answers by them, but for Kimi's `builtin_function`s,
    which it refuses there; with one of those all of them travel in `extra_body` too."""
    tools = options.get("tools")
    if _is_list(tools) and not _is_off(client):
        every = list(cast("Iterable[Any]", tools))
        known = [tool for tool in every if not _is_builtin(tool)]
        extra: Any = options.get("extra_body")
        if len(known) < len(every) and (extra is None or isinstance(extra, Mapping)):
            extra = {"tools": plain(every), **cast("Mapping[str, Any]", extra or {})}
        options = {**options, "tools": known, "extra_body": extra}
    return hand_over(client, options, ("messages",))


def plain(value: Any) -> Any:
    """What the JSON encoder takes: as the SDK's walk leaves it, objects as dicts, iterables as lists, what is not given
    left out. What is plain already is handed on, never changed.

    >>> plain([{"role": "user", "content": ({"type": "text", "text": text} for text in "ab")}])
    [{'role': 'user', 'content': [{'type': 'text', 'text': 'a'}, {'type': 'text', 'text': 'b'}]}]
    """
    kind = type(cast(object, value))
    if kind is list:
        return [item if _is_flat(item) else plain(item) for item in value]
    if kind in ATOMS or _is_flat(value):
        return value
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        return {key: plain(item) for key, item in fields.items() if not isinstance(item, ABSENT)}
    if isinstance(value, pydantic.BaseModel):
        return _plain_object(value)
    return plain(list(value)) if _is_list(value) else value


def _is_flat(value: Any) -> bool:
    """Whether it is a dict of texts and nulls, as most messages are."""
    return type(value) is dict and FLAT.issuperset(map(type, cast("dict[str, Any]", value).values()))


def _plain_object(value: pydantic.BaseModel) -> Any:
    if hasattr(value, "role") or hasattr(value, "choices"):
        return replay_message(cast(Any, value))
    return value.model_dump(mode="json", exclude_unset=True, warnings=False)


def quiet_post(post: Any) -> Any:
    """A client's `post` whose answers `parse` reads without pydantic's warnings about `builtin_function` calls."""

    def posted(path: str, *, options: Any, **request: Any) -> Any:
        parser = options.get("post_parser")
        if callable(parser):
            options = {**options, "post_parser": _quiet_parser(parser)}
        return post(path, options=options, **request)

    return posted


def _quiet_parser(parser: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """While the SDK's parser dumps the answer, its builtin calls are of a type that the SDK knows."""

    def parse(completion: Any) -> Any:
        builtin = [call for call in _calls(completion) if call.type == "builtin_function"]
        ids = {call.id for call in builtin}
        for call in builtin:
            call.type = "function"
        try:
            parsed = parser(completion)
            builtin += [call for call in _calls(parsed) if call.id in ids]
        finally:
            for call in builtin:
                call.type = "builtin_function"
        return parsed

    return parse


def _calls(completion: Any) -> list[Any]:
    return [call for choice in completion.choices for call in choice.message.tool_calls or ()]


def _is_list(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping | pydantic.BaseModel)


def _is_builtin(tool: Any) -> bool:
    return isinstance(tool, Mapping) and cast("Mapping[str, Any]", tool).get("type") == "builtin_function"


def _is_off(client: Any) -> bool:
    return getattr(getattr(client, "kimi_options", None), "compat", "adapt") == "off"
