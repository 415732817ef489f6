"""The MFJS check: one case for each rule and text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.emulator import mfjs_problem

STRING = {"type": "string"}


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


DEEP: dict[str, Any] = STRING
for _ in range(40):
    DEEP = {"type": "array", "items": DEEP}

REFUSED: dict[str, tuple[Any, str, str]] = {
    "type beside anyOf": (
        {"type": "object", "anyOf": [obj()]},
        "root",
        "when using anyOf, type should be defined in anyOf items instead of the parent schema",
    ),
    "type beside $ref": (
        {**obj(a={"$ref": "#/$defs/A", "type": "string"}), "$defs": {"A": STRING}},
        "properties.a",
        "when using $ref, type should be defined in the referenced schema instead of the parent schema",
    ),
    "no type": (obj(a={}), "properties.a", "type is not defined"),
    "no type in a branch": (obj(a={"anyOf": [{}]}), "properties.a.anyOf.0", "type is not defined"),
    "unknown type": (obj(a={"type": "date"}), "properties.a", "invalid type: date"),
    "type of a wrong kind": (obj(a={"type": 3}), "properties.a", "type must be string or array of strings"),
    "empty type array": (obj(a={"type": []}), "properties.a", "type array cannot be empty"),
    "required of a wrong kind": ({**obj(a=STRING), "required": "a"}, "required", "required must be an array"),
    "required of numbers": ({**obj(a=STRING), "required": [1]}, "required", "items in required array must be strings"),
    "required empty name": (
        {**obj(a=STRING), "required": [""]},
        "required",
        "property names in required array cannot be empty",
    ),
    "required unknown": (
        {**obj(name=STRING), "required": ["age"]},
        "required",
        "required property 'age' is not defined in properties",
    ),
    "required nested": (
        obj(a={**obj(), "type": "object", "required": ["b"]}),
        "properties.a.required",
        "required property 'b' is not defined in properties",
    ),
    "required alone": (
        {"type": "object", "required": ["a"]},
        "required",
        "required specified but 'properties' keyword is missing",
    ),
    "boolean property": (
        obj(outputSchema=True),
        "properties",
        "property schema for 'outputSchema' must be an object",
    ),
    "properties of a wrong kind": ({"type": "object", "properties": []}, "properties", "properties must be an object"),
    "tuple items": (obj(a={"type": "array", "items": [STRING]}), "properties.a.items", "items must be an object"),
    "foreign $ref": (
        obj(a={"$ref": "https://x.y/z"}),
        "properties.a.$ref",
        "references must start with #/$defs/",
    ),
    "unknown $ref": (
        obj(a={"$ref": "#/$defs/A"}),
        "properties.a.$ref",
        "$defs not found for reference: #/$defs/A",
    ),
    "numeric $ref": (obj(a={"$ref": 1}), "properties.a.$ref", "$ref must be a string"),
    "keyword beside $ref": (
        {**obj(a={"$ref": "#/$defs/A", "default": "x"}), "$defs": {"A": STRING}},
        "properties.a",
        "keyword 'default' is not allowed at the same level as $ref",
    ),
    "keyword beside anyOf": (
        obj(a={"anyOf": [STRING], "default": "x"}),
        "properties.a",
        "keyword 'default' is not allowed at the same level as anyOf",
    ),
    "chained descriptions": (
        {
            **obj(a={"$ref": "#/$defs/A", "description": "one"}),
            "$defs": {"A": {"$ref": "#/$defs/B", "description": "two"}, "B": STRING},
        },
        "properties.a",
        'conflicting keywords found after $ref expansion: keyword "description" appears at multiple levels in a '
        'chained "$ref"; keep it in only one place',
    ),
    "misplaced keyword": (obj(a={"type": "string", "minItems": 1}), "properties.a", "invalid keywords: minItems"),
    "unsupported keywords": (
        obj(a={"type": "integer", "not": {}, "exclusiveMinimum": 1}),
        "properties.a",
        "invalid keywords: exclusiveMinimum, not",
    ),
    "$defs below the root": (obj(a={"type": "string", "$defs": {}}), "properties.a", "invalid keywords: $defs"),
    "empty anyOf": (obj(a={"anyOf": []}), "properties.a.anyOf", "anyOf must have 1-500 items"),
    "anyOf of a wrong kind": (obj(a={"anyOf": {}}), "properties.a.anyOf", "anyOf must be an array"),
    "boolean branch": (obj(a={"anyOf": [True]}), "properties.a.anyOf", "schema in anyOf must be an object"),
    "enum of a wrong kind": (obj(a={"type": "string", "enum": "x"}), "properties.a.enum", "enum must be an array"),
    "empty enum": (obj(a={"type": "string", "enum": []}), "properties.a.enum", "enum array cannot be empty"),
    "long enum": (
        obj(a={"type": "integer", "enum": list(range(1001))}),
        "properties.a.enum",
        "enum array cannot have more than 1000 items",
    ),
    "additionalProperties": (
        {**obj(), "additionalProperties": "no"},
        "additionalProperties",
        "additionalProperties must be a boolean or an object",
    ),
    "too deep": (obj(a=DEEP), "properties.a" + ".items" * 30, "schema depth exceeds maximum limit of 30"),
    "too big": (obj(a={"type": "string", "description": "x" * 120_000}), "root", "schema exceeds maximum allowed size"),
    "endless": (
        {**obj(a={"$ref": "#"}), "required": ["a"]},
        "root",
        "detected infinite recursion without termination condition",
    ),
    "endless through $defs": (
        {
            **obj(a={"$ref": "#/$defs/A"}),
            "required": ["a"],
            "$defs": {"A": {**obj(b={"$ref": "#/$defs/A"}), "required": ["b"]}},
        },
        "root",
        "detected infinite recursion without termination condition",
    ),
    "no object": ([], "root", "schema must be an object"),
}

ACCEPTED: dict[str, Any] = {
    "empty": {},
    "plain": {**obj(city={"type": "string", "description": "a city", "minLength": 1}), "required": ["city"]},
    "anything else allowed": {"type": "object", "additionalProperties": {}},
    "typed extras": {"type": "object", "additionalProperties": {"type": "integer"}},
    "nullable": obj(a={"anyOf": [STRING, {"type": "null"}], "description": "maybe"}),
    "type list": obj(a={"type": ["string", "null"]}),
    "shared definition": {**obj(a={"$ref": "#/$defs/A"}, b={"$ref": "#/$defs/A"}), "$defs": {"A": STRING}},
    "a description once": {
        **obj(a={"$ref": "#/$defs/A", "description": "one"}),
        "$defs": {"A": {**STRING, "description": "two"}},
    },
    "optional recursion": obj(next={"$ref": "#"}),
    "recursion through a list": {**obj(children={"type": "array", "items": {"$ref": "#"}}), "required": ["children"]},
    "enum": obj(a={"type": "string", "enum": ["x", "y"]}),
    "title": {**obj(a={"type": "string", "title": "A"}), "title": "T"},
}


@pytest.mark.parametrize(("schema", "path", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(schema: Any, path: str, message: str) -> None:
    """The first violation is told with its path and the platform's text."""
    assert mfjs_problem(schema) == f"At path '{path}': {message}"


@pytest.mark.parametrize("schema", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(schema: Any) -> None:
    """What MFJS allows passes at both levels."""
    assert mfjs_problem(schema) is None
    assert mfjs_problem(schema, level="lite") is None


LITE = [
    "type beside anyOf",
    "no type",
    "keyword beside $ref",
    "misplaced keyword",
    "required unknown",
    "chained descriptions",
]


@pytest.mark.parametrize("name", LITE)
def test_lite_lets_pass(name: str) -> None:
    """The newest default level leaves unusual but readable schemas alone."""
    assert mfjs_problem(REFUSED[name][0], level="lite") is None


@pytest.mark.parametrize("name", ["endless", "unknown $ref", "boolean property", "unknown type", "tuple items"])
def test_lite_still_refuses(name: str) -> None:
    """Unreadable, unresolvable and endless schemas are refused at every level."""
    assert mfjs_problem(REFUSED[name][0], level="lite") == mfjs_problem(REFUSED[name][0])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "anyOf", "$ref", "items", "required", "enum", "$defs"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_never_crashes(schema: Any) -> None:
    """Whatever is sent as a schema gets a verdict, and the same one twice."""
    assert mfjs_problem(schema) == mfjs_problem(schema)
