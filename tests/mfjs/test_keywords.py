"""Keywords without schemas: types, values, bounds, defaults and descriptions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mfjs.shapes import INTEGER, NULL, NUMBER, STRING, Case, check_property

CASES: dict[str, Case] = {
    "type-list-of-one": ({"type": ["string"]}, STRING, []),
    "misspelt-type": ({"type": "float"}, NUMBER, ['there is no type "float"; number is used instead']),
    "upper-case-type": ({"type": "STRING"}, STRING, ['there is no type "STRING"; string']),
    "unknown-type": ({"type": "file"}, STRING, ['there is no type "file"; string']),
    "from-enum": ({"enum": ["a", "b", "a"]}, {"type": "string", "enum": ["a", "b"]}, []),
    "const-string": ({"const": "a"}, {"type": "string", "enum": ["a"]}, []),
    "const-null": ({"const": None}, NULL, []),
    "const-bool": ({"const": True}, {"type": "boolean", "enum": [True]}, []),
    "enum-of-one-bool": ({"type": "boolean", "enum": [False]}, {"type": "boolean", "enum": [False]}, []),
    "enum-of-null": (
        {"type": ["null", "string"], "enum": [None, "a"]},
        {"anyOf": [NULL, {"type": "string", "enum": ["a"]}]},
        [],
    ),
    "const-object": (
        {"const": {"a": 1}},
        {
            "type": "object",
            "properties": {"a": {"type": "integer", "enum": [1]}},
            "required": ["a"],
            "additionalProperties": False,
        },
        [],
    ),
    "const-array": (
        {"const": ["a"]},
        {"type": "array", "items": {"type": "string", "enum": ["a"]}, "minItems": 1, "maxItems": 1},
        [],
    ),
    "const-array-of-two": (
        {"const": ["a", "b"]},
        {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "minItems": 2, "maxItems": 2},
        ['the order in ["a", "b"] is not enforced'],
    ),
    "const-array-of-two-types": (
        {"const": ["a", 1]},
        {
            "type": "array",
            "items": {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer", "enum": [1]}]},
            "minItems": 2,
            "maxItems": 2,
        },
        ['the order in ["a", 1] is not enforced'],
    ),
    "const-empty-array": ({"const": []}, {"type": "array", "maxItems": 0}, []),
    "const-object-with-an-empty-name": (
        {"const": {"": 1}},
        {
            "type": "object",
            "properties": {"_": {"type": "integer", "enum": [1]}},
            "required": ["_"],
            "additionalProperties": False,
        },
        ["properties.x.properties.: it is named '_'"],
    ),
    "enum-with-pattern": ({"enum": ["ab", "b"], "pattern": "^a"}, {"type": "string", "enum": ["ab"]}, []),
    "enum-with-a-pattern-of-another-language": (
        {"enum": ["b"], "pattern": r"^\p{L}"},
        {"type": "string", "enum": ["b"], "pattern": r"^\p{L}"},
        [],
    ),
    "enum-of-no-json": ({"enum": ["a", float("nan")]}, {"type": "string", "enum": ["a"]}, []),
    "mixed-enum": (
        {"enum": ["a", 1, 1.5, None, True, False]},
        {
            "anyOf": [
                {"type": "string", "enum": ["a"]},
                {"type": "integer", "enum": [1]},
                {"type": "number", "enum": [1.5]},
                NULL,
                {"type": "boolean"},
            ]
        },
        [],
    ),
    "empty-enum": ({"type": "string", "enum": []}, STRING, ["enum [] is not a list of values"]),
    "exclusive-integer": (
        {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9.5},
        {"type": "integer", "minimum": 1, "maximum": 9},
        [],
    ),
    "exclusive-number": (
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "number", "minimum": 0, "description": "(exclusiveMinimum: 0)"},
        ["exclusiveMinimum 0 is only mentioned"],
    ),
    "exclusive-draft-4": (
        {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
        {"type": "integer", "minimum": 1},
        [],
    ),
    "bound-of-no-number": ({"type": "integer", "minimum": "0"}, INTEGER, ['minimum "0" is not a number']),
    "bounds-of-another-type": ({"type": "string", "minItems": 1, "minimum": 3, "properties": {}}, STRING, []),
    "format": (
        {"type": "string", "format": "date-time", "description": "When."},
        {"type": "string", "description": "When. (format: date-time)"},
        ['format "date-time" is only mentioned'],
    ),
    "format-of-a-number": ({"type": "integer", "format": "int64"}, INTEGER, []),
    "mentioned": (
        {"type": "array", "uniqueItems": True},
        {"type": "array", "description": "(uniqueItems: true)"},
        ["uniqueItems true is only mentioned"],
    ),
    "dropped": ({"type": "string", "not": {"const": "a"}}, STRING, ["not is not enforced"]),
    "annotations": (
        {
            "type": "string",
            "title": "T",
            "$comment": "c",
            "examples": ["e"],
            "deprecated": True,
            "readOnly": True,
            "x-odd": {},
        },
        STRING,
        [],
    ),
    "default-kept": ({"type": "integer", "default": 3}, {"type": "integer", "default": 3}, []),
    "default-in-its-branch": (
        {"anyOf": [STRING, NULL], "default": "a"},
        {"anyOf": [{"type": "string", "default": "a"}, NULL]},
        [],
    ),
    "default-null": ({"anyOf": [STRING, NULL], "default": None}, {"anyOf": [STRING, NULL]}, []),
    "default-mentioned": ({"type": "array", "default": [1]}, {"type": "array", "description": "(default: [1])"}, []),
}


@pytest.mark.parametrize(("schema", "expected", "notes"), CASES.values(), ids=CASES)
def test_keywords(schema: Any, expected: Any, notes: list[str]) -> None:
    """Each keyword of a property is converted as the table says, with those notes and no others."""
    check_property(schema, expected, notes)
