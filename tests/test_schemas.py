"""The normaliser of schemas: a table of shapes, the schemas that users were refused, and its laws for random ones."""

from __future__ import annotations

import contextlib
import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from random import Random
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import jsonschema
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from typing_extensions import NotRequired, TypedDict

from kimi_openai.emulator.mfjs import mfjs_problem
from kimi_openai.schemas import bad_tool_name, to_mfjs

T = TypeVar("T")
Json = dict[str, Any]

STRING, INTEGER, NUMBER, NULL = ({"type": kind} for kind in ("string", "integer", "number", "null"))
ANY = {"anyOf": [{"type": kind} for kind in ("string", "number", "boolean", "object", "array", "null")]}
NODE = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, NULL]}}}


def of(schema: object, **root: object) -> Json:
    """A root object with the schema as its one property `x`."""
    return {"type": "object", "properties": {"x": schema}, **root}


# id, what stands at `properties.x`, what goes out, what the notes say about it
VALUES: list[tuple[str, object, object, list[str]]] = [
    (
        "type-beside-anyof",
        {"type": "string", "anyOf": [{"minLength": 1}, {"maxLength": 9}]},
        {"anyOf": [{"type": "string", "minLength": 1}, {"type": "string", "maxLength": 9}]},
        [],
    ),
    (
        "branch-against-parent",
        {"type": "string", "anyOf": [INTEGER, {"minLength": 2}]},
        {"type": "string", "minLength": 2},
        [],
    ),
    (
        "keywords-to-their-branch",
        {"minimum": 3, "minLength": 2, "anyOf": [INTEGER, STRING, NULL]},
        {"anyOf": [{"type": "integer", "minimum": 3}, {"type": "string", "minLength": 2}, NULL]},
        [],
    ),
    (
        "type-list",
        {"type": ["array", "null"], "items": STRING},
        {"anyOf": [{"type": "array", "items": STRING}, NULL]},
        [],
    ),
    ("type-list-of-one", {"type": ["string"]}, STRING, []),
    ("nullable", {"type": "string", "nullable": True}, {"anyOf": [STRING, NULL]}, []),
    (
        "nested-unions",
        {"anyOf": [{"anyOf": [STRING, NULL]}, {"anyOf": [NULL, INTEGER]}]},
        {"anyOf": [STRING, NULL, INTEGER]},
        [],
    ),
    ("union-of-one", {"anyOf": [STRING], "description": "d"}, {"type": "string", "description": "d"}, []),
    ("from-properties", {"properties": {"a": STRING}}, {"type": "object", "properties": {"a": STRING}}, []),
    ("from-items", {"items": STRING}, {"type": "array", "items": STRING}, []),
    ("from-pattern", {"pattern": "^a"}, {"type": "string", "pattern": "^a"}, []),
    ("from-minimum", {"minimum": 1}, {"type": "number", "minimum": 1}, []),
    ("from-enum", {"enum": ["a", "b", "a"]}, {"type": "string", "enum": ["a", "b"]}, []),
    ("anything", {}, ANY, []),
    ("true", True, ANY, []),
    ("described-anything", {"description": "d"}, {**ANY, "description": "d"}, []),
    ("misspelt-type", {"type": "float"}, NUMBER, ['there is no type "float"; number is taken for it']),
    ("upper-case-type", {"type": "STRING"}, STRING, ['there is no type "STRING"; string']),
    ("unknown-type", {"type": "file"}, STRING, ['there is no type "file"; string']),
    ("const-string", {"const": "a"}, {"type": "string", "enum": ["a"]}, []),
    ("const-null", {"const": None}, NULL, []),
    ("const-bool", {"const": True}, {"type": "boolean", "description": "(const: true)"}, ["const true is told"]),
    ("enum-of-one-bool", {"enum": [False]}, {"type": "boolean"}, ["only false is allowed"]),
    (
        "const-object",
        {"const": {"a": 1}},
        {
            "type": "object",
            "properties": {"a": {"type": "integer", "enum": [1]}},
            "required": ["a"],
            "additionalProperties": False,
        },
        [],
    ),
    (
        "const-array",
        {"const": ["a"]},
        {"type": "array", "items": {"type": "string", "enum": ["a"]}, "minItems": 1, "maxItems": 1},
        [],
    ),
    ("const-of-another-type", {"const": 1.0, "type": "integer"}, {"type": "integer", "enum": [1]}, []),
    (
        "mixed-enum",
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
    ("enum-beyond-its-type", {"type": "string", "enum": ["a", 1, None]}, {"type": "string", "enum": ["a"]}, []),
    ("enum-beyond-its-bounds", {"type": "integer", "enum": [1, 5], "minimum": 3}, {"type": "integer", "enum": [5]}, []),
    (
        "nullable-enum",
        {"type": ["string", "null"], "enum": ["a", None]},
        {"anyOf": [{"type": "string", "enum": ["a"]}, NULL]},
        [],
    ),
    ("empty-enum", {"type": "string", "enum": []}, STRING, ["enum [] is not a list of values"]),
    (
        "tuple",
        {"type": "array", "prefixItems": [STRING, INTEGER], "minItems": 2, "maxItems": 2},
        {"type": "array", "items": {"anyOf": [STRING, INTEGER]}, "minItems": 2, "maxItems": 2},
        ["which item has which type"],
    ),
    (
        "pair-of-one-type",
        {"type": "array", "prefixItems": [STRING, STRING], "items": False},
        {"type": "array", "items": STRING, "maxItems": 2},
        [],
    ),
    (
        "draft-4-tuple",
        {"type": "array", "items": [STRING], "additionalItems": INTEGER},
        {"type": "array", "items": {"anyOf": [STRING, INTEGER]}},
        ["which item has which type"],
    ),
    ("open-tuple", {"prefixItems": [STRING]}, {"type": "array", "items": STRING, "maxItems": 1}, ["more than 1 items"]),
    ("oneof-apart", {"oneOf": [STRING, INTEGER]}, {"anyOf": [STRING, INTEGER]}, []),
    ("oneof-overlapping", {"oneOf": [NUMBER, INTEGER]}, {"anyOf": [NUMBER, INTEGER]}, ["oneOf became anyOf"]),
    (
        "oneof-tagged",
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
    (
        "discriminator-requires-its-tag",
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
    ("allof-single", {"allOf": [STRING], "description": "d"}, {"type": "string", "description": "d"}, []),
    (
        "allof-merged",
        {
            "allOf": [
                {"type": "object", "properties": {"a": NUMBER}, "required": ["a"]},
                {"properties": {"a": {"minimum": 1}, "b": STRING}, "required": ["b"]},
            ]
        },
        {"type": "object", "properties": {"a": {"type": "number", "minimum": 1}, "b": STRING}, "required": ["a", "b"]},
        [],
    ),
    (
        "allof-bounds",
        {"type": "integer", "allOf": [{"minimum": 1}, {"minimum": 2.5}, {"maximum": 9}]},
        {"type": "integer", "minimum": 3, "maximum": 9},
        [],
    ),
    (
        "allof-closed",
        {
            "allOf": [
                {"type": "object", "properties": {"a": STRING}, "additionalProperties": False},
                {"properties": {"a": {}, "b": {}}},
            ]
        },
        {"type": "object", "properties": {"a": STRING}, "additionalProperties": False},
        [],
    ),
    (
        "allof-two-patterns",
        {"allOf": [{"pattern": "a"}, {"pattern": "b"}]},
        {"type": "string", "pattern": "a"},
        ["of two patterns only"],
    ),
    (
        "exclusive-integer",
        {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9.5},
        {"type": "integer", "minimum": 1, "maximum": 9},
        [],
    ),
    (
        "exclusive-number",
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "number", "minimum": 0, "description": "(exclusiveMinimum: 0)"},
        ["exclusiveMinimum 0 is told"],
    ),
    (
        "exclusive-draft-4",
        {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
        {"type": "integer", "minimum": 1},
        [],
    ),
    ("exclusive-beside-integers", {"exclusiveMaximum": 2, "enum": [1, 2]}, {"type": "integer", "enum": [1]}, []),
    ("bound-of-no-number", {"type": "integer", "minimum": "0"}, INTEGER, ['minimum "0" is not a number']),
    ("bounds-of-another-type", {"type": "string", "minItems": 1, "minimum": 3, "properties": {}}, STRING, []),
    (
        "format",
        {"type": "string", "format": "date-time", "description": "When."},
        {"type": "string", "description": "When. (format: date-time)"},
        ['format "date-time" is told'],
    ),
    ("format-of-a-number", {"type": "integer", "format": "int64"}, INTEGER, []),
    (
        "told",
        {"type": "array", "uniqueItems": True},
        {"type": "array", "description": "(uniqueItems: true)"},
        ["uniqueItems true is told"],
    ),
    ("default-that-no-longer-fits", {"allOf": [NUMBER | {"default": 1.5}, INTEGER]}, INTEGER, []),
    (
        "oneof-of-guessed-types",
        {"oneOf": [{"maximum": 2}, NULL]},
        {"anyOf": [NUMBER | {"maximum": 2}, NULL]},
        ["oneOf"],
    ),
    ("dropped", {"type": "string", "not": {"const": "a"}}, STRING, ["not is not enforced"]),
    (
        "zod-record",
        {"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": INTEGER},
        {"type": "object", "additionalProperties": INTEGER},
        [],
    ),
    (
        "annotations",
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
    ("default-kept", {"type": "integer", "default": 3}, {"type": "integer", "default": 3}, []),
    (
        "default-in-its-branch",
        {"anyOf": [STRING, NULL], "default": "a"},
        {"anyOf": [{"type": "string", "default": "a"}, NULL]},
        [],
    ),
    ("default-null", {"anyOf": [STRING, NULL], "default": None}, {"anyOf": [STRING, NULL]}, []),
    ("default-told", {"type": "array", "default": [1]}, {"type": "array", "description": "(default: [1])"}, []),
    (
        "pattern-properties",
        {"type": "object", "patternProperties": {"^a": INTEGER}, "additionalProperties": False},
        {"type": "object", "additionalProperties": INTEGER},
        ["patternProperties is not enforced"],
    ),
    (
        "required-unknown",
        {"type": "object", "required": ["a"]},
        {"type": "object", "properties": {"a": ANY}, "required": ["a"]},
        [],
    ),
    (
        "required-closed",
        {
            "type": "object",
            "properties": {"b": STRING},
            "required": ["b", "a", "b", "", 3],
            "additionalProperties": False,
        },
        {"type": "object", "properties": {"b": STRING}, "required": ["b"], "additionalProperties": False},
        ['required "a" can never', 'required "" can never', "required 3 is not a name"],
    ),
    (
        "required-draft-3",
        {"type": "object", "properties": {"a": {"type": "string", "required": True}}},
        {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
        [],
    ),
    (
        "keywords-as-names",
        {"type": "object", "properties": {"title": STRING, "format": STRING, "$ref": STRING, "type": STRING}},
        {"type": "object", "properties": {"title": STRING, "format": STRING, "$ref": STRING, "type": STRING}},
        [],
    ),
    (
        "odd-names",
        {"type": "object", "properties": {"a.b/c~d é": STRING}},
        {"type": "object", "properties": {"a.b/c~d é": STRING}},
        [],
    ),
    (
        "property-of-no-schema",
        {"type": "object", "properties": {"a": None}},
        {"type": "object", "properties": {"a": ANY}},
        ["null is not a schema"],
    ),
    (
        "impossible-property",
        {"type": "object", "properties": {"a": False}},
        {"type": "object", "properties": {}},
        ["properties.a: nothing can satisfy it"],
    ),
    ("free-items", {"type": "array", "items": {}}, {"type": "array"}, []),
    ("no-items", {"type": "array", "items": False}, {"type": "array", "maxItems": 0}, []),
    ("free-rest", {"type": "object", "additionalProperties": {}}, {"type": "object", "additionalProperties": {}}, []),
    (
        "unevaluated",
        {"type": "object", "properties": {}, "unevaluatedProperties": False},
        {"type": "object", "properties": {}, "additionalProperties": False},
        [],
    ),
]


@pytest.mark.parametrize(
    ("value", "expected", "notes"), [case[1:] for case in VALUES], ids=[case[0] for case in VALUES]
)
def test_one_value(value: object, expected: object, notes: list[str]) -> None:
    """A property of each shape comes out as the table says, with those notes and no others."""
    result = to_mfjs(of(value))
    assert result.schema == of(expected)
    assert len(result.notes) == len(notes)
    assert all(part in note and note.startswith("properties.x") for part, note in zip(notes, result.notes, strict=True))


# id, the whole schema, what goes out, what the notes say
ROOTS: list[tuple[str, Json, Json, list[str]]] = [
    ("empty", {}, {"type": "object", "properties": {}}, []),
    (
        "only-annotations",
        {"$schema": "http://json-schema.org/draft-07/schema#", "$id": "x", "title": "T", "description": "d"},
        {"type": "object", "properties": {}, "description": "d"},
        [],
    ),
    ("inlined", {**of({"$ref": "#/$defs/S"}), "$defs": {"S": {"type": "string", "title": "S"}}}, of(STRING), []),
    ("definitions", {**of({"$ref": "#/definitions/S"}), "definitions": {"S": STRING}}, of(STRING), []),
    (
        "pointer",
        {"type": "object", "properties": {"y": STRING, "x": {"$ref": "#/properties/y", "description": "d"}}},
        {"type": "object", "properties": {"y": STRING, "x": {"type": "string", "description": "d"}}},
        [],
    ),
    ("escaped-pointer", {**of({"$ref": "#/$defs/a~1b%20c~0"}), "$defs": {"a/b c~": STRING}}, of(STRING), []),
    ("nested-defs", of({"$defs": {"S": STRING}, "$ref": "#/properties/x/$defs/S"}), of(STRING), []),
    (
        "ref-with-siblings",
        {
            **of({"$ref": "#/$defs/S", "minLength": 2, "description": "here", "default": "abc"}),
            "$defs": {"S": {"type": "string", "maxLength": 9, "description": "there"}},
        },
        of({"type": "string", "minLength": 2, "maxLength": 9, "description": "here", "default": "abc"}),
        [],
    ),
    ("remote", of({"$ref": "https://example.com/s.json"}), of(ANY), ["leads nowhere"]),
    ("dangling", of({"$ref": "#/$defs/S"}), of(ANY), ['properties.x: $ref "#/$defs/S" leads nowhere']),
    ("ref-of-no-string", of({"$ref": 3}), of(ANY), ["$ref 3 leads nowhere"]),
    (
        "recursive",
        {
            **of({"$ref": "#/definitions/Node"}),
            "definitions": {
                "Node": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/definitions/Node"}, NULL]}}}
            },
        },
        {**of({"$ref": "#/$defs/Node"}), "$defs": {"Node": NODE}},
        [],
    ),
    ("recursive-root", {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}}, {**NODE, "$defs": {"Node": NODE}}, []),
    (
        "recursive-described",
        {**of({"$ref": "#/$defs/Node", "description": "d"}), "$defs": {"Node": NODE}},
        {**of({"anyOf": [{"$ref": "#/$defs/Node"}], "description": "d"}), "$defs": {"Node": NODE}},
        [],
    ),
    (
        "recursive-odd-name",
        {**of({"$ref": "#/$defs/N[int]"}), "$defs": {"N[int]": of({"$ref": "#/$defs/N[int]"})}},
        {**of({"$ref": "#/$defs/N_int_"}), "$defs": {"N_int_": of({"$ref": "#/$defs/N_int_"})}},
        [],
    ),
    ("self-at-its-own-place", {**of(STRING), "$ref": "#", "anyOf": [{"$ref": "#"}, of({})]}, of(STRING), []),
    ("self", of({"$ref": "#"}), of({"$ref": "#"}), []),
    ("self-required", of({"$ref": "#"}, required=["x"]), of({"$ref": "#"}), ["root: it requires itself without end"]),
    (
        "required-cycle",
        {
            **of({"$ref": "#/$defs/A"}),
            "$defs": {
                "A": {**of({"$ref": "#/$defs/B"}), "required": ["x"]},
                "B": {**of({"$ref": "#/$defs/A"}), "required": ["x"]},
            },
        },
        {
            **of({"$ref": "#/$defs/A"}),
            "$defs": {"A": of({"$ref": "#/$defs/B"}), "B": {**of({"$ref": "#/$defs/A"}), "required": ["x"]}},
        },
        ["$defs.A: it requires itself"],
    ),
    (
        "only-references",
        {**of({"$ref": "#/$defs/A"}), "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}},
        of(ANY),
        ["$defs.A: it requires itself"],
    ),
    (
        "valid-stays",
        {**of({"$ref": "#/$defs/S"}), "$defs": {"S": STRING}},
        {**of({"$ref": "#/$defs/S"}), "$defs": {"S": STRING}},
        [],
    ),
    (
        "union-of-objects",
        {"anyOf": [of(STRING, required=["x"]), {**of(INTEGER), "required": ["x"]}]},
        of({"anyOf": [STRING, INTEGER]}, required=["x"]),
        ["root: alternative objects became one"],
    ),
    (
        "union-of-requirements",
        {**of(STRING), "required": ["x"], "anyOf": [{"required": ["y"]}, {"required": ["z"]}]},
        {"type": "object", "properties": {"x": STRING, "y": ANY, "z": ANY}, "required": ["x"]},
        ["alternative objects"],
    ),
    ("nullable-root", {"anyOf": [of(STRING), NULL]}, of(STRING), ["only an object is accepted"]),
]


@pytest.mark.parametrize(("schema", "expected", "notes"), [case[1:] for case in ROOTS], ids=[case[0] for case in ROOTS])
def test_whole_schema(schema: Json, expected: Json, notes: list[str]) -> None:
    """References, recursion and roots come out as the table says, with those notes and no others."""
    result = to_mfjs(schema)
    assert result.schema == expected
    assert len(result.notes) == len(notes)
    assert all(part in note for part, note in zip(notes, result.notes, strict=True))


@pytest.mark.parametrize(
    "schema", [{"type": "string"}, {"type": "array", "items": of(STRING)}, {"enum": [1]}, {"not": {}, "const": 1}]
)
def test_root_must_be_an_object(schema: Json) -> None:
    """A root that can be no object is refused with what to do, and is left alone where it may be anything."""
    with pytest.raises(ValueError, match=r"^root: .*put the value into a property$"):
        to_mfjs(schema)
    assert to_mfjs(schema, root_object=False).schema["type"] in {"string", "array", "integer"}


def test_shared_definitions_do_not_double() -> None:
    """A chain of definitions that each use the next one twice stays a chain instead of becoming 2**40 schemas."""
    chain = {
        f"D{n}": {"type": "object", "properties": {side: {"$ref": f"#/$defs/D{n + 1}"} for side in "ab"}}
        for n in range(40)
    }
    result = to_mfjs({**of({"$ref": "#/$defs/D0", "title": "T"}), "$defs": {**chain, "D40": STRING}})
    assert result.schema == {**of({"$ref": "#/$defs/D0"}), "$defs": {**chain, "D40": STRING}}
    assert result.notes == ()


def test_a_product_of_unions_stops() -> None:
    """Unions that would multiply without bound are not multiplied out, and that is noted."""
    unions = [{"anyOf": [{"pattern": f"{n}.{m}"} for m in range(15)]} for n in range(8)]
    result = to_mfjs(of({"type": "string", "allOf": unions}))
    assert any("too many combinations" in note for note in result.notes)


def test_depth_is_cut() -> None:
    """A schema thousands of levels deep is cut with a note; nothing recurses without end."""
    deep: Json = {"type": "string"}
    for _ in range(5000):
        deep = {"type": "array", "items": deep}
    result = to_mfjs(of(deep))
    assert any("too deep" in note for note in result.notes)
    assert to_mfjs(result.schema).schema == result.schema


@pytest.mark.parametrize(
    ("schema", "unit"),
    [
        ({"type": "object", "properties": {f"p{n}": STRING for n in range(3001)}}, "3001 properties"),
        (of({"enum": [*range(1001)]}), "1001 values in an enum"),
        (of({"type": "string", "description": "d" * 120_000}), "bytes"),
    ],
    ids=["properties", "enum", "bytes"],
)
def test_known_limits_are_noted(schema: Json, unit: str) -> None:
    """A schema beyond a known size goes out whole, with a note that says which limit."""
    result = to_mfjs(schema)
    assert unit in result.notes[0]
    assert to_mfjs(result.schema).schema == result.schema


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("get_weather", None),
        ("_x-1", None),
        ("a" * 64, None),
        ("", "empty"),
        ("9lives", "starts with"),
        ("-x", "starts with"),
        ("$web_search", "starts with"),
        ("fs.read", "'.' is not allowed"),
        ("a:b", "':' is not"),
        ("näme", "'ä' is not"),
        ("x\n", "is not allowed"),
        ("a" * 65, "at most 64"),
    ],
)
def test_tool_names(name: str, why: str | None) -> None:
    """A tool name is refused for its first character, an odd character or its length, and the reason says which."""
    reason = bad_tool_name(name)
    assert reason is None if why is None else reason is not None and why in reason


# Schemas as other programs make them


class Address(BaseModel):
    """Where somebody lives."""

    street: str
    code: str | None = Field(None, description="postal code", pattern="^[0-9]{5}$")


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: Annotated[int, Field(gt=0, lt=10)] = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    weight: float = Field(gt=0, multiple_of=0.5)


class Tree(BaseModel):
    """A tree."""

    value: int
    left: Tree | None = Field(None, description="the left one")
    children: list[Tree] = []


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Mixed(IntEnum):
    ONE = 1
    TWO = 2


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid", title="Every Thing")

    name: str = Field(min_length=1, max_length=20, examples=["Ada"])
    age: int | None = Field(ge=0, description="in years")
    pair: tuple[int, str]
    many: tuple[int, ...]
    tags: set[str]
    scores: dict[str, float]
    keyed: dict[Annotated[str, Field(pattern="^x")], int]
    nested: dict[Literal["a", "b"], list[Address]]
    address: Address = Field(description="home")
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    plain: Cat | Dog | str | None
    color: Color = Color.RED
    number: Mixed
    literal: Literal["a", 1, True, None]
    anything: Any
    tree: Tree
    when: datetime
    day: date
    amount: Decimal
    id: UUID
    data: bytes


class Point(TypedDict):
    x: float
    y: NotRequired[float]


@dataclass
class Item:
    sku: str
    point: Point
    parts: list[Item] = field(default_factory=list)
    note: str | None = None


class Page(BaseModel, Generic[T]):
    items: list[T]
    more: bool = False


MADE: dict[str, Json] = {
    **{
        model.__name__: model.model_json_schema()
        for model in (Address, Cat, Dog, Tree, Everything, Page[Tree], Page[int])
    },
    **{f"{kind.__name__}-adapter": TypeAdapter(kind).json_schema() for kind in (Item, Point)},
    "serialized": Everything.model_json_schema(mode="serialization"),
    "openai-strict": {
        "type": "object",
        "properties": {"a": {"anyOf": [{"$ref": "#/$defs/A"}, NULL], "title": "A"}},
        "required": ["a"],
        "additionalProperties": False,
        "$defs": {"A": {"type": "object", "properties": {}, "additionalProperties": False}},
    },
}

# The shapes that users report as refused, and habits of tool servers
REPORTED: dict[str, Json] = {
    "type-beside-anyof": of(
        {
            "type": "object",
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
            "properties": {"a": STRING, "b": STRING},
        }
    ),
    "type-beside-ref": {
        **of({"type": "object", "$ref": "#/$defs/A", "description": "d"}),
        "$defs": {"A": {"type": "object", "description": "e"}},
    },
    "ref-to-property": {
        "type": "object",
        "properties": {"a": STRING, "b": {"$ref": "#/properties/a", "description": "d"}},
    },
    "definitions": {**of({"$ref": "#/definitions/orderBy"}), "definitions": {"orderBy": {"enum": ["asc", "desc"]}}},
    "chained-descriptions": {
        **of({"$ref": "#/$defs/A", "description": "a"}),
        "$defs": {
            "A": {"$ref": "#/$defs/B", "description": "b"},
            "B": of({"anyOf": [{"$ref": "#/$defs/A"}, NULL]}, description="c"),
        },
    },
    "optional-array": of({"type": ["array", "null"], "items": STRING}),
    "enum-without-type": of({"enum": ["a", "b"]}),
    "enum-with-null": of({"type": ["string", "null"], "enum": ["a", None]}),
    "required-missing": {"type": "object", "properties": {}, "required": ["age"]},
    "required-without-properties": {"type": "object", "required": ["age"]},
    "boolean-property": {"type": "object", "properties": {"outputSchema": True}},
    "empty-property": {"type": "object", "properties": {"value": {}}},
    "tuple-items": of({"type": "array", "items": [{"type": "number"}, {"type": "number"}]}),
    "no-type": {"properties": {"q": {"description": "the query"}}},
    "min-items-on-string": of({"type": "string", "minItems": 1}),
    "root-anyof": {"anyOf": [of(STRING), {"type": "object", "properties": {"y": STRING}, "required": ["y"]}]},
    "root-oneof-ref": {
        "oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}],
        "$defs": {"A": of(STRING), "B": of(INTEGER)},
    },
    "nested-defs": of({"$defs": {"A": STRING}, "type": "array", "items": {"$ref": "#/properties/x/$defs/A"}}),
    "slash-in-def-name": {**of({"$ref": "#/$defs/a~1b"}), "$defs": {"a/b": of({"$ref": "#/$defs/a~1b"})}},
    "zod": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "r": {"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": {}},
            "n": {"type": "integer", "exclusiveMinimum": 0, "maximum": 9007199254740991},
            "u": {"type": "string", "format": "uri"},
            "l": {"type": "string", "const": "x"},
        },
    },
    "openapi": of({"type": "string", "nullable": True, "enum": ["a", None], "example": "a"}),
    "endless": of({"type": "array", "items": {"$ref": "#"}, "minItems": 1}, required=["x"]),
}


@pytest.mark.parametrize("schema", [*MADE.values(), *REPORTED.values()], ids=[*MADE, *REPORTED])
def test_real_schemas_become_valid(schema: Json) -> None:
    """What pydantic, dataclasses, zod and tool servers write comes out as MFJS by the emulator's own validator."""
    check_laws(schema)


STANDARD = {name: schema for name, schema in {**MADE, **REPORTED}.items() if name != "openapi"}
"""All but OpenAPI 3.0, whose `nullable` means nothing to JSON Schema."""


@pytest.mark.parametrize("schema", STANDARD.values(), ids=STANDARD)
@given(rng=st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_real_answers_satisfy_the_original(schema: Json, rng: Random) -> None:
    """What the normalised schema lets a model answer is valid by the original, unless a note said otherwise."""
    check_answers(schema, rng)


def check_laws(schema: Json) -> None:
    """Valid by the emulator's validator, unchanged by a second run, equal at every run, and the input untouched."""
    before = copy.deepcopy(schema)
    result = to_mfjs(schema)
    assert repr(schema) == repr(before)
    assert to_mfjs(schema) == result
    again = to_mfjs(result.schema)
    assert again.schema == result.schema
    assert again.notes == ()
    assert mfjs_problem(json.loads(json.dumps(result.schema))) is None
    spoil(result.schema)
    assert repr(schema) == repr(before)


def spoil(value: Any) -> None:
    """Empties every container in the value, which shows if one of them is the caller's."""
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            spoil(inner)
        value.clear()


def check_answers(schema: Json, rng: Random) -> None:
    result = to_mfjs(schema)
    if not result.notes:
        draft = jsonschema.Draft7Validator if "definitions" in schema else jsonschema.Draft202012Validator
        value = answer(result.schema, result.schema, rng, 0)
        with contextlib.suppress(RecursionError):
            draft(schema).validate(value)


def answer(node: Json, root: Json, rng: Random, depth: int) -> Any:
    """A random value that the MFJS node accepts; deep down the shortest."""
    if "$ref" in node:
        target = root if node["$ref"] == "#" else root["$defs"][node["$ref"].removeprefix("#/$defs/")]
        return answer(target, root, rng, depth + 1)
    if "anyOf" in node:
        simple = [branch for branch in node["anyOf"] if branch.get("type") not in {"object", "array", None}]
        return answer(rng.choice(simple if depth > 3 and simple else node["anyOf"]), root, rng, depth + 1)
    if "enum" in node:
        values = [value for value in node["enum"] if re.search(node.get("pattern", ""), str(value))]
        assume(values)
        return rng.choice(values)
    return ANSWERS[node["type"]](node, root, rng, depth)


def an_object(node: Json, root: Json, rng: Random, depth: int) -> Json:
    required, rest = node.get("required", ()), node.get("additionalProperties", True)
    fields = {
        name: part
        for name, part in node.get("properties", {}).items()
        if name in required or (depth < 4 and rng.random() < 0.5)
    }
    extra = {"zz": rest if isinstance(rest, dict) and rest else ANY} if rest is not False and rng.random() < 0.3 else {}
    return {name: answer(part, root, rng, depth + 1) for name, part in {**extra, **fields}.items()}


def a_list(node: Json, root: Json, rng: Random, depth: int) -> list[Any]:
    low = node.get("minItems", 0)
    count = low if depth > 3 else rng.randint(low, min(low + 2, node.get("maxItems", low + 2)))
    return [answer(node.get("items", ANY), root, rng, depth + 1) for _ in range(count)]


def a_number(node: Json, rng: Random, step: float) -> float:
    low = node.get("minimum", node.get("maximum", 0) - 10)
    high = node.get("maximum", low + 10)
    return rng.choice([low, high, min(high, low + step)])


def a_string(node: Json, rng: Random) -> str:
    if "pattern" in node:
        text = {"^[0-9]{5}$": "12345", "^a": "ab", "b$": "ab"}[node["pattern"]]
        assume(node.get("minLength", 0) <= len(text) <= node.get("maxLength", 9))
        return text
    low = node.get("minLength", 0)
    return "x" * rng.randint(low, min(low + 3, node.get("maxLength", low + 3)))


ANSWERS: dict[str, Callable[[Json, Json, Random, int], Any]] = {
    "object": an_object,
    "array": a_list,
    "string": lambda node, _root, rng, _depth: a_string(node, rng),
    "integer": lambda node, _root, rng, _depth: a_number(node, rng, 1),
    "number": lambda node, _root, rng, _depth: a_number(node, rng, 0.25),
    "boolean": lambda _node, _root, rng, _depth: rng.random() < 0.5,
    "null": lambda _node, _root, _rng, _depth: None,
}


# Schemas made at random

NAMES = st.sampled_from(["a", "b", "title", "format", "type"])
COUNTS = st.integers(0, 4)
NUMBERS = st.integers(-5, 5) | st.sampled_from([-0.5, 1.5, 2.0])
SCALARS = st.sampled_from(["a", "b", "", 1, 2, 2.5, 1.0, True, False, None])
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "object", "array", "null"])


