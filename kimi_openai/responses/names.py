"""Names that Kimi refuses, of tools and of properties, in a Responses request: other names where it has them.

The rules for tools, format and items find them (`Renamed`); which names Kimi gets is decided in `compat.names`.
`texts.AnswerTexts` puts the caller's names back into the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kimi_openai._internal.json_values import as_dict, as_list, is_array, is_object
from kimi_openai.compat.answers import AnswerNames
from kimi_openai.compat.names import NewNames, new_names
from kimi_openai.compat.rule import Body, Changes, Renamed, fatal
from kimi_openai.errors.exceptions import Note
from kimi_openai.mfjs.names import Names

__all__ = ["LONGEST", "with_response_names"]

LONGEST = 128
"""Characters in the name of a tool. Source: platform docs, Responses page, 2026-09-03."""


def with_response_names(body: Body, renamed: Iterable[Renamed]) -> tuple[Changes, AnswerNames]:
    """The changes that put Kimi's names into a Responses body, and what to replace in its answer. A name that the input
    has from before gets the same new name again."""
    renamed = [*renamed]
    names = new_names(renamed, _tool_names(body), longest=LONGEST)
    fields: dict[str, Any] = {}
    if is_array(body.get("tools")):
        fields["tools"] = _tools(body["tools"], names)
    if is_array(body.get("input")):
        fields["input"] = [_item(item, names) for item in body["input"]]
    return Changes(fields, (*names.notes, *_clashes(renamed))), names.in_answers


def _clashes(renamed: Iterable[Renamed]) -> Iterator[Note]:
    """A fatal note for each function that has the name of another one, in another namespace, and other new names."""
    known: dict[str, Names] = {}
    for each in renamed:
        if each.tool is not None and each.names is not None and each.is_offered:
            if known.setdefault(each.tool, each.names) != each.names:
                why = f"Kimi refuses properties of two functions {each.tool[:80]!r}, whose calls cannot be told apart"
                yield fatal("property_name", each.where, why, "rename one of the two functions, or their properties")


def _tool_names(body: Body) -> Iterator[str]:
    """The names of all functions that are offered or called in a body."""
    items = [as_dict(item) for item in as_list(body.get("input"))]
    for tools in (body.get("tools"), *(item.get("tools") for item in items)):
        yield from _function_names(as_list(tools))
    for item in items:
        if item.get("type") == "function_call" and isinstance(item.get("name"), str):
            yield item["name"]


def _function_names(tools: list[Any]) -> Iterator[str]:
    for tool in map(as_dict, tools):
        if tool.get("type") == "namespace":
            yield from _function_names(as_list(tool.get("tools")))
        elif isinstance(tool.get("name"), str):
            yield tool["name"]


def _tools(tools: list[Any], names: NewNames) -> list[Any]:
    return [_tool(tool, names) for tool in tools]


def _tool(tool: Any, names: NewNames) -> Any:
    kind = as_dict(tool).get("type")
    if kind == "namespace":
        return {**tool, "tools": _tools(as_list(tool.get("tools")), names)}
    return _named(tool, names) if kind == "function" else tool


def _item(item: Any, names: NewNames) -> Any:
    if not is_object(item):
        return item
    if is_array(item.get("tools")):
        item = {**item, "tools": _tools(item["tools"], names)}
    return _named(item, names) if item.get("type") == "function_call" else item


def _named(each: Body, names: NewNames) -> Body:
    """A function or a call with Kimi's name of it, and Kimi's names in the arguments."""
    name = each.get("name")
    if not isinstance(name, str):
        return each
    new = {**each, "name": names.tools.get(name, name)}
    if isinstance(each.get("arguments"), str) and new["name"] in names.arguments:
        new["arguments"] = names.arguments[new["name"]].to_kimi(each["arguments"])
    return each if new == each else new
