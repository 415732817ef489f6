"""The rules for the input of a Responses request: messages, calls and their outputs, reasoning, content parts.

Items that this client remembered stand before those of the caller. They went through these rules when they were sent,
so there are no notes about them. Source of the accepted items: platform docs, Responses page, 2026-09-03.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from operator import is_
from typing import Any

from kimi_openai._internal.json_values import as_list, is_array, is_object
from kimi_openai.compat.names import bad_tool_name
from kimi_openai.compat.rule import Body, Changes, Findings, Renamed, fatal
from kimi_openai.compat.tool_calls import EMPTY_RESULT
from kimi_openai.messages.tool_calls import arguments_text
from kimi_openai.models.catalog import ModelFacts

from .call_ids import with_unique_ids
from .context import LONGEST_QUOTE, ItemContext
from .names import LONGEST
from .parts import accepted_parts
from .tools import accepted_tools, tools_by_key

__all__ = ["input_items"]

ADDED_BY_SDK = ("parsed", "parsed_arguments")


def input_items(body: Body, _: ModelFacts, *, remembered: int = 0) -> Changes | None:
    """Each item in the form that Kimi accepts, and each call with a unique id. `remembered` is the number of items
    before the caller's."""
    given = body.get("input")
    if isinstance(given, str):
        return None
    if not is_array(given):
        why = f"Kimi takes a text or a list of items, not {'nothing' if given is None else type(given).__name__}"
        return Changes(notes=(fatal("input", "input", why, 'write [{"role": "user", "content": ...}]'),))
    context = ItemContext(offered=tools_by_key(as_list(body.get("tools"))))
    accepted: list[Any] = []
    places: list[int] = []
    for context.index, item in enumerate(given, -remembered):
        new = _accepted_item(item, context)
        if new is not None:
            accepted.append(new)
            places.append(context.index)
    accepted = with_unique_ids(accepted, places, context)
    if given and not accepted:
        why, fix = "every message is empty, so nothing is left", "write what you ask of the model"
        context.notes.append(fatal("empty_message", "input", why, fix))
    is_unchanged = len(accepted) == len(given) and all(map(is_, accepted, given))
    return Changes({} if is_unchanged else {"input": accepted}, tuple(context.notes), tuple(context.renamed))


def _accepted_item(item: Any, context: ItemContext) -> Any:
    """The item in the form that Kimi accepts, None if it is left out."""
    if not is_object(item):
        context.refuse("input", "", f"an item is an object, not a {type(item).__name__}", "write an object with a type")
        return item
    kind = item.get("type") or ("message" if "role" in item else None)
    accept = ITEMS.get(kind) if isinstance(kind, str) else None
    if accept is None:
        why = f"Kimi has no input items of type {str(kind)[:40]!r}"
        context.refuse("input_item", "", why, "leave it out, or write what it says as a message")
        return item
    kept = {name: value for name, value in item.items() if value is not None and name not in ADDED_BY_SDK}
    if not kept.get("id", "x"):
        del kept["id"]
    new = accept(kept, context)
    return item if new == item else new


def _message(item: Body, context: ItemContext) -> Body | None:
    """A message of a role that Kimi has, with parts that it has; None for one without content."""
    role, content = item.get("role"), item.get("content")
    if role == "system":
        context.note("system", ".role", "sent as 'developer'", "Kimi does not list it here", "write role 'developer'")
        item = {**item, "role": "developer"}
    elif role not in ("user", "assistant", "developer"):
        fix = "write user, assistant or developer; the result of a call is a function_call_output item"
        context.refuse("role", ".role", f"Kimi has no role {str(role)[:40]!r} here", fix)
    if is_array(content):
        parts = accepted_parts(content, ".content", context)
        item = item if parts is content else {**item, "content": parts}
    if item.get("content"):
        return item
    why = f"Kimi's chat answers 400 'the message at position ... with role '{role}' must not be empty'"
    context.note("empty_message", "", "left out", why, "leave it out")
    return None


def _reasoning(item: Body, context: ItemContext) -> Body:
    """Reasoning without what only OpenAI can read. An empty `content` would count instead of the summary."""
    if "encrypted_content" in item:
        fix = "leave reasoning.encrypted_content out of include"
        context.note("encrypted_content", ".encrypted_content", "left out", "Kimi has no encrypted reasoning", fix)
    unread = ("encrypted_content",) if item.get("content") else ("encrypted_content", "content")
    return {name: value for name, value in item.items() if name not in unread}


def _function_call(item: Body, context: ItemContext) -> Body:
    """A call with arguments that are the text of a JSON object, as chat completions demand them."""
    name = item.get("name")
    if isinstance(name, str) and bad_tool_name(name, longest=LONGEST):
        context.renamed.append(Renamed(f"input.{context.index}", name, is_offered=False))
    given = item.get("arguments")
    sent = arguments_text(given)
    if sent == given:
        return item
    if given not in (None, ""):
        change = f"sent as {sent!r}" if len(sent) <= LONGEST_QUOTE else "sent as valid JSON"
        why = "Kimi's chat answers 400 if arguments are not the text of a JSON object"
        fix = "send '{}', and say in the output of the call what was wrong"
        context.note("arguments", ".arguments", change, why, fix)
    return {**item, "arguments": sent}


def _output(item: Body, context: ItemContext) -> Body:
    """The result of a call: a text, or parts. One without content gets a short text, as in chat completions."""
    given = item.get("output")
    if is_array(given):
        parts = accepted_parts(given, ".output", context)
        item = item if parts is given else {**item, "output": parts}
    if item.get("output") not in (None, "", []):
        return item
    why = "Kimi refuses empty messages, and no source says that it accepts an empty result"
    context.note("empty_result", ".output", f"sent as {EMPTY_RESULT!r}", why, "write in words what the tool did")
    return {**item, "output": EMPTY_RESULT}


def _additional_tools(item: Body, context: ItemContext) -> Body | None:
    """Tools in the input, each of them offered once; None if all of them are offered before."""
    tools = as_list(item.get("tools"))
    found, is_new = Findings(), context.index >= 0
    accepted = accepted_tools(tools, f"input.{context.index}.tools", found, context.offered)
    context.notes += found.notes if is_new else ()
    context.renamed += [replace(each, is_offered=is_new) for each in found.renamed]
    if tools and not accepted:
        return None
    return item if accepted is tools else {**item, "tools": accepted}


def _unchanged(item: Body, _: ItemContext) -> Body:
    return item


def _reference(item: Body, context: ItemContext) -> Body:
    """A reference that was not replaced by what this client remembers."""
    why = f"Kimi stores nothing, and this client remembers no item {str(item.get('id'))[:LONGEST_QUOTE]!r}"
    context.refuse("item_reference", ".id", why, "send the item itself")
    return item


ITEMS: Mapping[str, Callable[[Body, ItemContext], Body | None]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _function_call,
    "function_call_output": _output,
    "custom_tool_call": _unchanged,
    "custom_tool_call_output": _output,
    "web_search_call": _unchanged,
    "additional_tools": _additional_tools,
    "item_reference": _reference,
}
