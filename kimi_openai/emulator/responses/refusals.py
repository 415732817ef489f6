"""What the Responses API refuses before the rules of a chat body are looked at. Every refusal is a 400.

Texts are those of live requests of 2026-09-03; of those that were not captured only the refusal is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.chat_body import facts_of
from kimi_openai.emulator.errors import Problem
from kimi_openai.emulator.frames import Response, json_response
from kimi_openai.emulator.json_values import Json, encode, is_array, is_object
from kimi_openai.emulator.validation.fields import wrong_type

from .body import APPLY_PATCH, input_items

__all__ = ["refusal_response", "refused"]

PREFIX = "invalid_request_error: "
MAX_OUTPUT = 1_048_576
EFFORTS = (None, "low", "medium", "high", "max")
TOOL_TYPES = ("function", "namespace", "custom", "web_search")
ITEM_TYPES = (
    "message",
    "reasoning",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "web_search_call",
    "additional_tools",
)
PART_TYPES = ("input_text", "input_image", "output_text")
INCLUDES = ("web_search_call.action.sources", "web_search_call.results")
FIELDS: dict[str, tuple[tuple[type, ...], str]] = {
    "model": ((str,), "string"),
    "input": ((str, list), "string or array"),
    "instructions": ((str,), "string"),
    "tools": ((list,), "array"),
    "include": ((list,), "array"),
    "reasoning": ((dict,), "object"),
    "text": ((dict,), "object"),
    "stream": ((bool,), "bool"),
    "max_output_tokens": ((int,), "integer"),
}
"""Known fields with their types. Unknown fields are ignored, and null is as if the field were absent."""

STATEFUL = ("previous_response_id", "conversation", "store", "background")


def refusal_response(problem: Problem) -> Response:
    """The error body of this API, which has `param` and `code`. An unknown model is a 400 here."""
    is_model = problem.status == 404
    error = {
        "message": problem.message,
        "type": "invalid_request_error" if is_model else problem.type,
        "param": "model" if is_model else None,
        "code": "model_not_found" if is_model else problem.type,
    }
    return json_response({"error": error}, 400 if is_model else problem.status)


def _double(text: str) -> Problem:
    return Problem(f"{PREFIX}{PREFIX}{text}")


def refused(body: Any, behaviour: Behaviour) -> Problem | None:
    """The first thing that the Responses API refuses, or None."""
    if not is_object(body):
        return _double("the request body is not a JSON object")
    return next((problem for check in CHECKS if (problem := check(body, behaviour))), None)


def _required(body: Json, behaviour: Behaviour) -> Problem | None:
    for name in ("model", "input"):
        if not body.get(name):
            return _double(f"missing required parameter: {name}")
    for name, (types, expected) in FIELDS.items():
        if body.get(name) is not None and type(body[name]) not in types:
            return wrong_type(name, expected, body[name])
    if not all(isinstance(each, str) for each in body.get("include") or ()):
        return _double("include must have texts")
    if not behaviour.responses_on_k2 and facts_of(body).control == "thinking":
        return Problem(f"Not found the model {body['model']} or Permission denied", status=404)
    return None


def _fields(body: Json, behaviour: Behaviour) -> Problem | None:
    if body.get("prompt_cache_retention") is not None:
        return _double("prompt_cache_retention is not supported")
    limit = body.get("max_output_tokens")
    if limit is not None and not 1 <= limit <= MAX_OUTPUT:
        return _double(f"max_output_tokens must be an integer from 1 to {MAX_OUTPUT}")
    if behaviour.responses_unsupported == "ignore":
        return None
    name = next((name for name in STATEFUL if body.get(name)), None)
    if name:
        return _double(f"{name} is not supported")
    unknown = next((each for each in body.get("include") or () if each not in INCLUDES), None)
    return _double(f'include: unsupported value "{unknown}"') if unknown else None


def _reasoning(body: Json, _: Behaviour) -> Problem | None:
    reasoning = body.get("reasoning")
    effort = reasoning.get("effort") if is_object(reasoning) else None
    return None if effort in EFFORTS else _double(f'reasoning.effort value "{effort}" is not supported')


def _tool_choice(body: Json, _: Behaviour) -> Problem | None:
    choice = body.get("tool_choice")
    if choice in (None, "auto"):
        return None
    return Problem(f"{PREFIX}responses: unsupported tool_choice value: {encode(choice)}")


def _text_format(body: Json, _: Behaviour) -> Problem | None:
    text = body.get("text")
    form = text.get("format") if is_object(text) else None
    kind = form.get("type") if is_object(form) else "text"
    if kind not in ("text", "json_schema"):
        return _double(f'text.format: unsupported type "{kind}"')
    is_whole = kind == "text" or (is_object(form) and is_object(form.get("schema")))
    return None if is_whole else _double("text.format: schema is required")


def _tools(body: Json, _: Behaviour) -> Problem | None:
    found: list[Any] = [*(body.get("tools") or ())]
    for item in input_items(body):
        if is_object(item) and item.get("type") == "additional_tools":
            if not is_array(item.get("tools")):
                return wrong_type("input.tools", "array", item.get("tools"))
            found += item["tools"]
    for tool in found:
        kind = tool.get("type") if is_object(tool) else None
        if kind not in TOOL_TYPES:
            return Problem(f"{PREFIX}responses: unsupported tool type: {encode(kind)}")
        problem = TOOL_CHECKS[kind](tool) if kind in TOOL_CHECKS else None
        if problem:
            return problem
    several = sum(is_object(tool) and tool.get("type") == "web_search" for tool in found) > 1
    return _double("only one web_search tool is allowed") if several else None


def _web_search(tool: Json) -> Problem | None:
    filters: Any = tool.get("filters") or {}
    if tool.get("search_context_size") is not None:
        return Problem("web_search.search_context_size is not supported")
    if tool.get("blocked_domains") or filters.get("blocked_domains"):
        return Problem("web_search.blocked_domains is not supported")
    if len(filters.get("allowed_domains") or ()) > 100:
        return Problem("web_search.filters.allowed_domains must not have more than 100 entries")
    return None


def _custom(tool: Json) -> Problem | None:
    if tool.get("name") != APPLY_PATCH:
        return _double(f'unsupported custom tool: "{tool.get("name")}"')
    form: Any = tool.get("format")
    is_grammar = is_object(form) and form.get("type") == "grammar" and form.get("syntax") == "lark"
    return None if is_grammar else _double("custom tool format must be a lark grammar")


TOOL_CHECKS: dict[str, Callable[[Json], Problem | None]] = {"web_search": _web_search, "custom": _custom}


def _items(body: Json, behaviour: Behaviour) -> Problem | None:
    for item in input_items(body):
        if not is_object(item):
            return _double("input: an item is not an object")
        kind = item.get("type") or "message"
        if kind not in ITEM_TYPES:
            return _double(f'input: unsupported item type "{kind}"')
        roles = ("user", "assistant", "developer", *(["system"] if behaviour.responses_system_role else []))
        if kind == "message" and item.get("role") not in roles:
            return _double(f'input: unsupported role "{item.get("role")}"')
        unknown = next(_unknown_parts(item.get("output" if kind.endswith("_output") else "content")), None)
        if unknown is not None and kind != "reasoning":
            return _double(f'unknown content part type: "{unknown}"')
    return None


def _unknown_parts(content: Any) -> Iterator[Any]:
    for part in content if is_array(content) else ():
        kind = part.get("type") if is_object(part) else None
        if kind not in PART_TYPES:
            yield kind or "null"


CHECKS: tuple[Callable[[Json, Behaviour], Problem | None], ...] = (
    _required,
    _fields,
    _reasoning,
    _tool_choice,
    _text_format,
    _tools,
    _items,
)
