"""The rules for tool calls in messages and their results: types of calls, arguments, ids, empty results, and which
belong together.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import is_
from typing import Any

from kimi_openai._internal.json_values import as_dict, as_list, is_object
from kimi_openai.errors.exceptions import Note
from kimi_openai.messages.tool_calls import CallIds, arguments_text, call_ids

from .names import bad_tool_name
from .rule import Body, Message, MessageContext, Renamed, fatal

__all__ = ["EMPTY_RESULT", "added_call_ids", "tool_calls", "tool_result", "unique_call_ids", "unpaired_tool_calls"]

LONGEST_QUOTE = 80
"""How many characters of an id or of arguments a note quotes."""


def tool_calls(message: Message, context: MessageContext) -> Message:
    """Records the calls for the rules that follow, and names that Kimi refuses; repairs arguments that are not the text
    of a JSON object; refuses calls of a type that Kimi does not have."""
    calls = as_list(message.get("tool_calls"))
    if not calls:
        return message
    context.has_tools = True
    with_id = [call for call in map(as_dict, calls) if isinstance(call.get("id"), str)]
    context.open_calls = [(call["id"], as_dict(call.get("function")).get("name")) for call in with_id]
    for number, call in enumerate(calls):
        name = as_dict(as_dict(call).get("function")).get("name")
        if isinstance(name, str) and name and not name.startswith("$") and bad_tool_name(name):
            context.renamed += (Renamed(f"messages.{context.index}", name, is_offered=False),)
        if as_dict(call).get("type") == "custom":
            why = "Kimi knows calls of type 'function' and 'builtin_function'"
            fix = "write it as a function with one string argument"
            context.refuse("tool_type", f".tool_calls.{number}", why, fix)
    accepted = [_with_arguments(call, number, context) for number, call in enumerate(calls)]
    return message if all(map(is_, accepted, calls)) else {**message, "tool_calls": accepted}


def _with_arguments(call: Any, number: int, context: MessageContext) -> Any:
    """The call with arguments that are a JSON object. An empty text stands for {}, so that change has no note."""
    function = as_dict(call).get("function")
    if not is_object(function):
        return call
    given = function.get("arguments")
    sent = arguments_text(given)
    if sent is given:
        return call
    if given not in (None, ""):
        change = f"sent as {sent!r}" if len(sent) <= LONGEST_QUOTE else "sent as valid JSON"
        why = "Kimi answers 400 if arguments are not the text of a JSON object"
        fix = "append the call with '{}', and say in its tool message what was wrong"
        context.note("arguments", f".tool_calls.{number}.function.arguments", change, why, fix)
    return {**call, "function": {**function, "arguments": sent}}


EMPTY_RESULT = "(empty)"
"""Sent as the result of a tool that has none. The call needs a result, Kimi refuses empty messages of the other roles,
and no source says what it does with an empty one of this role. Moonshot's own clients always send a text."""


def tool_result(message: Message, context: MessageContext) -> Message:
    """A result without content gets a short text."""
    context.has_tools = True
    if message.get("content"):
        return message
    why = "Kimi refuses empty messages, and no source says that it accepts an empty result"
    context.note("empty_result", ".content", f"sent as {EMPTY_RESULT!r}", why, "write in words what the tool did")
    return {**message, "content": EMPTY_RESULT}


def added_call_ids(messages: list[Any], indices: list[int]) -> tuple[list[Any], list[Note]]:
    """The messages with an id for each call that has none, and a note for each.

    The tool messages without an id after such calls belong to them in their order, as in APIs that have no ids.
    """
    if all(_id(call) for message in messages for call in as_list(as_dict(message).get("tool_calls"))):
        return messages, []
    ids = CallIds()
    ids.reserve(call_ids(messages))
    notes: list[Note] = []
    accepted: list[Any] = []
    waiting: list[str] = []
    for index, message in zip(indices, messages, strict=True):
        if as_dict(message).get("role") == "tool":
            is_next = waiting and not _text(message.get("tool_call_id"))
            accepted.append({**message, "tool_call_id": waiting.pop(0)} if is_next else message)
            continue
        calls, waiting = as_list(as_dict(message).get("tool_calls")), []
        new = [
            call if _id(call) or not is_object(call) else {**call, "id": ids.claim(None, _name(call))} for call in calls
        ]
        for number in (number for number, call in enumerate(calls) if new[number] is not call):
            waiting.append(new[number]["id"])
            why = "Kimi answers 400 to a call or a result without an id"
            change = f"sent with the id {waiting[-1]!r}, as its tool message"
            fix = "give each call an id, and its tool message the same one"
            notes.append(Note("call_id", f"messages.{index}.tool_calls.{number}.id", change, why, fix))
        accepted.append({**message, "tool_calls": new} if waiting else message)
    return accepted, notes


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _id(call: Any) -> str:
    return _text(as_dict(call).get("id"))


