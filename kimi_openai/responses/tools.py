"""The rules for the tools of a Responses request: their types, schemas and names, and `tool_choice`.

Source: platform docs, Responses page, 2026-09-03.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import is_
from typing import Any

from kimi_openai._internal.json_values import as_dict, as_list, is_array, is_object
from kimi_openai.compat.names import bad_tool_name
from kimi_openai.compat.rule import REMOVE, Body, Changes, Findings, Renamed, changed, fatal
from kimi_openai.compat.schemas import convert_schema
from kimi_openai.errors.exceptions import Note
from kimi_openai.models.catalog import ModelFacts

from .names import LONGEST

__all__ = ["accepted_tools", "tool_choice", "tools", "tools_by_key"]

NO_PARAMETERS: Body = {"type": "object", "properties": {}}
SEARCH = "web_search"
FORCED = "Kimi answers 400 'responses: unsupported tool_choice value: \"required\"'; it takes auto only"


def tools(body: Body, _: ModelFacts) -> Changes | None:
    """Each tool in the form that Kimi accepts."""
    offered = body.get("tools")
    if not is_array(offered):
        return None
    found = Findings()
    accepted = accepted_tools(offered, "tools", found, {})
    fields = {} if accepted is offered else {"tools": accepted or REMOVE}
    return Changes(fields, tuple(found.notes), tuple(found.renamed))


def tools_by_key(offered: list[Any]) -> dict[object, Any]:
    """The tools by what must not occur twice."""
    return {key: tool for tool in offered if (key := _key(tool)) is not None}


def accepted_tools(offered: list[Any], where: str, found: Findings, known: dict[object, Any]) -> list[Any]:
    """The tools in the form that Kimi accepts, the same list if none needs a change. Adds to `found`.

    `known` holds the tools that are offered before, see `tools_by_key`, and gets these.
    """
    accepted: list[Any] = []
    for number, tool in enumerate(offered):
        new = _accepted_tool(tool, f"{where}.{number}", found)
        key = _key(new)
        if key is not None and key in known:
            found.notes.append(_repeated(str(key), f"{where}.{number}", is_same=key == SEARCH or new == known[key]))
            continue
        known[key] = new
        accepted.append(new)
    is_unchanged = len(accepted) == len(offered) and all(map(is_, accepted, offered))
    return offered if is_unchanged else accepted


def _key(tool: Any) -> object:
    """What must not occur twice: the name of a tool, or that it is the web search."""
    kind = as_dict(tool).get("type")
    return SEARCH if kind == SEARCH else as_dict(tool).get("name")


def _repeated(name: str, where: str, *, is_same: bool) -> Note:
    why = "Kimi takes one web_search" if name == SEARCH else f"Kimi answers 400 'function name {name} is duplicated'"
    if is_same:
        return Note("tool_name", where, "left out", why, "offer it once")
    return fatal("tool_name", where, f"{why}, and the two differ", "rename one of them, or leave it out")


def _accepted_tool(tool: Any, where: str, found: Findings) -> Any:
    kind = as_dict(tool).get("type")
    if not is_object(tool) or not isinstance(kind, str):
        return tool
    accept = SEARCH_TOOL if kind.startswith(SEARCH) else TYPES.get(kind)
    if accept is not None:
        new = accept(tool, where, found)
        return tool if new == tool else new
    why = f"Kimi answers 400 'responses: unsupported tool type: \"{kind[:40]}\"'"
    fix = "offer a function of your own for it; Kimi knows function, namespace, web_search and custom apply_patch"
    found.notes.append(fatal("tool_type", where, why, fix))
    return tool


def _function(tool: Body, where: str, found: Findings) -> Body:
    kept = {key: value for key, value in tool.items() if value is not None}
    parameters, names = kept.get("parameters"), None
    kept["parameters"] = NO_PARAMETERS
    if is_object(parameters) and parameters:
        kept["parameters"], names = convert_schema(parameters, f"{where}.parameters", found.notes)
    name = kept.get("name")
    if not isinstance(name, str) or not name:
        why = "a function has a name" if name is None else f"a name is a text that is not empty, not {name!r}"
        found.notes.append(fatal("tool_name", f"{where}.name", why, "give it a name"))
    elif names is not None or bad_tool_name(name, longest=LONGEST):
        found.renamed.append(Renamed(where, name, names))
    return kept


def _namespace(tool: Body, where: str, found: Findings) -> Body:
    kept = {key: value for key, value in tool.items() if value is not None}
    kept["tools"] = accepted_tools(as_list(kept.get("tools")), f"{where}.tools", found, {})
    return kept


def _custom(tool: Body, where: str, found: Findings) -> Body:
    form = as_dict(tool.get("format"))
    if tool.get("name") != "apply_patch" or form.get("type") != "grammar" or form.get("syntax") != "lark":
        why = "Kimi knows one custom tool, apply_patch with a lark grammar"
        fix = "describe it as a function with one string argument"
        found.notes.append(fatal("tool_type", where, why, fix))
    return {key: value for key, value in tool.items() if value is not None}


NOT_SEARCHED = ("search_context_size", "blocked_domains")


def _search(tool: Body, where: str, found: Findings) -> Body:
    """The web search of any of OpenAI's names, without what Kimi refuses."""
    kept = {key: value for key, value in tool.items() if value is not None and key not in NOT_SEARCHED}
    filters = {name: value for name, value in as_dict(kept.pop("filters", None)).items() if value is not None}
    blocked = filters.pop("blocked_domains", None) or tool.get("blocked_domains")
    if filters:
        kept["filters"] = filters
    fix = "leave it out"
    if tool.get("type") != SEARCH:
        why = f"Kimi answers 400 'responses: unsupported tool type: \"{str(tool.get('type'))[:40]}\"'"
        found.notes.append(Note("web_search", f"{where}.type", "sent as web_search", why, "write type 'web_search'"))
    if tool.get("search_context_size") is not None:
        why = "Kimi answers 400 'web_search.search_context_size is not supported'"
        found.notes.append(Note("search_context_size", f"{where}.search_context_size", "left out", why, fix))
    if blocked:
        why, fix = "Kimi refuses lists of blocked domains", "name the allowed ones in filters.allowed_domains"
        found.notes.append(Note("blocked_domains", f"{where}.filters", "blocked_domains left out", why, fix))
    return {**kept, "type": SEARCH}


