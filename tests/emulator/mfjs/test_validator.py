"""The MFJS validator: one case for each rule, with the lowest level that refuses it and the text of the refusal.

The verdicts agree with those of Moonshot's published validator (MoonshotAI/walle, 2026-06-29).
"""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.emulator import mfjs_problem
from kimi_openai.emulator.mfjs import Level, recursion

LEVELS: tuple[Level, ...] = get_args(Level)
STRING, NULL = {"type": "string"}, {"type": "null"}
REF = {"$ref": "#/$defs/A"}
EXPANDED = "conflicting keywords found after $ref expansion: "


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def with_a(definition: Any, **properties: Any) -> dict[str, Any]:
    """An object with the definition A, to which `properties` refer."""
    return {**obj(**properties), "$defs": {"A": definition}}


def endless(**properties: Any) -> dict[str, Any]:
    """An object that requires its properties."""
    return {**obj(**properties), "required": [*properties]}


def nested(depth: int, inner: Any = STRING) -> Any:
    for _ in range(depth):
        inner = obj(a=inner)
    return inner


LISTS: dict[str, Any] = STRING
for _ in range(40):
    LISTS = {"type": "array", "items": LISTS}
DIAMONDS = {f"D{n}": obj(**{key: {"$ref": f"#/$defs/D{n + 1}"} for key in "ab"}) for n in range(20)}

Refused = tuple[Any, Level, str, str]
"""A schema, the lowest level that refuses it, the path and the message."""

