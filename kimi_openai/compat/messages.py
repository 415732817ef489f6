"""The walk over `messages`, and the rules for roles, replayed answers and empty messages.

`pipeline.MESSAGE_RULES` says which rules a message of each role goes through. Rules about tool calls, reasoning and
content parts are in other modules. A message that needs no change stays the same object, which is the usual case.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import is_
from typing import Any

from pydantic import BaseModel

from kimi_openai._internal.json_values import as_dict, as_list, is_array, is_dict, is_object
from kimi_openai.errors.exceptions import CompatError, Note
from kimi_openai.messages.builders import replay_message
from kimi_openai.messages.plain import frozen
from kimi_openai.models.catalog import ModelFacts

from .rule import Body, Changes, Message, MessageContext, MessageRule, fatal, is_thinking
from .tool_calls import added_call_ids, unique_call_ids, unpaired_tool_calls
from .tools import tools_by_name, with_own_message
from .valid_json import valid_json

__all__ = ["developer_role", "empty_message", "frozen_messages", "messages", "openai_answer"]

A_MESSAGE = '{"role": "user", ...}'


def messages(body: Body, model: ModelFacts, *, rules: Mapping[str, tuple[MessageRule, ...]]) -> Changes | None:
    """Applies the rules of its role to each message, then checks that tool calls and results belong together, and gives
    each call a unique id."""
    given = body.get("messages")
    if not is_array(given):
        return Changes(notes=_problems(given)) if "messages" in body else None
    context = MessageContext(model, is_thinking(body, model), offered=tools_by_name(as_list(body.get("tools"))))
    accepted: list[Any] = []
    indices: list[int] = []
    for index, message in enumerate(given):
        if _is_plain(message):
            accepted.append(message)
            indices.append(index)
            continue
        context.index = index
        new = _apply(rules, _replayed(message), context)
        if new is not None:
            parts = with_own_message(new, context)
            accepted += parts
            indices += [index] * len(parts)
    if context.has_tools:
        accepted, added = added_call_ids(accepted, indices)
        context.notes += added
        context.notes += unpaired_tool_calls(accepted, indices)
        accepted, renamed = unique_call_ids(accepted, indices)
        context.notes += renamed
    if given and not accepted:
        fix = "write what you ask of the model"
        context.notes.append(fatal("empty_message", "messages", "every message is empty, so nothing is left", fix))
    is_unchanged = len(accepted) == len(given) and all(map(is_, accepted, given))
    if is_unchanged and not context.notes and not context.renamed:
        return None
    fields = {} if is_unchanged else {"messages": accepted}
    return Changes(fields, tuple(context.notes), context.renamed)


def _is_plain(message: Any) -> bool:
    """Whether the message is a role and a text, which no rule changes."""
    return (
        is_dict(message)
        and len(message) == 2
        and type(text := message.get("content")) is str
        and text != ""
        and message.get("role") in ("user", "assistant", "system")
    )


def _apply(rules: Mapping[str, tuple[MessageRule, ...]], message: Any, context: MessageContext) -> Any:
    """The message after its rules, None if it is left out."""
    if not is_dict(message):
        context.notes.append(_not_a_message(message, context.index))
        return message
    role = message.get("role")
    for rule in rules.get(role, ()) if isinstance(role, str) else ():
        message = rule(message, context)
        if message is None:
            return None
    return message


def frozen_messages(given: Any) -> list[Any]:
    """A copy of messages of any form as plain dicts. Raises `CompatError` if something in it is not a message.

    >>> frozen_messages("Hi")
    Traceback (most recent call last):
    ...
    kimi_openai.errors.CompatError: the request was not sent, Kimi does not accept 1 thing in it:
      - messages: cannot be sent, because Kimi takes a list of messages, not a str; write [{"role": "user", ...}]
    """
    copied: Any = frozen(given)
    if not is_array(copied):
        copied, _ = valid_json(copied)  # an array of numpy's, for example
    if problems := _problems(copied):
        raise CompatError(problems)
    return as_list(copied)


def _problems(given: object) -> tuple[Note, ...]:
    """A fatal note for each thing in `messages` that is not a message, or one for the whole if it is not a list."""
    if not is_array(given):
        why = f"Kimi takes a list of messages, not a {type(given).__name__}"
        return (fatal("messages", "messages", why, f"write [{A_MESSAGE}]"),)
    items = enumerate(given)
    return tuple(_not_a_message(message, index) for index, message in items if not is_object(message))


def _not_a_message(message: object, index: int) -> Note:
    why = f"a message is an object, not a {type(message).__name__}"
    return fatal("messages", f"messages.{index}", why, f"write {A_MESSAGE}")


def _replayed(message: Any) -> Any:
    """An SDK object as a dict; a dict without nulls and the SDK's own fields. Nothing is lost, so there is no note."""
    if is_dict(message) and not _has_leftovers(message):
        return message
    calls: Any = as_dict(message).get("tool_calls") or []
    if not is_array(calls) or not all(isinstance(call, Mapping | BaseModel) for call in calls):
        return message
    try:
        return replay_message(message)
    except TypeError:
        return message