Accept = Callable[[Body, str, Findings], Body]
SEARCH_TOOL: Accept = _search
TYPES: Mapping[str, Accept] = {"function": _function, "namespace": _namespace, "custom": _custom}


def tool_choice(body: Body, _: ModelFacts) -> Changes | None:
    """Kimi decides itself which tool it calls. A choice becomes a choice of what is offered."""
    asked = body.get("tool_choice")
    if asked is None or asked == "auto":
        return None
    if asked == "none":
        fields = {"tools": REMOVE, "tool_choice": REMOVE}
        fix = "leave tools and tool_choice out"
        if not body.get("tools"):
            return Changes(fields)
        return changed("tool_choice", fields, "sent without tools", FORCED.replace("required", "none"), fix)
    if asked == "required":
        change = "sent as 'auto'; the model may answer without a call"
        return changed("tool_choice", {"tool_choice": "auto"}, change, FORCED, "ask for the call in the input")
    return _chosen(body, as_dict(asked))


def _chosen(body: Body, asked: Body) -> Changes:
    """Of the tools, those that the choice names."""
    names = as_list(asked.get("tools")) if asked.get("type") == "allowed_tools" else [asked]
    offered = [new for tool in as_list(body.get("tools")) if (new := _named(tool, names)) is not None]
    fields: dict[str, Any] = {"tool_choice": "auto"}
    change = "sent as 'auto'; no such tool is in tools, so which one is called is open"
    if offered:
        fields["tools"] = offered
        change = "sent as 'auto' with only that tool offered; the model may answer without a call"
    why = "Kimi takes tool_choice 'auto' only"
    return changed("tool_choice", fields, change, why, "offer only that tool, and ask for the call in the input")


def _named(tool: Any, choices: list[Any]) -> Any:
    """The tool if a choice names it; a namespace with only the functions that are named; else None."""
    offered = as_dict(tool)
    if offered.get("type") == "namespace":
        inner = [each for each in as_list(offered.get("tools")) if _named(each, choices) is not None]
        return {**offered, "tools": inner} if inner else None
    return tool if any(_fits(offered, as_dict(choice)) for choice in choices) else None


def _fits(tool: Body, choice: Body) -> bool:
    kind, asked = str(tool.get("type")), str(choice.get("type"))
    if asked.startswith(SEARCH):
        return kind.startswith(SEARCH)
    name = choice.get("name") or as_dict(choice.get("function")).get("name")
    return tool.get("name") == name if name is not None else kind == asked