def keywords(schemas: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    """Every keyword we know of, with values that JSON Schema allows."""
    few = st.lists(schemas, min_size=1, max_size=3)
    named = st.dictionaries(NAMES, schemas, max_size=3)
    return {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "enum": st.lists(SCALARS | st.just({"a": 1}) | st.just(["a", "b"]), min_size=1, max_size=4),
        "const": SCALARS | st.just({"a": [1]}),
        **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), few),
        **dict.fromkeys(("properties", "patternProperties", "dependentSchemas"), named),
        **dict.fromkeys(("items", "additionalProperties", "not", "if", "then", "contains", "propertyNames"), schemas),
        **dict.fromkeys(("unevaluatedProperties", "unevaluatedItems"), schemas),
        "required": st.lists(NAMES, max_size=3, unique=True),
        **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), COUNTS),
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), NUMBERS),
        "multipleOf": st.sampled_from([1, 2, 0.5]),
        "pattern": st.sampled_from(["^a", "b$"]),
        "format": st.sampled_from(["date", "uri"]),
        "uniqueItems": st.booleans(),
        "default": SCALARS | st.just([]),
        **dict.fromkeys(("title", "description", "$comment"), st.sampled_from(["one", "two"])),
        "$ref": st.sampled_from(["#", "#/$defs/A", "#/$defs/B", "#/properties/a"]),
    }


