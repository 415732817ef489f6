"""Schemas that the tests of `mfjs` share, and what holds for every conversion."""

from __future__ import annotations

import json
from typing import Any

from kimi_openai.emulator import mfjs_problem
from kimi_openai.mfjs.convert import Normalized, to_mfjs

__all__ = [
    "ANY",
    "INTEGER",
    "NODE",
    "NULL",
    "NUMBER",
    "STRING",
    "Case",
    "Json",
    "check",
    "check_property",
    "convert",
    "of",
]

Json = dict[str, Any]
Case = tuple[Any, Any, list[str]]
"""A schema, its conversion, and a part of each note."""

STRING, INTEGER, NUMBER, NULL = ({"type": kind} for kind in ("string", "integer", "number", "null"))
ANY = {"anyOf": [{"type": kind} for kind in ("string", "number", "boolean", "object", "array", "null")]}
NODE = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, NULL]}}}


def of(schema: object, **root: object) -> Json:
    """A root object with the schema as its one property `x`."""
    return {"type": "object", "properties": {"x": schema}, **root}


def check_property(schema: object, expected: object, notes: list[str]) -> None:
    """The conversion of a property is as expected, with those notes and no others, each with the property's path."""
    result = check(of(schema), of(expected), notes)
    assert all(note.startswith("properties.x") for note in result.notes)


def check(schema: Json, expected: Json, notes: list[str]) -> Normalized:
    """The conversion of a whole schema is as expected, with those notes and no others."""
    result = convert(schema)
    assert result.schema == expected
    assert len(result.notes) == len(notes)
    assert all(part in note for part, note in zip(notes, result.notes, strict=True))
    return result


def convert(schema: Json, *, root_object: bool = True) -> Normalized:
    """The conversion: valid by the emulator's own validator at its highest level and by the docs, which want a type
    everywhere; stable, and without effect on the input."""
    before = repr(schema)
    result, other = (to_mfjs(schema, root_object=root_object) for _ in range(2))
    assert result == other
    assert to_mfjs(result.schema, root_object=root_object) == Normalized(result.schema, ())
    if root_object:
        assert mfjs_problem(json.loads(json.dumps(result.schema)), level="ultra") is None
        assert _has_types(result.schema)
    _clear(other.schema)
    assert repr(schema) == before
    return result


def _has_types(node: Json) -> bool:
    parts = [*node.get("properties", {}).values(), *node.get("$defs", {}).values(), *node.get("anyOf", ())]
    parts += [node[key] for key in ("items", "additionalProperties") if node.get(key) and isinstance(node[key], dict)]
    return not node.keys().isdisjoint(("type", "anyOf", "$ref")) and all(map(_has_types, parts))


def _clear(value: Any) -> None:
    """Empties every container in the value; if one of them belongs to the input, the input changes too."""
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            _clear(inner)
        value.clear()
