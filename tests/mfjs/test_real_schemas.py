"""Schemas as pydantic, dataclasses, zod and tool servers write them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from random import Random
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from typing_extensions import NotRequired, TypedDict

from tests.mfjs.answers import check_answers
from tests.mfjs.shapes import INTEGER, NULL, STRING, Json, convert, of

T = TypeVar("T")


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

# What users report as refused and no other table has, and habits of tool servers
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
    "chained-descriptions": {
        **of({"$ref": "#/$defs/A", "description": "a"}),
        "$defs": {
            "A": {"$ref": "#/$defs/B", "description": "b"},
            "B": of({"anyOf": [{"$ref": "#/$defs/A"}, NULL]}, description="c"),
        },
    },
    "root-oneof-ref": {
        "oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}],
        "$defs": {"A": of(STRING), "B": of(INTEGER)},
    },
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
def test_they_become_valid(schema: Json) -> None:
    """The result is MFJS by the emulator's own validator, and converting it again changes nothing."""
    convert(schema)


STANDARD = {name: schema for name, schema in {**MADE, **REPORTED}.items() if name != "openapi"}
"""All but OpenAPI 3.0, because JSON Schema ignores its `nullable`."""


@pytest.mark.parametrize("schema", STANDARD.values(), ids=STANDARD)
@given(rng=st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_answers_satisfy_the_original(schema: Json, rng: Random) -> None:
    """What the result lets a model answer is valid by the original, unless a note says otherwise."""
    check_answers(schema, rng)
