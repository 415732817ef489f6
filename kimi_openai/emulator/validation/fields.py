"""The JSON types of the known fields of a chat body. They are checked before all other rules."""

from __future__ import annotations

from kimi_openai.emulator.errors import Problem, invalid_request, missing_parameter
from kimi_openai.emulator.json_values import is_object

__all__ = ["fields_problem", "wrong_type"]

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
"""Known fields with their JSON types. Unknown fields are accepted and ignored (probed); `null` means absent."""

TYPE_NAMES: dict[type, str] = {
    bool: "bool",
    str: "string",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
"""The JSON type of a value in the words of the platform's texts."""


def wrong_type(field: str, expected: str, value: object) -> Problem:
    """400 for a field of the wrong JSON type.

    >>> wrong_type("thinking", "object", True).message
    'Invalid request: the `thinking` field in the request (expected type object) is illegal, and bool is not acceptable'
    """
    return invalid_request(
        f"the `{field}` field in the request (expected type {expected}) is illegal, "
        f"and {TYPE_NAMES[type(value)]} is not acceptable"
    )


def fields_problem(body: object) -> Problem | None:
    """A body that is not an object, lacks a required field, or has a field of the wrong JSON type."""
    if not is_object(body):
        return invalid_request("the request body is not a JSON object")
    for field, kinds in KINDS.items():
        value = body.get(field)
        kind = "integer" if type(value) is int and "integer" in kinds else TYPE_NAMES[type(value)]
        if value is not None and kind not in kinds:
            return wrong_type(field, " or ".join(kinds), value)
    for field in ("model", "messages"):
        if not body.get(field):
            return missing_parameter(field)
    return None
