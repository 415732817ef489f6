"""Reading a Responses body: input items, tools, budget. Pure and tolerant, as `emulator.chat_body`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kimi_openai.emulator.json_values import Json, is_array, is_object

__all__ = ["APPLY_PATCH", "DEFAULT_OUTPUT", "WEB_SEARCH", "functions_of", "input_items", "is_offered", "namespaces_of"]

APPLY_PATCH = "apply_patch"
"""The only custom tool."""

WEB_SEARCH = "web_search"

DEFAULT_OUTPUT = 131_072
"""`max_output_tokens` if it is not sent, for every model (docs)."""


def input_items(body: Json) -> list[Any]:
    """The items of `input`; a text is a user message."""
    given = body.get("input")
    if is_array(given):
        return given
    return [{"role": "user", "content": given}] if isinstance(given, str) else []


def functions_of(tools: Any) -> Iterator[Json]:
    """The function tools in their flat form, those in namespaces too."""
    for tool in tools if is_array(tools) else ():
        if is_object(tool) and tool.get("type") == "namespace":
            yield from functions_of(tool.get("tools"))
        elif is_object(tool) and tool.get("type") == "function":
            yield tool


def namespaces_of(tools: Any) -> dict[str, str]:
    """Function name to the namespace that it is in."""
    groups = [tool for tool in tools if is_object(tool) and tool.get("type") == "namespace"] if is_array(tools) else []
    return {str(each.get("name")): str(group.get("name")) for group in groups for each in functions_of(group["tools"])}


def is_offered(body: Json, kind: str) -> bool:
    """Whether a tool of this type is offered."""
    tools = body.get("tools")
    return is_array(tools) and any(is_object(tool) and tool.get("type") == kind for tool in tools)
