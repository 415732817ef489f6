"""The rule for `response_format`: schemas in Kimi's dialect, and JSON mode together with partial mode."""

from __future__ import annotations

from kimi_openai._internal.json_values import as_dict, as_list, is_object
from kimi_openai.errors.exceptions import Note
from kimi_openai.models.catalog import ModelFacts

from .rule import REMOVE, Body, Changes, Renamed, changed
from .schemas import convert_schema

__all__ = ["response_format"]


def response_format(body: Body, _: ModelFacts) -> Changes | None:
    """Converts the schema of the answer, and leaves JSON mode out if the last message is partial."""
    asked = body.get("response_format")
    if not is_object(asked):
        return None
    last = as_dict((as_list(body.get("messages")) or [None])[-1])
    if asked.get("type") == "json_object" and last.get("partial"):
        why = "the docs warn of unexpected output when JSON mode continues a prefix"
        fix = "let the prefix begin the JSON, or drop partial"
        return changed("response_format", {"response_format": REMOVE}, "left out", why, fix)
    described = asked.get("json_schema")
    if not is_object(described) or not is_object(described.get("schema")):
        return None
    notes: list[Note] = []
    where = "response_format.json_schema.schema"
    schema, names = convert_schema(described["schema"], where, notes)
    kept = {key: value for key, value in described.items() if value is not None}
    if schema is described["schema"] and len(kept) == len(described):
        return Changes({}, tuple(notes)) if notes else None
    renamed = () if names is None else (Renamed(where, None, names),)
    return Changes({"response_format": {**asked, "json_schema": {**kept, "schema": schema}}}, tuple(notes), renamed)
