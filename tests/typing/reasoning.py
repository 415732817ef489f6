"""A user's file that reads Kimi's reasoning; checked by mypy and pyright in strict mode, never run."""

from __future__ import annotations

from typing import Any

import pydantic
from openai.types.chat import ChatCompletionMessageParam
from typing_extensions import assert_type

from kimi_openai import create_async_client, create_client, reasoning_of


class Answer(pydantic.BaseModel):
    value: int


def synchronous(messages: list[ChatCompletionMessageParam], as_dict: dict[str, Any]) -> None:
    chat = create_client(remember_reasoning=False).chat.completions
    completion = chat.create(model="kimi-k3", messages=messages)
    assert_type(reasoning_of(completion.choices[0].message), str | None)
    assert_type(reasoning_of(completion), str | None)
    parsed = chat.parse(model="kimi-k3", messages=messages, response_format=Answer)
    assert_type(reasoning_of(parsed.choices[0].message), str | None)
    assert_type(reasoning_of(parsed), str | None)
    for chunk in chat.create(model="kimi-k3", messages=messages, stream=True):
        assert_type(reasoning_of(chunk.choices[0].delta), str | None)
        assert_type(reasoning_of(chunk), str | None)
    for message in messages:
        assert_type(reasoning_of(message), str | None)
    assert_type(reasoning_of(as_dict), str | None)


async def asynchronous(messages: list[ChatCompletionMessageParam]) -> None:
    chat = create_async_client().with_options(remember_reasoning=True).chat.completions
    async for chunk in await chat.create(model="kimi-k3", messages=messages, stream=True):
        assert_type(reasoning_of(chunk.choices[0].delta), str | None)


def refused() -> None:
    reasoning_of("text")  # type: ignore[arg-type]
    reasoning_of(None)  # type: ignore[arg-type]
