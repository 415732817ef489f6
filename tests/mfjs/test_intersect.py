"""Keywords side by side: the result accepts what all of them accept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mfjs.shapes import INTEGER, NULL, NUMBER, STRING, Case, check_property, convert, of

CASES: dict[str, Case] = {
    "branch-against-parent": (
        {"type": "string", "anyOf": [INTEGER, {"minLength": 2}]},
        {"type": "string", "minLength": 2},
        [],
    ),
    "const-of-another-type": ({"const": 1.0, "type": "integer"}, {"type": "integer", "enum": [1]}, []),
    "enum-beyond-its-type": ({"type": "string", "enum": ["a", 1, None]}, {"type": "string", "enum": ["a"]}, []),
    "enum-beyond-its-bounds": ({"type": "integer", "enum": [1, 5], "minimum": 3}, {"type": "integer", "enum": [5]}, []),
    "nullable-enum": (
        {"type": ["string", "null"], "enum": ["a", None]},
        {"anyOf": [{"type": "string", "enum": ["a"]}, NULL]},
        [],
    ),
    "allof-merged": (
        {
            "allOf": [
                {"type": "object", "properties": {"a": NUMBER}, "required": ["a"]},
                {"properties": {"a": {"minimum": 1}, "b": STRING}, "required": ["b"]},
            ]
        },
        {"type": "object", "properties": {"a": {"type": "number", "minimum": 1}, "b": STRING}, "required": ["a", "b"]},
        [],
    ),
    "allof-bounds": (
        {"type": "integer", "allOf": [{"minimum": 1}, {"minimum": 2.5}, {"maximum": 9}]},
        {"type": "integer", "minimum": 3, "maximum": 9},
        [],
    ),
    "allof-closed": (
        {
            "allOf": [
                {"type": "object", "properties": {"a": STRING}, "additionalProperties": False},
                {"properties": {"a": {}, "b": {}}},
            ]
        },
        {"type": "object", "properties": {"a": STRING}, "additionalProperties": False},
        [],
    ),
    "allof-two-patterns": (
        {"allOf": [{"pattern": "a"}, {"pattern": "b"}]},
        {"type": "string", "pattern": "a"},
        ["of two patterns only"],
    ),
    "exclusive-beside-integers": ({"exclusiveMaximum": 2, "enum": [1, 2]}, {"type": "integer", "enum": [1]}, []),
    "default-that-no-longer-fits": ({"allOf": [NUMBER | {"default": 1.5}, INTEGER]}, INTEGER, []),
}


@pytest.mark.parametrize(("schema", "expected", "notes"), CASES.values(), ids=CASES)
def test_intersect(schema: Any, expected: Any, notes: list[str]) -> None:
    """Each pair of conditions is combined as the table says, with those notes and no others."""
    check_property(schema, expected, notes)


def test_a_product_of_unions_is_limited() -> None:
    """Unions that would multiply without bound are not multiplied out, which is noted."""
    unions = [{"anyOf": [{"pattern": f"{n}.{m}"} for m in range(15)]} for n in range(8)]
    assert any("too many combinations" in note for note in convert(of({"type": "string", "allOf": unions})).notes)
