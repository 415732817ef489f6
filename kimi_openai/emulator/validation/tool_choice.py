"""`tool_choice`: which values Kimi refuses, by model and thinking."""

from __future__ import annotations

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.chat_body import facts_of, functions_of, thinks, tool_choice_kind, tools_of
from kimi_openai.emulator.errors import Problem, invalid_request
from kimi_openai.emulator.json_values import Json, is_object
from kimi_openai.models.catalog import ToolChoice

__all__ = ["tool_choice_problem"]

KINDS: tuple[ToolChoice, ...] = ("auto", "none", "required", "named")


def tool_choice_problem(body: Json, behaviour: Behaviour) -> Problem | None:
    """An unknown kind, one that the model does not have with this thinking, or one that needs tools and has none."""
    facts, kind = facts_of(body), next((kind for kind in KINDS if kind == tool_choice_kind(body)), None)
    if kind is None or body.get("tool_choice") == "named":
        return invalid_request(f"unknown tool_choice: {body['tool_choice']}")
    if kind not in (facts.tool_choices if thinks(body, behaviour) else facts.tool_choices_off):
        word = "specified" if kind == "named" else kind  # the platform's word for the object form
        return Problem(f"tool_choice '{word}' is incompatible with thinking enabled")
    if kind == "required" and not any(tools_of(body)):
        return invalid_request("tool_choice 'required' needs tools")
    return _named(body) if kind == "named" else None


def _named(body: Json) -> Problem | None:
    function = body["tool_choice"].get("function")
    name = function.get("name") if is_object(function) else None
    if any(offered.get("name") == name for offered in functions_of(body)):
        return None
    return invalid_request(f"tool_choice names a tool that is not offered: {name}")
