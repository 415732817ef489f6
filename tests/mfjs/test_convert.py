"""`to_mfjs`: the root, the descriptions, the size limits."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kimi_openai.mfjs.convert import to_mfjs
from tests.mfjs.shapes import ANY, INTEGER, NULL, STRING, Case, Json, check, convert, of

CASES: dict[str, Case] = {
    "empty": ({}, {"type": "object", "properties": {}}, []),
    "only-annotations": (
        {"$schema": "http://json-schema.org/draft-07/schema#", "$id": "x", "title": "T", "description": "d"},
        {"type": "object", "properties": {}, "description": "d"},
        [],
    ),
    "union-of-objects": (
        {"anyOf": [of(STRING, required=["x"]), {**of(INTEGER), "required": ["x"]}]},
        of({"anyOf": [STRING, INTEGER]}, required=["x"]),
        ["root: alternative objects became one"],
    ),
    "union-of-requirements": (
        {**of(STRING), "required": ["x"], "anyOf": [{"required": ["y"]}, {"required": ["z"]}]},
        {"type": "object", "properties": {"x": STRING, "y": ANY, "z": ANY}, "required": ["x"]},
        ["alternative objects"],
    ),
    "description-of-a-union-and-its-branch": (
        of(
            {"anyOf": [{"$ref": "#/$defs/A"}, NULL], "description": "the home", "title": "T"},
            **{"$defs": {"A": of(STRING, description="Where.")}},
        ),
        of({"anyOf": [of(STRING, description="the home: Where."), NULL]}),
        [],
    ),
    "sentence-of-a-union-and-its-branches": (
        of(
            {
                "anyOf": [{**STRING, "description": "a name"}, {**INTEGER, "description": "a number"}],
                "description": "An id.",
            }
        ),
        of({"anyOf": [{**STRING, "description": "An id. a name"}, {**INTEGER, "description": "An id. a number"}]}),
        [],
    ),
    "description-of-a-union-of-a-definition": (
        {
            **of({"$ref": "#/$defs/A"}),
            "$defs": {"A": of({"anyOf": [{"$ref": "#/$defs/A"}, {**NULL, "description": "b"}], "description": "a"})},
        },
        {
            **of({"$ref": "#/$defs/A"}),
            "$defs": {"A": of({"anyOf": [{"$ref": "#/$defs/A"}, {**NULL, "description": "a: b"}]})},
        },
        [],
    ),
    "required-and-listed-nowhere": (
        {"type": "object", "required": ["x"], "unevaluatedProperties": False},
        {"additionalProperties": False, **of(ANY), "required": ["x"]},
        ['required "x" is accepted, though it may be listed nowhere'],
    ),
    "nullable-root": ({"anyOf": [of(STRING), NULL]}, of(STRING), ["only an object is accepted"]),
}


@pytest.mark.parametrize(("schema", "expected", "notes"), CASES.values(), ids=CASES)
def test_convert(schema: Any, expected: Any, notes: list[str]) -> None:
    """Each root becomes one object as the table says, with those notes and no others."""
    check(schema, expected, notes)


def deep(levels: int) -> Json:
    """A schema with so many levels of properties."""
    schema: Json = STRING
    for _ in range(levels):
        schema = of(schema)
    return schema


@pytest.mark.parametrize(
    "schema", [{"type": "string"}, {"type": "array", "items": of(STRING)}, {"enum": [1]}, {"not": {}, "const": 1}]
)
def test_root_must_be_an_object(schema: Json) -> None:
    """A root that cannot be an object raises an error that says what to do; with `root_object=False` it stays."""
    with pytest.raises(ValueError, match=r"^root: .*put the value into a property$"):
        to_mfjs(schema)
    assert convert(schema, root_object=False).schema["type"] in {"string", "array", "integer"}


@pytest.mark.parametrize(
    "schema",
    [{"allOf": [STRING, INTEGER]}, {"enum": ["a"], "type": "integer"}, {"$ref": "#", "anyOf": [False]}],
    ids=["types", "enum", "reference"],
)
@pytest.mark.parametrize("root_object", [True, False])
def test_an_impossible_root_accepts_anything(schema: Json, root_object: bool) -> None:
    """A schema that nothing satisfies would be refused, so the result accepts anything, which is noted."""
    result = convert(schema, root_object=root_object)
    assert result.schema == ({"type": "object", "properties": {}} if root_object else {})
    assert result.notes == ("root: nothing can satisfy the schema; anything is accepted",)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "object", "properties": {f"p{n}": STRING for n in range(3001)}}, "3001 properties; .* than 3000"),
        (of({"enum": [*range(1001)]}), "1001 values in an enum; .* than 1000"),
        (of({"anyOf": [{"type": "string", "pattern": f"{n}"} for n in range(501)]}), "501 branches .* than 500"),
        (deep(31), "31 levels of properties; .* than 30"),
        (of({"type": "string", "description": "d" * 120_000}), "1200.. bytes; .* than 120000"),
    ],
    ids=["properties", "enum", "branches", "levels", "bytes"],
)
def test_known_limits_are_noted(schema: Json, text: str) -> None:
    """A schema beyond a known limit stays whole; the note names the limit."""
    result = to_mfjs(schema)
    assert [bool(re.search(text, note)) for note in result.notes] == [True]
    assert to_mfjs(result.schema).schema == result.schema
