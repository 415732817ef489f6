"""What Kimi refuses in a request body, after it was adapted: wrong types, roles, parts and formats. Pure.

A request of one's own would get a 400 that says so; of a bulk run, nothing is sent. What the documentation leaves open,
such as a model that is not known here, is not refused. Source: platform docs, chat page, 2026-09-03; schema errors
as users reported them (400 "the `thinking` field in the request (expected type object) is illegal").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kimi_openai._internal.json_values import is_array, is_dict
from kimi_openai._internal.secrets import shown

__all__ = ["body_refusals"]

TEXT, LIST, OBJECT, WHOLE = ((str,), "a text"), ((list,), "a list"), ((dict,), "an object"), ((int,), "a whole number")
NUMBER, YES_OR_NO = ((int, float), "a number"), ((bool,), "true or false")

FIELDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "max_completion_tokens": WHOLE,
    "max_tokens": WHOLE,
    "temperature": NUMBER,
    "top_p": NUMBER,
    "presence_penalty": NUMBER,
    "frequency_penalty": NUMBER,
    "stop": ((str, list), "a text or a list of texts"),
    "tools": LIST,
    "tool_choice": ((str, dict), "a text or an object"),
    "response_format": OBJECT,
    "reasoning_effort": TEXT,
    "thinking": OBJECT,
    "logprobs": YES_OR_NO,
    "top_logprobs": WHOLE,
    "prediction": OBJECT,
    "prompt_cache_key": TEXT,
    "prompt_cache_options": OBJECT,
    "safety_identifier": TEXT,
}
"""The JSON types of the fields. Fields of other names are ignored by Kimi, and null is as if the field were absent."""

MESSAGE_FIELDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "content": ((str, list), "a text or a list of parts"),
    "name": TEXT,
    "partial": YES_OR_NO,
    "reasoning_content": TEXT,
    "tool_calls": LIST,
    "tool_call_id": TEXT,
}

ROLES = ("system", "user", "assistant", "tool")
PARTS = ("text", "image_url", "video_url")
FORMATS = ("text", "json_object", "json_schema")


def body_refusals(body: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong, each with its place.

    >>> list(body_refusals({"messages": [], "max_completion_tokens": "100"}))
    ["body.max_completion_tokens: it is '100'; Kimi takes a whole number"]
    """
    yield from _types(body, FIELDS, "body")
    for name in ("max_completion_tokens", "max_tokens"):
        cap = body.get(name)
        if type(cap) is int and cap < 1:
            yield f"body.{name}: it is {cap}; Kimi takes a number from 1 up"
    if is_dict(body.get("response_format")):
        yield from _response_format(body["response_format"])
    for place, tool in enumerate(_listed(body.get("tools"))):
        yield from _tool(tool, f"body.tools.{place}")
    for place, message in enumerate(_listed(body.get("messages"))):
        yield from _message(message, f"body.messages.{place}")


def _listed(value: Any) -> list[Any]:
    return value if is_array(value) else []


def _types(given: Mapping[str, Any], fields: Mapping[str, tuple[tuple[type, ...], str]], where: str) -> Iterator[str]:
    for name, (kinds, words) in fields.items():
        value = given.get(name)
        if value is not None and type(value) not in kinds:
            yield f"{where}.{name}: it is {shown(value)}; Kimi takes {words}"


def _response_format(given: Mapping[str, Any]) -> Iterator[str]:
    kind, asked = given.get("type"), given.get("json_schema")
    if kind not in FORMATS:
        yield f"body.response_format.type: it is {shown(kind)}; Kimi knows {', '.join(FORMATS)}"
    if kind != "json_schema":
        return
    where = "body.response_format.json_schema"
    if not is_dict(asked):
        yield f"{where}: it is missing; Kimi needs a name and a schema there"
        return
    if not isinstance(asked.get("name"), str) or not asked["name"]:
        yield f"{where}.name: it is missing; Kimi needs a name for the schema"
    if not is_dict(asked.get("schema")):
        yield f"{where}.schema: it is {shown(asked.get('schema'))}; Kimi takes an object"
    yield from _types(asked, {"strict": YES_OR_NO}, where)


def _tool(tool: Any, where: str) -> Iterator[str]:
    function = tool.get("function") if is_dict(tool) else None
    if not is_dict(function):
        yield f'{where}: it is {shown(tool)}; Kimi takes {{"type": "function", "function": {{"name": ...}}}}'
    elif not isinstance(function.get("name"), str) or not function["name"]:
        yield f"{where}.function.name: it is missing; each tool needs a name"


def _message(message: Mapping[str, Any], where: str) -> Iterator[str]:
    role = message.get("role")
    if role not in ROLES:
        yield f"{where}.role: it is {shown(role)}; Kimi knows {', '.join(ROLES)}"
    yield from _types(message, MESSAGE_FIELDS, where)
    for place, part in enumerate(_listed(message.get("content"))):
        kind = part.get("type") if is_dict(part) else None
        if kind not in PARTS:
            yield f"{where}.content.{place}: the type of the part is {shown(kind)}; Kimi knows {', '.join(PARTS)}"
        elif kind == "text" and not isinstance(part.get("text"), str):
            yield f"{where}.content.{place}.text: it is {shown(part.get('text'))}; Kimi takes a text"
