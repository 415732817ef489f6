"""Reading a schema: implied types, unions, `oneOf`, discriminators, depth."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.mfjs.convert import to_mfjs
from tests.mfjs.shapes import ANY, INTEGER, NULL, NUMBER, STRING, Case, Json, check_property, of

CASES: dict[str, Case] = {
    "type-beside-anyof": (
        {"type": "string", "anyOf": [{"minLength": 1}, {"maxLength": 9}]},
        {"anyOf": [{"type": "string", "minLength": 1}, {"type": "string", "maxLength": 9}]},
        [],
    ),
    "keywords-to-their-branch": (
        {"minimum": 3, "minLength": 2, "anyOf": [INTEGER, STRING, NULL]},
        {"anyOf": [{"type": "integer", "minimum": 3}, {"type": "string", "minLength": 2}, NULL]},
        [],
    ),
    "type-list": (
        {"type": ["array", "null"], "items": STRING},
        {"anyOf": [{"type": "array", "items": STRING}, NULL]},
        [],
    ),
    "nullable": ({"type": "string", "nullable": True}, {"anyOf": [STRING, NULL]}, []),
    "nested-unions": (
        {"anyOf": [{"anyOf": [STRING, NULL]}, {"anyOf": [NULL, INTEGER]}]},
        {"anyOf": [STRING, NULL, INTEGER]},
        [],
    ),
    "union-of-one": ({"anyOf": [STRING], "description": "d"}, {"type": "string", "description": "d"}, []),
    "from-properties": ({"properties": {"a": STRING}}, {"type": "object", "properties": {"a": STRING}}, []),
    "from-items": ({"items": STRING}, {"type": "array", "items": STRING}, []),
    "from-pattern": ({"pattern": "^a"}, {"type": "string", "pattern": "^a"}, []),
    "from-minimum": ({"minimum": 1}, {"type": "number", "minimum": 1}, []),
    "anything": ({}, ANY, []),
    "true": (True, ANY, []),
    "described-anything": ({"description": "d"}, {**ANY, "description": "d"}, []),
    "oneof-apart": ({"oneOf": [STRING, INTEGER]}, {"anyOf": [STRING, INTEGER]}, []),
    "oneof-overlapping": ({"oneOf": [NUMBER, INTEGER]}, {"anyOf": [NUMBER, INTEGER]}, ["oneOf became anyOf"]),
    "oneof-tagged": (
        {
            "oneOf": [
                {"type": "object", "properties": {"k": {"const": "a"}}, "required": ["k"]},
                {"type": "object", "properties": {"k": {"const": "b"}}, "required": ["k"]},
            ]
        },
        {
            "anyOf": [
                {"type": "object", "properties": {"k": {"type": "string", "enum": ["a"]}}, "required": ["k"]},
                {"type": "object", "properties": {"k": {"type": "string", "enum": ["b"]}}, "required": ["k"]},
            ]
        },
        [],
    ),
    "oneof-of-guessed-types": (
        {"oneOf": [{"maximum": 2}, NULL]},
        {"anyOf": [NUMBER | {"maximum": 2}, NULL]},
        ["oneOf"],
    ),
    "discriminator-requires-its-tag": (
        {
            "discriminator": {"propertyName": "k"},
            "oneOf": [{"type": "object", "properties": {"k": {"const": "a"}}}, NULL],
        },
        {
            "anyOf": [
                {"type": "object", "properties": {"k": {"type": "string", "enum": ["a"]}}, "required": ["k"]},
                NULL,
            ]
        },
        [],
    ),
    "allof-single": ({"allOf": [STRING], "description": "d"}, {"type": "string", "description": "d"}, []),
    "unevaluated": (
        {"type": "object", "properties": {}, "unevaluatedProperties": False},
        {"type": "object", "properties": {}, "additionalProperties": False},
        [],
    ),
}


@pytest.mark.parametrize(("schema", "expected", "notes"), CASES.values(), ids=CASES)
def test_reader(schema: Any, expected: Any, notes: list[str]) -> None:
    """Each combination of keywords is read as the table says, with those notes and no others."""
    check_property(schema, expected, notes)


def test_depth_is_limited() -> None:
    """A schema thousands of levels deep is cut off with a note."""
    deep: Json = STRING
    for _ in range(5000):
        deep = {"type": "array", "items": deep}
    result = to_mfjs(of(deep))
    assert [note.partition(": ")[2] for note in result.notes] == ["too deep; anything is accepted from here"]
    assert to_mfjs(result.schema).notes == ()