@st.composite
def mixtures(draw: st.DrawFn, schemas: st.SearchStrategy[Any], odd: st.SearchStrategy[Any] | None = None) -> Json:
    """A few keywords that may or may not go together; with `odd`, some with a value that makes no sense."""
    known = keywords(schemas)
    chosen = draw(st.lists(st.sampled_from(sorted(known)), max_size=4, unique=True))
    return {key: draw(known[key] if odd is None or draw(st.integers(0, 4)) else odd) for key in chosen}


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3) | NAMES, inner, max_size=2),
    max_leaves=4,
)
PROPER = st.recursive(st.booleans() | st.builds(dict, type=TYPES), lambda inner: mixtures(inner), max_leaves=8)
IMPROPER = st.recursive(st.booleans() | st.builds(dict, type=TYPES), lambda inner: mixtures(inner, ODD), max_leaves=8)


def documents(schemas: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """A root object with two properties and two definitions, for references to lead to."""
    parts = st.dictionaries(NAMES, schemas, max_size=2)
    return st.builds(
        lambda a, more, defs, root: {**root, "type": "object", "properties": {**more, "a": a}, "$defs": defs},
        schemas,
        parts,
        st.fixed_dictionaries({"A": schemas, "B": schemas}),
        mixtures(schemas),
    )


RANDOM = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@given(schema=documents(PROPER))
@RANDOM
def test_random_schemas_become_valid(schema: Json) -> None:
    """Any mixture of keywords comes out as MFJS that a second run leaves alone."""
    check_laws(schema)


@given(schema=documents(IMPROPER) | mixtures(IMPROPER, ODD))
@RANDOM
def test_nonsense_never_crashes(schema: Json) -> None:
    """Whatever stands where, the result is MFJS, or the one ValueError about the root."""
    if schema.get("type") == "object":
        check_laws(schema)
    else:
        with contextlib.suppress(ValueError):
            check_laws(schema)
        to_mfjs(schema, root_object=False)


@given(schema=documents(PROPER), rng=st.randoms(use_true_random=False))
@RANDOM
def test_random_answers_satisfy_the_original(schema: Json, rng: Random) -> None:
    """What the normalised schema accepts the original accepts, for any schema that was normalised without a note."""
    check_answers(schema, rng)
