"""The rules for `tool_choice`: a list of allowed tools, impossible choices, a forced call while the model thinks."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from kimi_openai._internal.json_values import as_dict, as_list
from kimi_openai.errors.exceptions import Note
from kimi_openai.models.catalog import ModelFacts, ToolChoice

from .rule import REMOVE, Body, Changes, changed, fatal, is_thinking
from .tools import has_tools

__all__ = ["allowed_tools", "possible_choice", "tool_choice"]


def allowed_tools(body: Body, _: ModelFacts) -> Changes | None:
    """OpenAI's list of allowed tools: only those are offered, and its mode becomes the choice."""
    asked = as_dict(body.get("tool_choice"))
    allowed = as_dict(asked.get("allowed_tools"))
    if asked.get("type") != "allowed_tools" or not allowed:
        return None
    names = [_name(tool) for tool in as_list(allowed.get("tools"))]
    mode = "required" if allowed.get("mode") == "required" else "auto"
    fields = {"tools": _tools_named(body, names) or REMOVE, "tool_choice": mode}
    why = "Kimi has no list of allowed tools in tool_choice"
    fix = f"offer only those in tools, with tool_choice={mode!r}"
    return changed("tool_choice", fields, f"only the allowed tools are offered, with {mode!r}", why, fix)


def possible_choice(body: Body, _: ModelFacts) -> Changes | None:
    """A choice that no model can obey: a forced call without tools, a tool that is not offered, an unknown word."""
    asked = body.get("tool_choice")
    kind = "required" if asked == "any" else _kind(asked)
    if kind is None and isinstance(asked, str):
        why = "Kimi answers 400 to words other than 'auto', 'none' and 'required'"
        return Changes(notes=(fatal("tool_choice", "tool_choice", why, "write one of these"),))
    if kind in ("required", "named") and not any(_all_tools(body)):
        why = "there are no tools to call: Kimi answers 400"
        return changed("tool_choice", {"tool_choice": REMOVE}, "left out", why, "leave it out, or offer tools")
    if asked == "any":
        fix = "write tool_choice='required'"
        return changed("tool_choice", {"tool_choice": "required"}, "sent as 'required'", "it is Anthropic's word", fix)
    if kind == "named" and _is_missing(body, _name(asked)):
        change = "sent as 'required'; no tool of that name is in tools, so which one is called is open"
        fix = "name one of the tools that are offered"
        return changed("tool_choice", {"tool_choice": "required"}, change, "there is no such tool to call", fix)
    return None


def tool_choice(body: Body, model: ModelFacts) -> Changes | None:
    """A choice that the model refuses while it thinks.

    Thinking is disabled where that is possible; else the choice becomes `required`, or `auto` where the model refuses
    that too. A function that the choice names is then the only one that is offered.
    """
    asked = body.get("tool_choice")
    kind = _kind(asked)
    if kind is None or kind in (model.tool_choices if is_thinking(body, model) else model.tool_choices_off):
        return None
    word = "specified" if kind == "named" else kind
    why = f"Kimi answers 400 \"tool_choice '{word}' is incompatible with thinking enabled\""
    if model.thinking == "switchable" and kind in model.tool_choices_off:
        fix = 'write extra_body={"thinking": {"type": "disabled"}} on such a request'
        note = Note("tool_choice", "thinking", "disabled for this request", why, fix)
        return Changes({"thinking": {"type": "disabled"}}, (note,))
    choice = "required" if kind == "named" and "required" in model.tool_choices else "auto"
    fields: dict[str, Any] = {"tool_choice": choice}
    change = f"sent as {choice!r}" + ("; the model may answer without a call" if choice == "auto" else "")
    fix = f"write tool_choice={choice!r}"
    if kind == "named" and (only := _tools_named(body, [_name(asked)])):
        fields["tools"] = only
        change += ", with only that tool offered"
        fix += " and only that tool in tools"
    elif kind == "named":
        change += "; another tool may be called"
    return changed("tool_choice", fields, change, why, fix)


def _all_tools(body: Body) -> Iterator[Any]:
    """The tools of the body and of its messages."""
    for holder in (body, *filter(has_tools, as_list(body.get("messages")))):
        yield from as_list(holder.get("tools"))


def _kind(choice: object) -> ToolChoice | None:
    if isinstance(choice, str):
        return next((kind for kind in ("auto", "none", "required") if kind == choice), None)
    return "named" if isinstance(_name(choice), str) else None


def _is_missing(body: Body, name: Any) -> bool:
    return all(_name(tool) != name for tool in _all_tools(body))


def _name(tool: object) -> Any:
    return as_dict(as_dict(tool).get("function")).get("name")


def _tools_named(body: Body, names: Container[Any]) -> list[Any]:
    return [tool for tool in as_list(body.get("tools")) if _name(tool) in names]
