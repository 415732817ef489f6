"""Answers to code that asks with `functions`: the tool call stands where that code looks for it, in `function_call`.

Pure but for the answer itself, which nobody else has seen yet. `compat` hands `as_asked` to the SDK as the request's
post-parser, which makes it hold for plain, raw and streamed answers. Private name in use: `_iterator` of the SDK's
streams.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDeltaFunctionCall
from openai.types.chat.chat_completion_message import FunctionCall

__all__ = ["as_asked"]


def as_asked(answer: Any) -> Any:
    """The answer, with its first tool call as `function_call` and no others, as OpenAI's old API gave it."""
    kind: type[object] = type(answer)
    if issubclass(kind, ChatCompletion):
        _completion(answer)
    elif issubclass(kind, openai.Stream):
        answer._iterator = map(_chunk, answer._iterator)
    elif issubclass(kind, openai.AsyncStream):
        answer._iterator = _chunks(answer._iterator)
    return answer


def _completion(completion: ChatCompletion) -> None:
    for choice in completion.choices:
        function: Any = getattr((choice.message.tool_calls or [None])[0], "function", None)
        if function is not None:
            choice.message.function_call = FunctionCall(name=function.name, arguments=function.arguments)
            choice.message.tool_calls = None
            choice.finish_reason = "function_call"


async def _chunks(chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for chunk in chunks:
        yield _chunk(chunk)


def _chunk(chunk: ChatCompletionChunk) -> ChatCompletionChunk:
    for choice in chunk.choices:
        first = next((call for call in choice.delta.tool_calls or () if call.index == 0), None)
        if first is not None and first.function is not None:
            choice.delta.function_call = ChoiceDeltaFunctionCall(
                name=first.function.name, arguments=first.function.arguments
            )
        choice.delta.tool_calls = None
        if choice.finish_reason == "tool_calls":
            choice.finish_reason = "function_call"
    return chunk
