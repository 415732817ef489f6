"""`response_format`: which values Kimi refuses."""

from __future__ import annotations

from typing import Any

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.errors import Problem, invalid_request, missing_parameter
from kimi_openai.emulator.json_values import Json, is_object

from .fields import wrong_type
from .schemas import schema_problem

__all__ = ["response_format_problem"]

FIELD = "response_format.json_schema"


def response_format_problem(body: Json, behaviour: Behaviour) -> Problem | None:
    """An unknown type, or a `json_schema` without name, without schema or with a refused one."""
    response_format = body.get("response_format")
    if response_format is None or response_format.get("type") in ("text", "json_object"):
        return None
    if response_format.get("type") != "json_schema":
        return invalid_request(f"unknown response_format.type: {response_format.get('type')}")
    return _json_schema(response_format.get("json_schema"), behaviour)


def _json_schema(json_schema: Any, behaviour: Behaviour) -> Problem | None:
    if json_schema is None:
        return missing_parameter(FIELD)
    if not is_object(json_schema):
        return wrong_type(FIELD, "object", json_schema)
    for name in ("name", "schema"):
        if json_schema.get(name) in (None, ""):
            return missing_parameter(f"{FIELD}.{name}")
    schema, strict = json_schema["schema"], json_schema.get("strict")
    if not is_object(schema):
        text = f"the `{FIELD}.schema` field in the request (expected type dict[string,interface]) is illegal..."
        return invalid_request(text)
    if not isinstance(strict, bool | None):
        return wrong_type(f"{FIELD}.strict", "bool", strict)
    if not behaviour.mfjs_response_format or strict is False:
        return None
    return schema_problem(schema, f"{FIELD}.schema", behaviour)