VALUES: dict[str, Refused] = {
    "type of an enum": ({"type": None, "enum": [None]}, "lite", "root", "type must be string or array of strings"),
    "no object": (None, "lite", "root", "schema must be a dict"),
    "unknown type": (obj(a={"type": "date"}), "lite", "properties.a", "invalid type"),
    "unknown type in a list": ({"type": ["date"]}, "lite", "root", "invalid type in type array"),
    "type of a wrong kind": (obj(a={"type": 3}), "lite", "properties.a", "type must be string or array of strings"),
    "empty type array": ({"type": []}, "lite", "root", "type array cannot be empty"),
    "type twice": ({"type": ["null", "null"]}, "ultra", "type", "duplicate types in type array"),
    "properties list": ({"type": "object", "properties": []}, "lite", "properties", "properties must be an object"),
    "boolean property": (obj(a=True), "lite", "properties", "property schema for 'a' must be an object"),
    "required text": ({**obj(a=STRING), "required": "a"}, "lite", "required", "required must be an array"),
    "required number": ({**obj(), "required": [1]}, "lite", "required", "items in required array must be strings"),
    "required unknown": (
        obj(a={**obj(), "required": ["b"]}),
        "lite",
        "properties.a.required",
        "required property 'b' is not defined in properties",
    ),
    "tuple": (obj(a={"type": "array", "items": [STRING]}), "lite", "properties.a.items", "items must be an object"),
    "empty anyOf": (obj(a={"anyOf": []}), "lite", "properties.a.anyOf", "anyOf must have 1-500 items"),
    "anyOf object": (obj(a={"anyOf": {}}), "lite", "properties.a.anyOf", "anyOf must be an array"),
    "boolean branch": (obj(a={"anyOf": [True]}), "lite", "properties.a.anyOf", "schema in anyOf must be an object"),
    "enum text": ({"type": "string", "enum": "x"}, "lite", "enum", "enum must be an array"),
    "empty enum": ({"type": "string", "enum": []}, "lite", "enum", "enum array cannot be empty"),
    "enum without type": (obj(a={"enum": ["x"]}), "lite", "properties.a", "type is not defined"),
    "enum of other type": (
        {"type": "string", "enum": [True]},
        "lite",
        "enum",
        "enum value (true) does not match any type in [string]",
    ),
    "enum without number": ({"type": "number", "enum": [1, True]}, "lite", "enum", "not a valid number"),
    "enum of fractions": ({"type": "integer", "enum": [1.5]}, "lite", "enum", "not a valid integer"),
    "null in an enum": ({"type": ["integer", "null"], "enum": [None]}, "lite", "enum", "not a valid integer"),
    "additionalProperties": (
        {**obj(), "additionalProperties": "no"},
        "lite",
        "additionalProperties",
        "additionalProperties must be a boolean or an object",
    ),
    "description": ({"description": None}, "lite", "description", "description must be a string"),
    "pattern": ({"type": "string", "pattern": 1}, "lite", "pattern", "pattern must be a string"),
    "$id": ({"$id": 1, **obj()}, "lite", "$id", "$id must be a string"),
    "$defs list": ({**obj(), "$defs": []}, "lite", "$defs", "$defs must be an object"),
    "no definition": ({**obj(), "$defs": {"A": True}}, "lite", "$defs", "$defs schema must be object"),
    "definition without name": ({**obj(), "$defs": {"": {}}}, "lite", "$defs", "$defs property name cannot be empty"),
}
NAMES: dict[str, Refused] = {
    "slash in a definition": (
        with_a(nested(1, obj(**{"text/plain": STRING}))),
        "lite",
        "$defs.A.properties.a",
        "$defs property name 'text/plain' cannot contain '/' character",
    ),
    "slash in a branch": (
        with_a({"anyOf": [obj(**{"a/b": STRING})]}),
        "lite",
        "$defs.A.anyOf[0]",
        "$defs property name 'a/b' cannot contain '/' character",
    ),
    "slash in its name": (
        {**obj(), "$defs": {"a/b": STRING}},
        "lite",
        "$defs",
        "$defs property name 'a/b' cannot contain '/' character",
    ),
    "braces above a keyword": (
        obj(**{"a{b}": {"type": "string", "enum": ["x"]}}),
        "lite",
        "properties.a{b}.enum",
        "invalid path: properties.a{b}",
    ),
    "empty name": (obj(**{"": STRING}), "ultra", "properties", "property name cannot be empty"),
    "empty name required": (
        {"required": [""]},
        "lite",
        "required",
        "required property '' is not defined in properties",
    ),
    **{
        name: (
            obj(**{name: STRING}),
            "strict",
            "properties",
            f"property name '{name}' is reserved for JSON Schema keywords",
        )
        for name in ("required", "anyOf", "$defs", "additionalProperties")
    },
    "$ref": (obj(**{"$ref": STRING}), "lite", "properties.$ref", "$ref must be a string"),
}
PLACES: dict[str, Refused] = {
    "type beside anyOf": (
        {"type": "object", "anyOf": [obj()]},
        "lite",
        "root",
        "when using anyOf, type should be defined in anyOf items instead of the parent schema",
    ),
    "type beside $ref": (
        with_a(STRING, a={**REF, **STRING}),
        "lite",
        "properties.a",
        "when using $ref, type should be defined in the referenced schema instead of the parent schema",
    ),
    "keyword in the branch too": (
        {"minimum": 1, "anyOf": [{"type": "number", "minimum": 0}]},
        "lite",
        "root",
        "conflicting keywords found in anyOf with parent: keywords (minimum) are defined on the parent schema and "
        "inside anyOf; remove them from the parent or from anyOf branches",
    ),
    "description in the branch too": (
        {"description": "one", "anyOf": [{**STRING, "description": "two"}]},
        "ultra",
        "root",
        "conflicting keywords found in anyOf with parent: keywords (description) are defined on the parent schema and "
        "inside anyOf; remove them from the parent or from anyOf branches",
    ),
    "keyword beside anyOf": (
        obj(a={"anyOf": [STRING], "default": "x"}),
        "ultra",
        "properties.a",
        "keyword 'default' is not allowed at the same level as anyOf",
    ),
    "keyword beside $ref": (
        with_a(STRING, a={**REF, "default": "x"}),
        "ultra",
        "properties.a",
        "keyword 'default' is not allowed at the same level as $ref",
    ),
    "keyword in the target too": (
        with_a({"anyOf": [STRING]}, a={**REF, "anyOf": [NULL]}),
        "lite",
        "properties.a",
        f'{EXPANDED}keywords (anyOf) are defined both alongside "$ref" and in the referenced schema; remove the '
        "duplicates",
    ),
    "description in the target too": (
        with_a({**STRING, "description": "two"}, a={**REF, "description": "one"}),
        "ultra",
        "properties.a",
        f'{EXPANDED}keywords (description) are defined both alongside "$ref" and in the referenced schema; remove the '
        "duplicates",
    ),
    "descriptions in a chain": (
        {
            **obj(a=REF),
            "$defs": {
                "A": {"$ref": "#/$defs/B", "description": "one"},
                "B": {"$ref": "#/$defs/C", "description": "two"},
                "C": STRING,
            },
        },
        "ultra",
        "$defs.A",
        f'{EXPANDED}keyword "description" appears at multiple levels in a chained "$ref"; keep it in only one place',
    ),
    "anyOf around a typed target": (
        with_a(STRING, a={**REF, "anyOf": [NULL]}),
        "lite",
        "properties.a",
        "invalid schema after $ref expansion: (when using anyOf, type should be defined in anyOf items instead of the "
        "parent schema)",
    ),
    "keyword in a branch of the target": (
        with_a({"anyOf": [{**STRING, "minLength": 1}]}, a={**REF, "minLength": 2}),
        "lite",
        "properties.a",
        "conflicting keywords found in anyOf after ref expansion: keywords (minLength) are defined alongside "
        '"$ref" and inside anyOf in the referenced schema; define them in only one place',
    ),
    "$ref under another keyword": (
        {**obj(), "not": {"else": {"$ref": "#"}}},
        "lite",
        "not.else",
        "$ref is not allowed in this schema.",
    ),
    "types beside a keyword": (
        {"type": ["string", "null"], "minLength": 1},
        "strict",
        "root",
        "keyword minLength is not allowed in combination with multiple types",
    ),
    "types beside an enum": (
        {"type": ["array", "null"], "enum": [None]},
        "lite",
        "root",
        "type array is not allowed in combination with enum",
    ),
    "three types beside an enum": (
        {"type": ["string", "boolean", "null"], "enum": [None]},
        "lite",
        "root",
        "when type is array and enum is specified, currently only 2 types are supported, one must be null, and the "
        "other can be string/integer/number/boolean",
    ),
    "misplaced keyword": (obj(a={**STRING, "minItems": 1}), "ultra", "properties.a", "invalid keywords: minItems"),
    "unsupported keyword": (obj(a={"not": {}}), "ultra", "properties.a", "unsupported keywords: not"),
    "$defs below the root": (
        obj(a={**obj(), "$defs": {}}),
        "ultra",
        "properties.a",
        "keyword $defs must be at root level",
    ),
    "required twice": (
        {**obj(a=STRING), "required": ["a", "a"]},
        "ultra",
        "required",
        "duplicate items in required array: a",
    ),
    "required beside no type": (
        {"properties": {"a": STRING}, "required": ["a"]},
        "ultra",
        "required",
        "required keyword must be used with object",
    ),
}
BOUNDS: dict[str, Refused] = {
    "least above most": (
        {**STRING, "minLength": 3, "maxLength": 2},
        "ultra",
        "minLength",
        "minLength (3) cannot be greater than maxLength (2)",
    ),
    "minimum above maximum": (
        {"type": "number", "minimum": 1.5, "maximum": 1},
        "ultra",
        "root",
        "minimum (1.5) cannot be greater than maximum (1)",
    ),
    "negative": ({"type": "array", "maxItems": -1}, "ultra", "root", "maxItems must be non-negative"),
    "text": ({"type": "number", "maximum": "9"}, "ultra", "root", "maximum must be a number"),
    "text for an integer": ({"type": "integer", "minimum": "9"}, "ultra", "root", "minimum must be an integer"),
    "fraction": ({"type": "integer", "minimum": 0.5}, "ultra", "root", "not a valid integer"),
}
REFERENCES: dict[str, Refused] = {
    "foreign": (obj(a={"$ref": "https://x.y/z"}), "lite", "properties.a.$ref", "references must start with #/$defs/"),
    "to a property": (
        obj(a={"$ref": "#/properties/b"}, b=STRING),
        "lite",
        "properties.a.$ref",
        "references must start with #/$defs/",
    ),
    "no $defs": (obj(a=REF), "lite", "properties.a.$ref", "$defs not found for reference: #/$defs/A"),
    "no such definition": (with_a(STRING, a={"$ref": "#/$defs/B"}), "lite", "root", "invalid $ref path: #/$defs/B"),
    "no name": (with_a(STRING, a={"$ref": "#/$defs/"}), "lite", "properties.a.$ref", "definition name cannot be empty"),
    "number": (obj(a={"$ref": 1}), "lite", "properties.a.$ref", "$ref must be a string"),
    "endless": (
        endless(a={"$ref": "#"}),
        "lite",
        "properties.a",
        "detected infinite recursion without termination condition",
    ),
    "endless through $defs": (
        {**endless(a=REF), "$defs": {"A": endless(b={"anyOf": [REF]})}},
        "lite",
        "properties.a",
        "detected infinite recursion without termination condition",
    ),
    "endless through a list": (
        endless(a={"type": "array", "items": {"$ref": "#"}}),
        "lite",
        "properties.a.items",
        "detected infinite recursion without termination condition",
    ),
}
LIMITS: dict[str, Refused] = {
    "long enum": (
        {"type": "integer", "enum": [*range(1001)]},
        "lite",
        "enum",
        "enum array cannot have more than 1000 items",
    ),
    "many branches": ({"anyOf": [STRING] * 501}, "lite", "anyOf", "anyOf must have 1-500 items"),
    "many properties": (
        obj(**{f"p{number}": {} for number in range(3001)}),
        "lite",
        "root",
        "total number of properties keys(3001) across all objects exceeds maximum limit of 3000",
    ),
    "deep": (nested(31), "lite", "properties.a." * 30 + "properties.a", "schema depth exceeds maximum limit of 30"),
    "deep behind a reference": (
        with_a(nested(10), b=nested(20, REF)),
        "lite",
        "root",
        "schema depth exceeds maximum limit of 30",
    ),
    "big": ({"description": "<" * 20_000}, "lite", "root", "schema exceeds maximum allowed size"),
}
REFUSED = {**VALUES, **NAMES, **PLACES, **BOUNDS, **REFERENCES, **LIMITS}


