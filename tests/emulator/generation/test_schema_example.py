"""Examples of JSON schemas."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from kimi_openai.emulator import mfjs_problem
from kimi_openai.emulator.generation.schema_example import example
from kimi_openai.mfjs.convert import to_mfjs
from tests.schemas.mixtures import examples
from tests.schemas.realistic import KINDS, several

NODE = {
    "type": "object",
    "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}},
    "required": ["next"],
}
ENDLESS = {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "required": ["a"]}
EXAMPLES: dict[str, tuple[Any, Any]] = {
    "string": ({"type": "string"}, "value"),
    "length": ({"type": "string", "minLength": 7, "maxLength": 8}, "valuexx"),
    "short": ({"type": "string", "maxLength": 2}, "va"),
    "date": ({"type": "string", "format": "date"}, "2026-11-23"),
    "enum": ({"enum": ["b", "a"]}, "b"),
    "const": ({"const": 4}, 4),
    "default": ({"type": "integer", "default": 9}, 9),
    "integer": ({"type": "integer"}, 1),
    "maximum": ({"type": "integer", "maximum": -3}, -3),
    "exclusive": ({"type": "integer", "exclusiveMinimum": 4}, 5),
    "multiple": ({"type": "integer", "minimum": 7, "multipleOf": 5}, 10),
    "boolean": ({"type": "boolean"}, True),
    "nullable": ({"type": ["string", "null"]}, "value"),
    "null": ({"type": "null"}, None),
    "array": ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
    "bounds that are texts": ({"type": "string", "minLength": "9"}, "value"),
    "no items allowed": ({"type": "array", "maxItems": 0}, []),
    "anyOf": ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, True),
    "allOf": ({"allOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": {"type": "integer"}}}, 1),
    "boolean enum": ({"type": "boolean", "enum": [False]}, False),
    "null enum": ({"type": "null", "enum": [None]}, None),
    "nullable enum": ({"type": ["null", "integer"], "enum": [None, 3]}, None),
    "enum with a bound": ({"type": "integer", "enum": [1, 5], "minimum": 2}, 5),
    "enum without a value": ({"type": "array", "items": {"type": "string", "enum": ["b"], "pattern": "^a"}}, []),
    "default of another type": ({"type": "integer", "default": "x"}, 1),
    "default out of bounds": ({"type": "number", "default": 0.5, "minimum": 2}, 2),
    "no multiple": ({"type": "integer", "default": 3, "multipleOf": 2}, 2),
    "exclusive number": ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, 0.5),
    "both exclusive": ({"type": "integer", "exclusiveMinimum": 0.5, "exclusiveMaximum": 3}, 1),
    "exclusive maximum": ({"type": "number", "exclusiveMaximum": 0}, -1),
    "anything": ({"properties": {"x": {}}}, {"x": "x"}),
    "pattern": ({"type": "string", "pattern": "^[0-9]{3}-(a|b)$"}, "000-a"),
    "pattern of a length": (
        {"type": "string", "pattern": r"^\w+@\w+$", "minLength": 7, "maxLength": 8},
        "a@axxxx",
    ),
    "pattern that the name fits": ({"type": "string", "pattern": "^v"}, "value"),
    "pattern of another language": ({"type": "string", "pattern": r"^\p{L}+$"}, "value"),
    "bound beside anyOf": ({"anyOf": [{"type": "string"}, {"type": "null"}], "minLength": 7}, "valuexx"),
    "keyword beside a reference": (
        {"$ref": "#/$defs/A", "required": ["y"], "$defs": {"A": {"properties": {"y": {"type": "null"}}}}},
        {"y": None},
    ),
    "deep reference": (
        {"$ref": "#/$defs/A/items", "$defs": {"A": {"type": "array", "items": {"type": "boolean"}}}},
        True,
    ),
    "endless branch": (
        {"$defs": {"A": ENDLESS}, "anyOf": [{"$ref": "#/$defs/A"}, {"type": "integer"}]},
        1,
    ),
    "endless property": ({"$defs": {"A": ENDLESS}, "properties": {"x": {"$ref": "#/$defs/A"}}}, {}),
    "endless items": ({"$defs": {"A": ENDLESS}, "type": "array", "items": {"$ref": "#/$defs/A"}}, []),
    "ref": ({"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"x": {"type": "integer"}}}}}, {"x": 1}),
}


@pytest.mark.parametrize(("schema", "value"), EXAMPLES.values(), ids=EXAMPLES)
def test_examples(schema: Any, value: Any) -> None:
    """An example is the simplest value of a schema."""
    assert example(schema) == value


def test_recursive_example_ends() -> None:
    """A recursive schema gives a finite value."""
    text = json.dumps(example({"$ref": "#/$defs/Node", "$defs": {"Node": NODE}}))
    assert text.endswith("null" + "}" * text.count("{"))


def test_an_endless_schema_has_a_finite_example() -> None:
    """The validator accepts it if another property could end, so there is an answer, which cannot be valid."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"$ref": "#"}, "minItems": 2}, "b": {"type": "null"}},
        "required": ["a", "b"],
    }
    assert mfjs_problem(schema) is None
    assert len(json.dumps(example(schema))) < 10_000


def test_examples_are_valid() -> None:
    """The arguments of a call satisfy the schema of any tool that was converted."""
    accepted = [schema for kind in KINDS for schema in several(kind, 20, 1)] + examples(50, 1)
    for schema in (to_mfjs(each).schema for each in accepted):
        assert mfjs_problem(schema) is None
        jsonschema.Draft202012Validator(schema).validate(example(schema))
