"""Schemas as zod writes them, as tool servers have them, and as OpenAPI files do."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from .words import TEXTS, names

__all__ = ["by_openapi", "by_tool_server", "by_zod"]

Json = dict[str, Any]


def _written(rng: Random, style: str, depth: int = 0) -> Json:
    """A subschema in the style of zod, of tool servers, or of OpenAPI."""
    if depth > 3 or rng.random() < 0.5:
        schema = dict(rng.choice(LEAVES[style]))
    else:
        schema = rng.choice(NESTED[style])(rng, style, depth + 1)
    if rng.random() < 0.4 and "$ref" not in schema:
        schema["description"] = rng.choice(TEXTS)
    return schema


def _object(rng: Random, style: str, depth: int) -> Json:
    properties = {name: _written(rng, style, depth) for name in names(rng)}
    schema: Json = {"type": "object", "properties": properties}
    schema["required"] = [name for name in properties if rng.random() < 0.6]
    if style == "zod" or rng.random() < 0.3:
        schema["additionalProperties"] = False
    return schema


def _alternatives(keyword: str, *more: Json) -> Callable[[Random, str, int], Json]:
    return lambda rng, style, depth: {keyword: [_written(rng, style, depth), *(more or [_written(rng, style, depth)])]}


def _array(rng: Random, style: str, depth: int) -> Json:
    return {"type": "array", "items": _written(rng, style, depth), **rng.choice(({}, {"minItems": 1}, {"maxItems": 5}))}


def _record(rng: Random, style: str, depth: int) -> Json:
    names: Json = {"propertyNames": {"type": "string"}} if style == "zod" else {}
    return {"type": "object", **names, "additionalProperties": _written(rng, style, depth)}


NULL = {"type": "null"}
LEAVES: dict[str, list[Json]] = {
    "zod": [
        {"type": "string"},
        {"type": "string", "format": "email", "pattern": "^a"},
        {"type": "string", "const": "x"},
        {"type": "boolean", "const": True},
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991},
        {"type": "string", "enum": ["a", "b"], "default": "a"},
        {},
        {"not": {}},
        {"$ref": "#/$defs/__schema0"},
        {"$ref": "#"},
    ],
    "tool server": [
        {"type": "string", "description": "the path"},
        {"type": ["string", "null"]},
        {"type": ["integer", "null"], "default": None},
        {"type": "number"},
        {"enum": ["a", "b"]},
        {"type": "array"},
        {"type": "object"},
        {"type": "boolean", "default": False},
        {"$ref": "#/definitions/Node"},
        {"type": "string", "format": "uri", "title": "Url"},
        {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
    ],
    "OpenAPI": [
        {"type": "string", "example": "x"},
        {"type": "string", "format": "date-time", "readOnly": True},
        {"type": "integer", "format": "int64"},
        {"type": "string", "enum": ["asc", "desc"], "default": "asc"},
        {"type": "string", "nullable": True},
        {"$ref": "#/components/schemas/Pet"},
        {"$ref": "#/components/schemas/Content"},
        {"allOf": [{"$ref": "#/components/schemas/Pet"}], "description": "its pet", "nullable": True},
        {"type": "object", "additionalProperties": True},
        {"type": "boolean"},
    ],
}
NESTED: dict[str, list[Callable[[Random, str, int], Json]]] = {
    "zod": [
        _object,
        _object,
        _array,
        _record,
        _alternatives("anyOf"),
        _alternatives("anyOf", NULL),
        _alternatives("allOf"),
    ],
    "tool server": [_object, _object, _array, _record, _alternatives("anyOf", NULL), _alternatives("oneOf")],
    "OpenAPI": [_object, _object, _array, _record, _alternatives("oneOf"), _alternatives("allOf", {"type": "object"})],
}


def by_zod(rng: Random) -> Json:
    """A schema in the style of zod 4."""
    schema = _object(rng, "zod", 1)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "$defs": {"__schema0": _object(rng, "zod", 2)},
    }


def by_tool_server(rng: Random) -> Json:
    """A schema in the style of tool servers: draft 7, with a recursive definition."""
    node = _object(rng, "tool server", 2)
    node["properties"]["children"] = {"type": "array", "items": {"$ref": "#/definitions/Node"}}
    if rng.random() < 0.3:
        node |= {"properties": {"children": node["properties"]["children"]}, "required": ["children"]}
    return {**_object(rng, "tool server", 1), "definitions": {"Node": node}}


def by_openapi(rng: Random) -> Json:
    """A schema with those of an OpenAPI 3.0 file that it refers to."""
    media = {"type": "object", "properties": {"application/json": _written(rng, "OpenAPI", 2)}}
    content = {
        "type": "object",
        "properties": {"text/plain": {"type": "string"}, "parts": {"$ref": "#/components/schemas/Content"}},
    }
    pet = _object(rng, "OpenAPI", 2)
    pet["properties"]["content"] = rng.choice([media, {"$ref": "#/components/schemas/Content"}])
    return {**_object(rng, "OpenAPI", 1), "components": {"schemas": {"Pet": pet, "Content": content}}}
