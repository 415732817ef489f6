"""`tools`, at the top level and in messages: which definitions Kimi refuses."""

from __future__ import annotations

import re
from typing import Any

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.chat_body import messages_of
from kimi_openai.emulator.errors import Problem, invalid_request
from kimi_openai.emulator.json_values import Json, is_object

from .fields import wrong_type
from .schemas import schema_problem

__all__ = ["tools_problem"]

TOOL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,127}", re.ASCII)


def tools_problem(body: Json, behaviour: Behaviour) -> Problem | None:
    """A malformed tool, a refused schema, or a name that two tools have."""
    names: set[str] = set()
    for holder in (body, *messages_of(body)):
        for tool in holder.get("tools") or ():
            problem = _tool(tool, behaviour)
            if problem:
                return problem
            name = tool["function"]["name"]
            if name in names:
                return Problem(f"function name {name} is duplicated")
            names.add(name)
    return None


def _tool(tool: Any, behaviour: Behaviour) -> Problem | None:
    if not is_object(tool):
        return wrong_type("tools", "object", tool)
    kind, function = tool.get("type"), tool.get("function")
    if kind not in ("function", "builtin_function"):
        return invalid_request(f"unknown tool type: {kind}")
    if not is_object(function):
        return wrong_type("tools.function", "object", function)
    if not _is_name(function.get("name"), builtin=kind == "builtin_function"):
        return invalid_request(f"function name {function.get('name')} is invalid, it must match {TOOL_NAME.pattern}")
    if not isinstance(function.get("strict", True), bool | None):
        return wrong_type("tools.function.strict", "bool", function["strict"])
    return None if kind == "builtin_function" else _parameters(function.get("parameters"), behaviour)


def _is_name(name: Any, *, builtin: bool) -> bool:
    return isinstance(name, str) and bool(TOOL_NAME.fullmatch(name.removeprefix("$") if builtin else name))


def _parameters(parameters: Any, behaviour: Behaviour) -> Problem | None:
    if parameters is not None and not is_object(parameters):
        return wrong_type("tools.function.parameters", "object", parameters)
    problem = schema_problem(parameters or {}, "tools.function.parameters", behaviour)
    if problem:
        return problem
    if not parameters or parameters.get("type") != "object":
        return Problem('tools.function.parameters.type is required and must be "object"')
    return None
