"""The client's memory of reasoning: what a request gets back from it, and what an answer adds to it.

The memory itself is in `messages/reasoning_memory.py`. A call keeps the messages of its request until the answer is
there, because reasoning is remembered by the conversation before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from openai.types.chat import ChatCompletion

from kimi_openai._internal.json_values import Json, as_list, to_json
from kimi_openai.errors.exceptions import Note
from kimi_openai.messages.reasoning import reasoning_of

from .call import Call
from .options import Options

__all__ = ["recall", "remember", "remember_completion", "remember_streamed"]


def recall(call: Call, body: dict[str, Any]) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """The body of the call with the remembered reasoning, and a note if there is any. The call keeps the messages."""
    options = call.options
    if not options.remember_reasoning:
        return body, ()
    call.messages = tuple(as_list(body.get("messages")))  # the caller may append to the list
    if not options.reasoning_memory:
        return body, ()
    from kimi_openai.compat.recall import with_reasoning  # imported when it is first needed

    return with_reasoning(body, options.reasoning_memory, aliases=options.model_aliases)


def remember(options: Options | None, messages: Sequence[Any], tool_calls: Iterable[Json], reasoning: Any) -> None:
    """Remember the reasoning of an answer to `messages`. `options` are None for a client of the SDK's, which has no
    memory. With `compat="off"` nothing is remembered, because nothing would be put back."""
    if options is not None and options.remember_reasoning and options.compat != "off":
        options.reasoning_memory.remember(messages, tool_calls, reasoning)


def remember_completion(response: Any, completion: ChatCompletion) -> None:
    """Remember the reasoning of a completion that calls tools."""
    for choice in completion.choices:
        if choice.message.tool_calls:
            calls = [to_json(tool_call) for tool_call in choice.message.tool_calls]
            remember_streamed(response, calls, reasoning_of(choice.message))


def remember_streamed(response: Any, tool_calls: Iterable[Json], reasoning: str | None) -> None:
    """The same for the tool calls that a stream has brought."""
    call = Call.of(response)
    if call is not None and call.messages:
        remember(call.options, call.messages, tool_calls, reasoning)