def _has_leftovers(message: Message) -> bool:
    if None in message.values() or "parsed" in message:
        return True
    calls = message.get("tool_calls")
    return calls is not None and (not calls or any(map(_call_has_leftovers, as_list(calls))))


def _call_has_leftovers(call: Any) -> bool:
    if not is_dict(call):
        return True
    function = as_dict(call.get("function"))
    return "index" in call or "parsed_arguments" in function or None in call.values() or None in function.values()


def developer_role(message: Message, context: MessageContext) -> Message:
    """`developer` is OpenAI's newer name of the role `system`."""
    why = "Kimi does not know it: 400 'ROLE_UNSPECIFIED' or 'tokenization failed'"
    context.note("developer", ".role", "sent as 'system'", why, "write role 'system'")
    return {**message, "role": "system"}


OPENAI_ANSWER = {
    "refusal": "send it as content",
    "audio": "send the transcript as content",
    "annotations": "say in the content what is to be kept of them",
}
"""Fields of OpenAI's answers that Kimi's do not have, and what to do about each."""


def openai_answer(message: Message, context: MessageContext) -> Message:
    """Leaves out what only OpenAI's answers have; a refusal becomes the content if there is none."""
    if OPENAI_ANSWER.keys().isdisjoint(message):
        return message
    kept = {key: value for key, value in message.items() if key not in OPENAI_ANSWER}
    for key, fix in OPENAI_ANSWER.items():
        if not message.get(key):
            continue
        is_content = key == "refusal" and not message.get("content")
        change = "sent as content" if is_content else "left out"
        context.note(key, f".{key}", change, f"Kimi has no {key}", fix)
        if is_content:
            kept["content"] = message[key]
    return kept


EMPTY_MESSAGE_FIXES = {
    "system": "leave it out (the text of a file is empty if the file has only images)",
    "assistant": "do not append an answer without content and tool calls",
}


def empty_message(message: Message, context: MessageContext) -> Message | None:
    """Leaves out a message without content, unless it calls or brings tools, or is a partial one with a name.

    Kimi refuses an empty message of each of these roles. Results of tools are not left out, see `tool_result`.
    """
    if message.get("content"):
        return message
    if message.get("tool_calls") or message.get("tools") or _is_partial_without_text(message):
        if message.get("content") != []:
            return message
        return {key: value for key, value in message.items() if key != "content"}
    role = message["role"]
    why = f"Kimi answers 400 'the message at position ... with role '{role}' must not be empty'"
    context.note("empty_message", "", "left out", why, EMPTY_MESSAGE_FIXES.get(role, "leave it out"))
    return None


def _is_partial_without_text(message: Message) -> bool:
    """Whether the message begins the answer with a name, or with reasoning that a cut answer had."""
    return bool(message.get("partial") and (message.get("name") or message.get("reasoning_content")))
