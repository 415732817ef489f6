"""The rule for `text.format` of a Responses request, and whether it asks for JSON.

Source: platform docs, Responses page, and live requests, both 2026-09-03.
"""

from __future__ import annotations

from kimi_openai._internal.json_values import Json, as_dict, is_object
from kimi_openai.compat.rule import REMOVE, Body, Changes, Renamed
from kimi_openai.compat.schemas import convert_schema
from kimi_openai.errors.exceptions import Note
from kimi_openai.models.catalog import ModelFacts

__all__ = ["asks_for_json", "text_format"]


def asks_for_json(body: Json) -> bool:
    """Whether a request, as the caller wrote it, asks for a JSON answer.

    >>> asks_for_json({"text": {"format": {"type": "json_object"}}}), asks_for_json({"input": "Hi"})
    (True, False)
    """
    return as_dict(as_dict(body.get("text")).get("format")).get("type") in ("json_object", "json_schema")


def text_format(body: Body, _: ModelFacts) -> Changes | None:
    """`text.format`: schemas in Kimi's dialect; JSON mode, which Kimi does not have; nothing beside a forced call."""
    text = body.get("text")
    asked = as_dict(as_dict(text).get("format"))
    if not is_object(text) or "format" not in text:
        return None
    rest = {name: value for name, value in text.items() if name != "format" and value is not None}
    kind = asked.get("type", "text")
    choice = as_dict(body.get("tool_choice"))
    if kind == "json_schema" and choice and choice.get("type") != "allowed_tools":
        why, fix = "the answer would be text in that format instead of the call", "ask for one of the two"
        return _without_format(rest, "left out, because a tool is chosen", why, fix)
    if kind == "json_schema":
        return _with_schema(text, asked)
    if kind == "text":
        return Changes({"text": rest or REMOVE})
    why = f"Kimi answers 400 'text.format: unsupported type \"{kind}\"'"
    fix = "write a json_schema format, or ask for JSON in the prompt"
    return _without_format(rest, "left out", why, fix)


def _without_format(rest: Body, change: str, why: str, fix: str) -> Changes:
    return Changes({"text": rest or REMOVE}, (Note("text_format", "text.format", change, why, fix),))


def _with_schema(text: Body, asked: Body) -> Changes | None:
    notes: list[Note] = []
    kept, names = {name: value for name, value in asked.items() if value is not None}, None
    if is_object(kept.get("schema")):
        kept["schema"], names = convert_schema(kept["schema"], "text.format.schema", notes)
    fields = {} if kept == asked else {"text": {**text, "format": kept}}
    renamed = () if names is None else (Renamed("text.format.schema", None, names),)
    return Changes(fields, tuple(notes), renamed)
