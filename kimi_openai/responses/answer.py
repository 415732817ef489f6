"""Checks of a response and of its items as they come, and what is missing in them: an output, arguments, a text.

Pure. Raises `WireError` for what has another type than documented; the client makes exceptions of the SDK of it.
"""

from __future__ import annotations

from typing import Any

from kimi_openai._internal.json_values import Json, as_dict, as_list, is_array, is_dict
from kimi_openai._internal.wire import WireError, is_list_of_objects

__all__ = ["checked_item", "checked_response", "output_text", "reasoning_text"]

TEXT_PARTS = {"output_text": "text", "refusal": "refusal", "summary_text": "text", "reasoning_text": "text"}


def checked_response(value: object) -> dict[str, Any]:
    """The response with a list as its output. Raises `WireError`.

    >>> checked_response({"id": "resp_1", "output": None})
    {'id': 'resp_1', 'output': []}
    """
    if not is_dict(value):
        raise WireError("", "an object", value)
    output: Any = value.get("output")
    if output is not None and not is_array(output):
        raise WireError("output", "a list", output)
    items = [checked_item(item, f"output.{number}") for number, item in enumerate(as_list(output))]
    checked = {**value, "output": items}
    if not is_dict(value.get("usage", {})):
        checked["usage"] = None
    return checked


def checked_item(value: object, where: str) -> dict[str, Any]:
    """An item of the output with the types that the SDK's code takes for granted. Raises `WireError`."""
    if not is_dict(value):
        raise WireError(where, "an object", value)
    kind = value.get("type")
    if not isinstance(kind, str):
        raise WireError(f"{where}.type", "text", kind)
    if kind == "function_call":
        return _checked_call(value, where)
    if kind in ("message", "reasoning"):
        return _checked_parts(value, where)
    return value


def _checked_call(call: dict[str, Any], where: str) -> dict[str, Any]:
    if not isinstance(call.get("name"), str):
        raise WireError(f"{where}.name", "text", call.get("name"))
    arguments = call.get("arguments")
    if arguments is None:
        return {**call, "arguments": ""}
    if not isinstance(arguments, str):
        raise WireError(f"{where}.arguments", "text", arguments)
    return call


def _checked_parts(item: dict[str, Any], where: str) -> dict[str, Any]:
    names = ("content",) if item["type"] == "message" else ("content", "summary")
    changed: dict[str, Any] = {}
    for name in names:
        parts = item.get(name)
        if parts is None:
            if name != "content" or item["type"] == "message":
                changed[name] = []
            continue
        if not is_list_of_objects(parts):
            raise WireError(f"{where}.{name}", "a list of objects", parts)
        for number, part in enumerate(parts):
            kind = part.get("type")
            key = TEXT_PARTS.get(kind) if isinstance(kind, str) else None
            if key is not None and not isinstance(part.get(key), str):
                raise WireError(f"{where}.{name}.{number}.{key}", "text", part.get(key))
    return {**item, **changed} if changed else item


def output_text(response: Json) -> str:
    """The text of a response, as the SDK's `output_text` has it."""
    messages = [item for item in map(as_dict, as_list(response.get("output"))) if item.get("type") == "message"]
    parts = [part for message in messages for part in as_list(message.get("content"))]
    return "".join(str(as_dict(part).get("text") or "") for part in parts if as_dict(part).get("type") == "output_text")


def reasoning_text(response: Json) -> str:
    """The summary of the reasoning."""
    items = [item for item in map(as_dict, as_list(response.get("output"))) if item.get("type") == "reasoning"]
    return "".join(str(as_dict(part).get("text") or "") for item in items for part in as_list(item.get("summary")))
