"""The rules for OpenAI's old function calling: `functions` and `function_call`, in requests, messages and answers.

`adapt` gives `answer_as_function_call` to the SDK as the request's post-parser, so that it applies to plain, raw and
streamed answers. It changes the SDK's answer in place, before the caller sees it. Private name of the SDK in use:
`_iterator` of its streams.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDeltaFunctionCall
from openai.types.chat.chat_completion_message import FunctionCall

from kimi_openai._internal.json_values import as_dict, as_list, is_object
from kimi_openai.errors.exceptions import Note
from kimi_openai.models.catalog import ModelFacts

from .rule import REMOVE, Body, Changes, Message, MessageContext

__all__ = ["answer_as_function_call", "function_call", "function_result", "functions"]


def functions(body: Body, _: ModelFacts) -> Changes | None:
    """`functions` and `function_call` are the old names of `tools` and `tool_choice`."""
    fields: dict[str, Any] = {}
    notes: list[Note] = []
    why = "Kimi does not support it (the docs say: use tools)"
    if body.get("functions") is not None:
        tools = [{"type": "function", "function": function} for function in as_list(body["functions"])]
        fields |= {"functions": REMOVE, "tools": [*as_list(body.get("tools")), *tools] or REMOVE}
        fix = "write tools, and read message.tool_calls"
        notes.append(Note("functions", "functions", "sent as tools", why, fix))
    if body.get("function_call") is not None:
        call = body["function_call"]
        choice = {"type": "function", "function": {"name": call["name"]}} if "name" in as_dict(call) else call
        fields |= {"function_call": REMOVE, "tool_choice": body.get("tool_choice") or choice}
        notes.append(Note("function_call", "function_call", "sent as tool_choice", why, "write tool_choice"))
    return Changes(fields, tuple(notes)) if notes else None


def function_call(message: Message, context: MessageContext) -> Message:
    """The `function_call` of an assistant message becomes a tool call; beside `tool_calls` it repeats one of them.

    The id of the new call contains the position of the message.
    """
    call = message.get("function_call")
    if not is_object(call):
        return message
    kept = {key: value for key, value in message.items() if key != "function_call"}
    if not kept.get("tool_calls"):
        function = {key: value for key, value in call.items() if value is not None and key != "parsed_arguments"}
        kept["tool_calls"] = [{"id": f"call_{context.index}", "type": "function", "function": function}]
    fix = "replay the answer's message with its tool_calls"
    context.note("function_call", ".function_call", "sent as tool_calls", "Kimi does not support it", fix)
    return kept


def function_result(message: Message, context: MessageContext) -> Message:
    """A message of role `function` becomes the result of the open call of that function."""
    name = message.get("name")
    call = next((call for call in context.open_calls if call[1] == name), None)
    if call:
        context.open_calls.remove(call)
    fix = "answer a tool call with role 'tool' and its tool_call_id"
    context.note("function_role", ".role", "sent as 'tool', with the id of the call", "Kimi does not know it", fix)
    return {**message, "role": "tool", "tool_call_id": call[0] if call else ""}


def answer_as_function_call(answer: Any) -> Any:
    """The answer with its first tool call as `function_call` and without the others, as in OpenAI's old API.

    An answer of another class than the SDK's for chat is returned as it is.
    """
    chunks: Any = getattr(answer, "_iterator", None)
    if isinstance(answer, ChatCompletion):
        _change_completion(answer)
    elif hasattr(chunks, "__anext__"):
        answer._iterator = _changed_chunks(chunks)
    elif chunks is not None:
        answer._iterator = map(_changed_chunk, chunks)
    return answer


def _change_completion(completion: ChatCompletion) -> None:
    for choice in completion.choices:
        function: Any = getattr(next(iter(choice.message.tool_calls or ()), None), "function", None)
        if function is not None:
            choice.message.function_call = FunctionCall(name=function.name, arguments=function.arguments)
            choice.message.tool_calls = None
            choice.finish_reason = "function_call"


async def _changed_chunks(chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for chunk in chunks:
        yield _changed_chunk(chunk)


def _changed_chunk(chunk: Any) -> Any:
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
