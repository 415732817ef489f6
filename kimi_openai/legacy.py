"""Answers to code that asks with `functions`: the tool call stands where that code looks for it, in `function_call`.

Pure but for the answer itself, which nobody else has seen yet. `compat` hands `as_asked` to the SDK as the request's
post-parser, which makes it hold for plain, raw and streamed answers. Private name in use: `_iterator` of the SDK's
streams.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDeltaFunctionCall
from openai.types.chat.chat_completion_message import FunctionCall

__all__ = ["as_asked"]


def as_asked(answer: Any) -> Any:
    """The answer, with its first tool call as `function_call` and no others, as OpenAI's old API gave it.

    Answers of other classes than the SDK's for chat stay as they are.
    """
    chunks: Any = getattr(answer, "_iterator", None)
    if isinstance(answer, ChatCompletion):
        _completion(answer)
    elif hasattr(chunks, "__anext__"):
        answer._iterator = _each(chunks)
    elif chunks is not None:
        answer._iterator = map(_chunk, chunks)
    return answer


def _completion(completion: ChatCompletion) -> None:
    for choice in completion.choices:
        function: Any = getattr(next(iter(choice.message.tool_calls or ()), None), "function", None)
        if function is not None:
            choice.message.function_call = FunctionCall(name=function.name, arguments=function.arguments)
            choice.message.tool_calls = None
            choice.finish_reason = "function_call"


async def _each(chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for chunk in chunks:
        yield _chunk(chunk)


def _chunk(chunk: Any) -> Any:
    for choice in chunk.choices if isinstance(chunk, ChatCompletionChunk) else ():
        first = next((call for call in choice.delta.tool_calls or () if call.index == 0), None)
        if first is not None and first.function is not None:
            choice.delta.function_call = ChoiceDeltaFunctionCall(
                name=first.function.name, arguments=first.function.arguments
            )
        choice.delta.tool_calls = None
        if choice.finish_reason == "tool_calls":
            choice.finish_reason = "function_call"
    return chunk