def _name(call: Any) -> str:
    return _text(as_dict(as_dict(call).get("function")).get("name")) or "call"


def unpaired_tool_calls(messages: list[Any], indices: list[int]) -> Iterator[Note]:
    """A fatal note for each result without a call in the message before, and each call without a result right after.

    `indices` are the positions of the messages in the caller's list.
    """
    waiting: list[str] = []
    caller = -1
    for index, message in zip(indices, map(as_dict, messages), strict=True):
        if message.get("role") != "tool":
            if waiting:
                yield _unanswered(waiting, caller)
            waiting, caller = _call_ids(message), index
            continue
        call_id = message.get("tool_call_id")
        if str(call_id) in waiting:
            waiting.remove(str(call_id))
            continue
        problem = f"Kimi answers 400 'tool_call_id {call_id or ''} is not found'"
        why = f"no call of the message before it has that id: {problem}"
        fix = "append the assistant message with its tool_calls first, then one tool message for each call"
        yield fatal("tool_call_id", f"messages.{index}.tool_call_id", why, fix)
    if waiting:
        yield _unanswered(waiting, caller)


def unique_call_ids(messages: list[Any], indices: list[int]) -> tuple[list[Any], list[Note]]:
    """The messages with a unique id for each call, and a note for each that gets another one.

    The first call with an id keeps it, and the tool messages after a call follow it.
    """
    all_ids = list(call_ids(messages))
    if len(all_ids) == len(set(all_ids)):
        return messages, []
    ids = CallIds()
    ids.reserve(all_ids)
    notes: list[Note] = []
    accepted: list[Any] = []
    answers: dict[str, list[str]] = {}
    for index, message in zip(indices, messages, strict=True):
        if as_dict(message).get("role") == "tool":
            accepted.append(_answer(message, answers))
            continue
        answers = {}
        calls = as_list(as_dict(message).get("tool_calls"))
        unique = [_with_unique_id(call, ids, answers) for call in calls]
        renamed = [number for number, call in enumerate(calls) if unique[number] is not call]
        notes += (_renamed(f"messages.{index}.tool_calls.{n}.id", calls[n]["id"], unique[n]["id"]) for n in renamed)
        accepted.append({**message, "tool_calls": unique} if renamed else message)
    return accepted, notes


def _answer(message: Message, answers: dict[str, list[str]]) -> Message:
    """The tool message with the new id of its call, if the call has one."""
    given = message.get("tool_call_id")
    waiting = answers.get(given) if isinstance(given, str) else None
    id = waiting.pop(0) if waiting else given
    return message if id == given else {**message, "tool_call_id": id}


def _with_unique_id(call: Any, ids: CallIds, answers: dict[str, list[str]]) -> Any:
    """The call with a unique id. `answers` holds the ids of the calls for each id that they had, in order."""
    given = as_dict(call).get("id")
    if not isinstance(given, str):
        return call
    id = ids.claim(given, _name(call))
    answers.setdefault(given, []).append(id)
    return call if id == given else {**call, "id": id}


def _renamed(where: str, given: str, sent: str) -> Note:
    why = f"Kimi answers 400 'tool call id {given[:LONGEST_QUOTE]} is duplicated'"
    fix = "give each call of the conversation a unique id"
    return Note("duplicate_id", where, f"sent as {sent!r}, with its tool message", why, fix)


def _call_ids(message: Body) -> list[str]:
    calls = as_list(message.get("tool_calls")) if message.get("role") == "assistant" else ()
    return [str(as_dict(call).get("id")) for call in calls]


def _unanswered(call_ids: list[str], caller: int) -> Note:
    missing = ", ".join(map(repr, call_ids))
    why = f"Kimi answers 400 if a call has no tool message right after it, and {missing} has none"
    fix = "append one tool message for each call before anything else"
    return fatal("tool_calls", f"messages.{caller}.tool_calls", why, fix)
