"""The rules for `tools`: schemas in Kimi's dialect, names and types that Kimi accepts, tools in system messages."""

from __future__ import annotations

from operator import is_
from typing import Any

from kimi_openai._internal.json_values import as_dict, as_list, is_array, is_object
from kimi_openai.errors.exceptions import Note
from kimi_openai.mfjs.names import Names
from kimi_openai.models.catalog import ModelFacts

from .names import bad_tool_name
from .rule import Body, Changes, Findings, Message, MessageContext, Renamed, fatal
from .schemas import convert_schema

__all__ = [
    "builtin_search",
    "has_tools",
    "message_tools",
    "moved_message_tools",
    "tools",
    "tools_by_name",
    "with_own_message",
]

NO_PARAMETERS: Body = {"type": "object", "properties": {}}


def tools(body: Body, _: ModelFacts) -> Changes | None:
    """Each tool in the form that Kimi accepts."""
    offered = body.get("tools")
    if not is_array(offered):
        return None
    found = Findings()
    accepted = _accepted_tools(offered, "tools", found, {})
    if accepted is offered and not found.notes and not found.renamed:
        return None
    return Changes({"tools": accepted}, tuple(found.notes), tuple(found.renamed))


def moved_message_tools(body: Body, model: ModelFacts) -> Changes | None:
    """On a model that accepts no tools in messages: the tools of system messages join the `tools` of the request."""
    if model.dynamic_tools is not False:
        return None
    found = [tool for message in as_list(body.get("messages")) if has_tools(message) for tool in message["tools"]]
    if not found:
        return None
    why = "the model takes none in messages: 400 'tokenization failed'"
    note = Note("dynamic_tools", "messages", "their tools are offered in tools", why, "write them into tools")
    return Changes({"tools": [*as_list(body.get("tools")), *found]}, (note,))


def builtin_search(body: Body) -> Note | None:
    """A note on a request that offers `$web_search`: it is sent as it is, and may find nothing.

    Source: the platform's page of 2026-09-03 says that it works; a live client of August got only empty results.
    """
    names = (as_dict(as_dict(tool).get("function")).get("name") for tool in as_list(body.get("tools")))
    if "$web_search" not in names:
        return None
    why = "the platform is rebuilding it, and reports of August 2026 found its results empty"
    return Note("web_search", "tools", "$web_search was sent", why, 'use formula_tools(client, "moonshot/web-search")')


def message_tools(message: Message, context: MessageContext) -> Message | None:
    """The tools of a system message in the form that Kimi accepts.

    Removed if `moved_message_tools` has moved them, or if all of them are offered before.
    """
    if not has_tools(message):
        return message
    if context.model.dynamic_tools is False:
        return {key: value for key, value in message.items() if key != "tools"} if message.get("content") else None
    found = Findings(context.notes)
    accepted = _accepted_tools(message["tools"], f"messages.{context.index}.tools", found, context.offered)
    context.renamed += tuple(found.renamed)
    if message["tools"] and not accepted and not message.get("content"):
        return None
    return message if accepted is message["tools"] else {**message, "tools": accepted}


def with_own_message(message: Message, context: MessageContext) -> tuple[Message, ...]:
    """The message; a system message with tools and content as two, since Kimi takes no content beside tools."""
    if not (has_tools(message) and message.get("content")):
        return (message,)
    content = {key: value for key, value in message.items() if key != "tools"}
    if not message["tools"]:
        return (content,)
    why = "Kimi answers 400: tools in a message 'cannot be used with content'"
    context.note("dynamic_tools", ".tools", "sent in a message before this one", why, "write a message for each")
    return {key: value for key, value in message.items() if key != "content"}, content


def has_tools(message: Any) -> bool:
    """Whether this is a system message that adds tools to the conversation."""
    return (
        is_object(message)
        and "tools" in message
        and message.get("role") in ("system", "developer")
        and is_array(message["tools"])
    )


def tools_by_name(offered: list[Any]) -> dict[str, Any]:
    """The tools that have a name.

    >>> tools_by_name([{"type": "function", "function": {"name": "a"}}, {}])
    {'a': {'type': 'function', 'function': {'name': 'a'}}}
    """
    return {name: tool for tool in offered if isinstance(name := _name(tool), str)}


def _name(tool: Any) -> Any:
    return as_dict(as_dict(tool).get("function")).get("name")


def _accepted_tools(offered: list[Any], where: str, found: Findings, by_name: dict[str, Any]) -> list[Any]:
    """The tools in the form that Kimi accepts, the same list if none needs a change. `by_name` holds those that are
    offered before, and gets these: a name belongs to one tool of the request (docs, dynamic tools, 2026-09-03)."""
    accepted: list[Any] = []
    for number, tool in enumerate(offered):
        new = _accepted_tool(tool, f"{where}.{number}", found)
        name = _name(new)
        if isinstance(name, str) and name in by_name:
            is_same = new == by_name[name]
            found.notes.append(_repeated(name, f"{where}.{number}", is_same=is_same))
            if is_same:
                continue
        elif isinstance(name, str):
            by_name[name] = new
        accepted.append(new)
    is_unchanged = len(accepted) == len(offered) and all(map(is_, accepted, offered))
    return offered if is_unchanged else accepted


def _repeated(name: str, where: str, *, is_same: bool) -> Note:
    why = f"Kimi answers 400 'function name {name[:80]} is duplicated'"
    if is_same:
        return Note("tool_name", where, "left out", why, "offer it once")
    return fatal("tool_name", where, f"{why}, and the two differ", "rename one of them, or leave it out")


def _accepted_tool(tool: Any, where: str, found: Findings) -> Any:
    kind, function = as_dict(tool).get("type"), as_dict(tool).get("function")
    if kind == "builtin_function":
        return tool
    if isinstance(kind, str) and kind != "function":
        why = f"Kimi knows tools of type 'function' and 'builtin_function', not {kind[:40]!r}"
        found.notes.append(fatal("tool_type", where, why, "describe it as a function with one string argument"))
    if kind != "function" or not is_object(function):
        return tool
    name = function.get("name")
    if isinstance(name, str) and name.startswith("$"):
        why = "names that begin with $ are the platform's own tools"
        found.notes.append(Note("tool_type", where, "sent as builtin_function", why, "write type 'builtin_function'"))
        return {"type": "builtin_function", "function": {"name": name}}
    accepted, names = _accepted_function(function, f"{where}.function", found.notes)
    if name == "":
        why = "a tool name cannot be empty"
        found.notes.append(fatal("tool_name", f"{where}.function.name", why, "give it a name"))
    elif isinstance(name, str) and (names is not None or bad_tool_name(name)):
        found.renamed.append(Renamed(f"{where}.function", name, names))
    return tool if accepted is function else {**tool, "function": accepted}


def _accepted_function(function: Body, where: str, notes: list[Note]) -> tuple[Body, Names | None]:
    kept = {key: value for key, value in function.items() if value is not None}
    parameters, names = kept.get("parameters"), None
    if not parameters:
        kept["parameters"] = NO_PARAMETERS
    elif is_object(parameters):
        kept["parameters"], names = convert_schema(parameters, f"{where}.parameters", notes)
    is_unchanged = len(kept) == len(function) and kept["parameters"] is function.get("parameters")
    return (function if is_unchanged else kept), names
