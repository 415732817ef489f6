"""A user's file that uses stream, complete and run_tools; checked by mypy and pyright in strict mode, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from typing_extensions import assert_type

from kimi_openai import (
    AsyncChatStream,
    ChatStream,
    Event,
    Part,
    Reply,
    ToolCall,
    ToolRun,
    TooManyTurnsError,
    TruncatedAnswerError,
    complete,
    create_async_client,
    create_client,
    run_tools,
    stream,
)

MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hi"}]


def text_of(event: Event) -> str:
    """Comparing `type` narrows the type of the event."""
    if event.type == "content.delta" or event.type == "reasoning.delta":
        return assert_type(event.delta, str)
    if event.type == "content.done":
        return assert_type(event.content, str)
    if event.type == "tool_calls.function.arguments.delta":
        return assert_type(event.arguments_delta, str)
    if event.type == "tool_calls.function.arguments.done":
        return assert_type(event.kind, str)
    if event.type == "usage":
        return str(assert_type(event.usage, Mapping[str, Any]))
    assert_type(event.cause, Exception | None)
    assert_type(event.number, int)
    return event.type


def add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


async def look_up(word: str) -> dict[str, str]:
    """Look it up."""
    return {word: word}


def synchronous(sdk: openai.OpenAI) -> None:
    client = create_client()
    with stream(client, model="kimi-k3", messages=MESSAGES, on_cut="restart", max_completion_tokens=100) as answer:
        assert_type(answer, ChatStream)
        for event in answer:
            text_of(event)
        assert_type(answer.text_stream, Iterator[str])
        assert_type(answer.get_final_completion(), ChatCompletion)
        assert_type(answer.reply, Reply)
        assert_type(answer.parts, tuple[Part, ...])
        assert_type(answer.resumptions, int)
    assert_type(complete(sdk, model="kimi-k3", messages=MESSAGES, max_parts=3), ChatCompletion)
    try:
        run = run_tools(client, model="kimi-k3", messages=MESSAGES, tools=[add, ({"name": "look_up"}, look_up)])
        assert_type(run, ToolRun)
        assert_type(run.messages, list[ChatCompletionMessageParam])
        complete(client, model="kimi-k3", messages=[*run.messages, {"role": "user", "content": "And?"}])
    except TooManyTurnsError as error:
        assert_type(error.result, ToolRun)
    except TruncatedAnswerError as error:
        assert_type(error.completion, ChatCompletion)


def allow(call: ToolCall) -> bool:
    return call.name == "add"


async def allow_later(call: ToolCall) -> str | bool:
    return call.turn < 3 or "that is enough"


async def asynchronous(sdk: openai.AsyncOpenAI) -> None:
    client = create_async_client()
    async with stream(client, model="kimi-k3", messages=MESSAGES) as answer:
        assert_type(answer, AsyncChatStream)
        async for event in answer:
            text_of(event)
        assert_type(answer.text_stream, AsyncIterator[str])
        assert_type(await answer.get_final_completion(), ChatCompletion)
    assert_type(await complete(sdk, model="kimi-k3", messages=MESSAGES), ChatCompletion)
    search = {"type": "builtin_function", "function": {"name": "$web_search"}}
    run = await run_tools(client, model="kimi-k3", messages=MESSAGES, tools=[look_up, search], approve=allow)
    assert_type(run, ToolRun)
    await run_tools(client, model="kimi-k3", messages=MESSAGES, tools=[look_up], approve=allow_later, max_turns=3)
    await run_tools(client, model="kimi-k3", messages=MESSAGES, tools=[look_up], tool_timeout=2.5, max_parallel=1)
    await run_tools(client, model="kimi-k3", messages=MESSAGES, tools=[look_up], tool_timeout=None)
    await run_tools(client, model="kimi-k3", messages=MESSAGES, tools=[look_up], tool_timeout="5")  # type: ignore[call-overload]
