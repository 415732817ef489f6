"""The JSON types of a chat body's known fields, and how a wrong one is told.

Pure; the first check of all. Unknown fields are accepted and ignored, as in the cases that were probed.
"""

from __future__ import annotations

from .wire import Problem, is_object

__all__ = ["illegal", "invalid", "kind_of", "shape_problem"]


KINDS: dict[str, tuple[str, ...]] = {
    "model": ("string",),
    "messages": ("array",),
    "max_completion_tokens": ("integer",),
    "max_tokens": ("integer",),
    "temperature": ("number",),
    "top_p": ("number",),
    "n": ("integer",),
    "presence_penalty": ("number",),
    "frequency_penalty": ("number",),
    "stop": ("string", "array"),
    "stream": ("bool",),
    "stream_options": ("object",),
    "tools": ("array",),
    "tool_choice": ("string", "object"),
    "response_format": ("object",),
    "reasoning_effort": ("string",),
    "thinking": ("object",),
    "logprobs": ("bool",),
    "top_logprobs": ("integer",),
    "prediction": ("object",),
    "prompt_cache_key": ("string",),
    "prompt_cache_options": ("object",),
    "safety_identifier": ("string",),
}
"""Known fields with their JSON types; unknown fields are accepted and ignored, and `null` is as good as absent."""


def invalid(text: str) -> Problem:
    """400 `invalid_request_error` with the usual beginning."""
    return Problem(f"Invalid request: {text}")


def illegal(field: str, expected: str, value: object) -> Problem:
    """A field of the wrong JSON type.

    >>> illegal("thinking", "object", True).message
    'Invalid request: the `thinking` field in the request (expected type object) is illegal, and bool is not acceptable'
    """
    return invalid(
        f"the `{field}` field in the request (expected type {expected}) is illegal, "
        f"and {kind_of(value)} is not acceptable"
    )


def kind_of(value: object) -> str:
    """The JSON type of a value as the platform's texts call it."""
    names: dict[object, str] = {
        bool: "bool",
        str: "string",
        int: "number",
        float: "number",
        list: "array",
        dict: "object",
        type(None): "null",
    }
    return names.get(type(value), "null")


def shape_problem(body: object) -> Problem | None:
    """A body that is not an object, lacks a required field, or has a field of the wrong JSON type."""
    if not is_object(body):
        return invalid("the request body is not a JSON object")
    for field, kinds in KINDS.items():
        value = body.get(field)
        kind = (
            "integer"
            if isinstance(value, int) and not isinstance(value, bool) and "integer" in kinds
            else kind_of(value)
        )
        if value is not None and kind not in kinds:
            return illegal(field, " or ".join(kinds), value)
    for field in ("model", "messages"):
        if not body.get(field):
            return Problem(f"missing required parameter: {field}")
    return None
