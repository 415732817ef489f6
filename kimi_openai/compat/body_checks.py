"""What Kimi refuses in a request body, after it was adapted: wrong types, roles, parts and formats. Pure.

A single request gets a 400 that says so at once. Of a bulk run or a batch file, whose errors come late, nothing is
sent: `bulk.plan` and `batch_lines` ask here. What the documentation leaves open, such as a model that is not known
here, is not refused. Source: platform docs, chat page, 2026-09-03; schema errors as users reported them (400 "the
`thinking` field in the request (expected type object) is illegal").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kimi_openai._internal.json_values import is_array, is_dict
from kimi_openai._internal.secrets import shown
from kimi_openai.errors.exceptions import Note

from .rule import fatal

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


def body_refusals(body: Mapping[str, Any]) -> Iterator[Note]:
    """What is wrong, each with its place.

    >>> for note in body_refusals({"messages": [{"role": "user"}], "max_tokens": "9"}):
    ...     print(note.where, "|", note.why, "|", note.fix)
    max_tokens | it is '9' | Kimi takes a whole number
    """
    yield from _types(body, FIELDS, "")
    for name in ("max_completion_tokens", "max_tokens"):
        cap = body.get(name)
        if type(cap) is int and cap < 1:
            yield _wrong(name, f"it is {cap}", "Kimi takes a number from 1 up")
    if is_dict(body.get("response_format")):
        yield from _response_format(body["response_format"])
    for place, tool in enumerate(_listed(body.get("tools"))):
        yield from _tool(tool, f"tools.{place}")
    messages = _listed(body.get("messages"))
    if not messages:
        yield _wrong("messages", f"it is {shown(body.get('messages'))}", "Kimi takes a list of messages")
    for place, message in enumerate(messages):
        yield from _message(message, f"messages.{place}")


def _wrong(where: str, why: str, fix: str) -> Note:
    return fatal("body", where, why, fix)


def _listed(value: Any) -> list[Any]:
    return value if is_array(value) else []


def _types(given: Mapping[str, Any], fields: Mapping[str, tuple[tuple[type, ...], str]], where: str) -> Iterator[Note]:
    for name, (kinds, words) in fields.items():
        value = given.get(name)
        if value is not None and type(value) not in kinds:
            yield _wrong(f"{where}{name}", f"it is {shown(value)}", f"Kimi takes {words}")


def _response_format(given: Mapping[str, Any]) -> Iterator[Note]:
    kind, asked = given.get("type"), given.get("json_schema")
    if kind not in FORMATS:
        yield _wrong("response_format.type", f"it is {shown(kind)}", f"Kimi knows {', '.join(FORMATS)}")
    if kind != "json_schema":
        return
    where = "response_format.json_schema"
    if not is_dict(asked):
        yield _wrong(where, "it is missing", "Kimi needs a name and a schema there")
        return
    if not isinstance(asked.get("name"), str) or not asked["name"]:
        yield _wrong(f"{where}.name", "it is missing", "Kimi needs a name for the schema")
    if not is_dict(asked.get("schema")):
        yield _wrong(f"{where}.schema", f"it is {shown(asked.get('schema'))}", "Kimi takes an object")
    yield from _types(asked, {"strict": YES_OR_NO}, f"{where}.")


def _tool(tool: Any, where: str) -> Iterator[Note]:
    function = tool.get("function") if is_dict(tool) else None
    if not is_dict(function):
        yield _wrong(where, f"it is {shown(tool)}", 'Kimi takes {"type": "function", "function": {"name": ...}}')
    elif not isinstance(function.get("name"), str) or not function["name"]:
        yield _wrong(f"{where}.function.name", "it is missing", "each tool needs a name")


def _message(message: Any, where: str) -> Iterator[Note]:
    if not is_dict(message):
        yield _wrong(where, f"it is {shown(message)}", "Kimi takes an object with role and content")
        return
    role = message.get("role")
    if role not in ROLES:
        yield _wrong(f"{where}.role", f"it is {shown(role)}", f"Kimi knows {', '.join(ROLES)}")
    yield from _types(message, MESSAGE_FIELDS, f"{where}.")
    for place, part in enumerate(_listed(message.get("content"))):
        kind = part.get("type") if is_dict(part) else None
        if kind not in PARTS:
            why = f"the type of the part is {shown(kind)}"
            yield _wrong(f"{where}.content.{place}", why, f"Kimi knows {', '.join(PARTS)}")
        elif kind == "text" and not isinstance(part.get("text"), str):
            yield _wrong(f"{where}.content.{place}.text", f"it is {shown(part.get('text'))}", "Kimi takes a text")
