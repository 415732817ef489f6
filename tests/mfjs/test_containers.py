"""Objects and arrays: properties, required names, items and tuples."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mfjs.shapes import ANY, INTEGER, STRING, Case, check_property

CASES: dict[str, Case] = {
    "tuple": (
        {"type": "array", "prefixItems": [STRING, INTEGER], "minItems": 2, "maxItems": 2},
        {"type": "array", "items": {"anyOf": [STRING, INTEGER]}, "minItems": 2, "maxItems": 2},
        ["which item has which type"],
    ),
    "pair-of-one-type": (
        {"type": "array", "prefixItems": [STRING, STRING], "items": False},
        {"type": "array", "items": STRING, "maxItems": 2},
        [],
    ),
    "draft-4-tuple": (
        {"type": "array", "items": [STRING], "additionalItems": INTEGER},
        {"type": "array", "items": {"anyOf": [STRING, INTEGER]}},
        ["which item has which type"],
    ),
    "open-tuple": ({"prefixItems": [STRING]}, {"type": "array", "items": STRING, "maxItems": 1}, ["more than 1 items"]),
    "zod-record": (
        {"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": INTEGER},
        {"type": "object", "additionalProperties": INTEGER},
        [],
    ),
    "pattern-properties": (
        {"type": "object", "patternProperties": {"^a": INTEGER}, "additionalProperties": False},
        {"type": "object", "additionalProperties": INTEGER},
        ["patternProperties is not enforced"],
    ),
    "required-unknown": (
        {"type": "object", "required": ["a"]},
        {"type": "object", "properties": {"a": ANY}, "required": ["a"]},
        [],
    ),
    "required-closed": (
        {
            "type": "object",
            "properties": {"b": STRING},
            "required": ["b", "a", "b", "", 3],
            "additionalProperties": False,
        },
        {"type": "object", "properties": {"b": STRING}, "required": ["b"], "additionalProperties": False},
        ['required "a" can never', 'required "" can never', "required 3 is not a name"],
    ),
    "required-draft-3": (
        {"type": "object", "properties": {"a": {"type": "string", "required": True}}},
        {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
        [],
    ),
    "keywords-as-names": (
        {"type": "object", "properties": {"title": STRING, "format": STRING, "enum": STRING, "type": STRING}},
        {"type": "object", "properties": {"title": STRING, "format": STRING, "enum": STRING, "type": STRING}},
        [],
    ),
    "odd-names": (
        {"type": "object", "properties": {"a.b/c~d é": STRING}},
        {"type": "object", "properties": {"a.b/c~d é": STRING}},
        [],
    ),
    "property-of-no-schema": (
        {"type": "object", "properties": {"a": None}},
        {"type": "object", "properties": {"a": ANY}},
        ["null is not a schema"],
    ),
    "impossible-property": (
        {"type": "object", "properties": {"a": False}},
        {"type": "object", "properties": {}},
        ["properties.a: nothing can satisfy it"],
    ),
    "free-items": ({"type": "array", "items": {}}, {"type": "array"}, []),
    "no-items": ({"type": "array", "items": False}, {"type": "array", "maxItems": 0}, []),
    "free-rest": ({"type": "object", "additionalProperties": {}}, {"type": "object", "additionalProperties": {}}, []),
}


@pytest.mark.parametrize(("schema", "expected", "notes"), CASES.values(), ids=CASES)
def test_containers(schema: Any, expected: Any, notes: list[str]) -> None:
    """Each object and array is converted as the table says, with those notes and no others."""
    check_property(schema, expected, notes)