@pytest.mark.parametrize(("schema", "lowest", "path", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(schema: Any, lowest: Level, path: str, message: str) -> None:
    """From its level on a rule refuses a schema, with the path and the platform's text."""
    assert mfjs_problem(schema, level=lowest) == f"At path '{path}': {message}"
    for level in LEVELS:
        assert (mfjs_problem(schema, level=level) is None) == (LEVELS.index(level) < LEVELS.index(lowest))


def test_a_graph_of_too_many_paths_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer steps here than the platform's, which take seconds."""
    assert recursion.MAX_STEPS == 500_000
    monkeypatch.setattr(recursion, "MAX_STEPS", 5_000)
    schema = {**obj(a={"$ref": "#/$defs/D0"}), "$defs": {**DIAMONDS, "D20": STRING}}
    message = "At path 'root': reference graph is too complex to validate within the step budget"
    assert [mfjs_problem(schema, level=level) for level in LEVELS] == [None, message, message, message]


ACCEPTED: dict[str, Any] = {
    "empty": {},
    "plain": {**obj(city={"type": "string", "description": "a city", "minLength": 1}), "required": ["city"]},
    "no types": obj(a={}, b={"anyOf": [{}]}),
    "anything else allowed": {"type": "object", "additionalProperties": {}},
    "typed extras": {"type": "object", "additionalProperties": {"type": "integer"}},
    "nullable": obj(a={"anyOf": [STRING, NULL], "description": "maybe"}),
    "types": obj(a={"type": ["string", "null"], "description": "maybe"}),
    "boolean enum": obj(a={"type": "boolean", "enum": [True]}),
    "null enum": obj(a={"type": "null", "enum": [None]}),
    "nullable enum": obj(a={"type": ["null", "integer"], "enum": [None, 1]}),
    "shared definition": with_a(STRING, a=REF, b=REF),
    "deep reference": with_a({"type": "array", "items": STRING}, a={"$ref": "#/$defs/A/items"}),
    "root reference": {"$ref": "#/$defs/A", "$defs": {"A": obj()}, "$id": "x", "title": "t"},
    "a description once": with_a({**STRING, "title": "two"}, a={**REF, "description": "one"}),
    "optional recursion": obj(next={"$ref": "#"}),
    "recursion beside another property": endless(a={"$ref": "#"}, b=STRING),
    "recursion that may be null": endless(a={"anyOf": [{"$ref": "#"}, NULL]}),
    "recursion through a list that may be empty": endless(
        a={"anyOf": [{"type": "array", "items": {"$ref": "#"}}, {"type": "array", "maxItems": 0}]}
    ),
    "slash": obj(**{"a/b": {"type": "string", "enum": ["x"]}}),
    "braces": obj(**{"a{b}": STRING}),
    "deep": nested(30),
    "deep lists": obj(a=LISTS),
    "ultra keywords": {"type": "integer", "minimum": 1, "maximum": 2, "enum": [1], "default": 1, "title": "t"},
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("schema", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(schema: Any, level: Level) -> None:
    """What MFJS allows passes at every level."""
    assert mfjs_problem(schema, level=level) is None


def test_unreadable() -> None:
    """What is neither an object nor null cannot be read at any level."""
    text = "JSON schema parsing error: JSON type error at offset {}: expected map[string]interface {{}} but got {}"
    for level in LEVELS:
        assert mfjs_problem("", level=level) == text.format(2, "string")
        assert mfjs_problem([], level=level) == text.format(1, "array")
        assert mfjs_problem(12, level=level) == text.format(2, "number")
        assert mfjs_problem(True, level=level) == text.format(4, "bool")


KEYWORDS = ["type", "properties", "anyOf", "$ref", "items", "required", "enum", "$defs", "not", "additionalProperties"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["#", "#/$defs/not", "object"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS), inner),
    max_leaves=12,
)


@given(JSON)
def test_each_level_refuses_what_the_one_below_refuses(schema: Any) -> None:
    """Every JSON value gets a result at every level, and a higher level accepts nothing more."""
    refused = [mfjs_problem(schema, level=level) is not None for level in LEVELS]
    assert refused == sorted(refused)
