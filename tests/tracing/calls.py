"""The calls that are made with the SDK's client and with ours: each way to ask for a chat completion, sync and async.

`CALLS` has them by name. Each takes a client and returns what the program sees, as JSON values. The answers are
scripted, and each part of question and answer has a text of its own, so that `FACTS` can be found in any trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pydantic

from kimi_openai.emulator import Emulator, call, out_of_quota, say, think, usage

__all__ = ["CALLS", "FACTS", "REFUSED", "USED_BEFORE", "prepare"]

MODEL = "kimi-k3"
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How warm is it in Paris?"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "The weather in a city.", "parameters": PARAMETERS}
ASK: dict[str, Any] = {"model": MODEL, "messages": MESSAGES, "tools": [{"type": "function", "function": WEATHER}]}
USAGE: dict[str, Any] = {"stream_options": {"include_usage": True}}

USED_BEFORE = "used before"
"""The call that a client makes that was made, and has made a call, before the tool was started."""

REFUSED = "Error code: 429"


class Place(pydantic.BaseModel):
    """What `parse` is asked for."""

    place: str


ASK_PLACE: dict[str, Any] = {"model": MODEL, "messages": MESSAGES, "response_format": Place}

FACTS: Mapping[str, str] = {
    "model": MODEL,
    "messages": "How warm is it in Paris?",
    "tools": "The weather in a city.",
    "answer": "Let me look.",
    "tool call": "Lyon",
    "parsed": "Montmartre",
    "usage": "2345",
    "error": REFUSED,
}
"""What a trace should have, and a text that shows it."""


def prepare(kimi: Emulator, name: str) -> None:
    """Queue the answer of a call."""
    if name == "refused":
        kimi.fail(out_of_quota())
    elif name == "parse":
        kimi.script(think("It is May."), say('{"place": "Montmartre"}'), usage(prompt_tokens=2345))
    else:
        answer = say("Let me look."), call("get_weather", {"city": "Lyon"}, id="call_1")
        kimi.script(think("It is May."), *answer, usage(prompt_tokens=2345))


def create(client: Any) -> Any:
    """One answer."""
    return dumped(client.chat.completions.create(**ASK))


async def create_async(client: Any) -> Any:
    """One answer."""
    return dumped(await client.chat.completions.create(**ASK))


def parse(client: Any) -> Any:
    """A parsed answer."""
    return dumped(client.chat.completions.parse(**ASK_PLACE))


async def parse_async(client: Any) -> Any:
    """A parsed answer."""
    return dumped(await client.chat.completions.parse(**ASK_PLACE))


def stream(client: Any) -> Any:
    """A stream to its end."""
    return [dumped(chunk) for chunk in client.chat.completions.create(**ASK, stream=True, **USAGE)]


async def stream_async(client: Any) -> Any:
    """A stream to its end."""
    return [dumped(chunk) async for chunk in await client.chat.completions.create(**ASK, stream=True, **USAGE)]


def stream_without_usage(client: Any) -> Any:
    """A stream that was not asked for usage. Kimi puts it where only our client looks."""
    return [dumped(chunk)["choices"] for chunk in client.chat.completions.create(**ASK, stream=True)]


async def stream_without_usage_async(client: Any) -> Any:
    """A stream that was not asked for usage. Kimi puts it where only our client looks."""
    return [dumped(chunk)["choices"] async for chunk in await client.chat.completions.create(**ASK, stream=True)]


def left_early(client: Any) -> Any:
    """A stream that is closed after two chunks."""
    with client.chat.completions.create(**ASK, stream=True) as chunks:
        iterator = iter(chunks)
        return [dumped(next(iterator)), dumped(next(iterator))]


async def left_early_async(client: Any) -> Any:
    """A stream that is closed after two chunks."""
    async with await client.chat.completions.create(**ASK, stream=True) as chunks:
        iterator = aiter(chunks)
        return [dumped(await anext(iterator)), dumped(await anext(iterator))]


def helper(client: Any) -> Any:
    """The SDK's `.stream()`."""
    with client.chat.completions.stream(**ASK, **USAGE) as events:
        return dumped(events.get_final_completion())


async def helper_async(client: Any) -> Any:
    """The SDK's `.stream()`."""
    async with client.chat.completions.stream(**ASK, **USAGE) as events:
        return dumped(await events.get_final_completion())


def raw(client: Any) -> Any:
    """One answer, taken from its response."""
    return dumped(client.chat.completions.with_raw_response.create(**ASK).parse())


async def raw_async(client: Any) -> Any:
    """One answer, taken from its response."""
    return dumped((await client.chat.completions.with_raw_response.create(**ASK)).parse())


CALLS: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "create": (create, create_async),
    "parse": (parse, parse_async),
    "stream": (stream, stream_async),
    "stream without usage": (stream_without_usage, stream_without_usage_async),
    "left early": (left_early, left_early_async),
    "helper": (helper, helper_async),
    "raw": (raw, raw_async),
    "refused": (create, create_async),
    USED_BEFORE: (create, create_async),
}


def dumped(answer: pydantic.BaseModel) -> Any:
    """The fields of an answer or a chunk."""
    return answer.model_dump(mode="json", warnings=False)
