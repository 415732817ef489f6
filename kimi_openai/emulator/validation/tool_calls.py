"""Tool calls in messages and their results: which of them Kimi refuses."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from kimi_openai.emulator.errors import Problem, invalid_request
from kimi_openai.emulator.json_values import Json, is_object

from .message_context import MessageContext

__all__ = ["reasoning_problem", "tool_calls_problem", "tool_result_problem"]


def tool_calls_problem(message: Json, position: int, context: MessageContext) -> Problem | None:
    """Each call of an assistant message needs an id that no call before it has (openclaw/openclaw#51155, 2026-03-20),
    arguments that are a JSON object (MoonshotAI/kimi-cli#1378, 2026-03-09), and one tool message right after it, in any
    order."""
    calls: list[Any] = message.get("tool_calls") or []
    if message["role"] != "assistant" or not calls:
        return None
    if not all(map(_is_call, calls)):
        return invalid_request(f"a tool call of the message at position {position} is malformed")
    duplicate = next((id for id, count in Counter(_ids(context.messages[: position + 1])).items() if count > 1), None)
    if duplicate is not None:
        return invalid_request(f"tool call id {duplicate} is duplicated")
    broken = next((number for number, call in enumerate(calls) if not _has_arguments(call)), None)
    if broken is not None:
        place = f"messages[{position}].tool_calls[{broken}].function.arguments"
        return invalid_request(f"{place} must be the text of a JSON object")
    called, answered = Counter(call["id"] for call in calls), Counter(_following_ids(context.messages, position))
    unknown = next((id for id in answered if id not in called), None)
    if unknown is not None:
        return Problem(f"tool_call_id {unknown} is not found")
    if called == answered:
        return None
    different = ", ".join((called - answered) or (answered - called))
    return invalid_request(f"the tool messages after position {position} do not match its tool_calls: {different}")


def _is_call(call: Any) -> bool:
    return is_object(call) and isinstance(call.get("id"), str) and is_object(call.get("function"))


def _has_arguments(call: Json) -> bool:
    """Whether the arguments are an object. Nothing is known of calls without arguments; they are accepted."""
    arguments = call["function"].get("arguments") or "{}"
    try:
        return isinstance(arguments, str) and isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False


def _ids(messages: list[Any]) -> Iterator[str]:
    for message in messages:
        calls: Any = message.get("tool_calls") if is_object(message) else None
        yield from (call["id"] for call in calls or () if _is_call(call))


def tool_result_problem(message: Json, position: int, context: MessageContext) -> Problem | None:
    """A tool message needs an assistant message with calls before it."""
    if message["role"] != "tool":
        return None
    before = position - 1
    while before >= 0 and is_object(context.messages[before]) and context.messages[before].get("role") == "tool":
        before -= 1
    caller: Any = context.messages[before] if before >= 0 else None
    has_calls = is_object(caller) and caller.get("role") == "assistant" and caller.get("tool_calls")
    return None if has_calls else Problem(f"tool_call_id {message.get('tool_call_id') or ''} is not found")


def reasoning_problem(message: Json, position: int, context: MessageContext) -> Problem | None:
    """K2.x with thinking on needs the reasoning of a tool call; K3 only with `Behaviour.strict_thinking`."""
    if message["role"] != "assistant" or not message.get("tool_calls") or not context.thinking:
        return None
    needed = context.model.needs_reasoning_in_tool_calls and context.behaviour.require_reasoning
    if not needed and not (context.behaviour.strict_thinking and context.model.control == "reasoning_effort"):
        return None
    reasoning = message.get("reasoning_content")
    if reasoning or (reasoning == "" and context.behaviour.accept_empty_reasoning):
        return None
    text = f"thinking is enabled but reasoning_content is missing in assistant tool call message at index {position}"
    return Problem(text)


def _following_ids(messages: list[Any], position: int) -> list[str]:
    ids: list[str] = []
    for message in messages[position + 1 :]:
        if not is_object(message) or message.get("role") != "tool":
            break
        ids.append(str(message.get("tool_call_id") or ""))
    return ids
