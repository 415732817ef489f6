"""The check against a JSON Schema: it agrees with the `jsonschema` library, and names the place of each problem."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.tools.json_schema import schema_problems
from tests.mfjs.test_random_schemas import RANDOM
from tests.schemas.mixtures import IMPROPER, NAMES, PROPER, SCALARS, documents

VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(NAMES, VALUES, max_size=3)
UNSUPPORTED = (
    "unevaluatedProperties",
    "unevaluatedItems",
    "$ref",
)  # references may go in circles, which ends jsonschema


def without(schema: Any, names: tuple[str, ...]) -> Any:
    """The schema without these keywords."""
    if isinstance(schema, dict):
        return {key: without(value, names) for key, value in schema.items() if key not in names}
    return [without(each, names) for each in schema] if isinstance(schema, list) else schema


@RANDOM
@given(documents(PROPER), ARGUMENTS)
def test_random_schemas_accept_what_the_library_accepts(schema: Any, arguments: Any) -> None:
    """And nothing else."""
    schema = without(schema, UNSUPPORTED)
    is_valid = jsonschema.Draft202012Validator(schema).is_valid(arguments)
    assert (schema_problems(arguments, schema) == []) == is_valid


@RANDOM
@given(documents(IMPROPER), ARGUMENTS)
def test_a_malformed_schema_raises_nothing(schema: Any, arguments: Any) -> None:
    """What is malformed in it accepts everything; circles of references end."""
    for problem in schema_problems(arguments, schema):
        assert str(problem)


ITEM = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"], "additionalProperties": False}
TREE = {"type": "object", "properties": {"next": {"$ref": "#"}, "id": {"$ref": "#/$defs/Id"}}, "required": ["id"]}

PROBLEMS: dict[str, tuple[Any, Any, list[str]]] = {
    "type": ({"type": ["integer", "null"]}, "x", ["must be an integer or null, not a string"]),
    "true is no number": ({"type": "number"}, True, ["must be a number, not true or false"]),
    "enum": ({"enum": ["a", 1]}, True, ['must be one of "a", 1']),
    "const": ({"const": "é"}, "e", ['must be "é"']),
    "limits": ({"minimum": 1, "maximum": 3}, 4, ["must be at most 3"]),
    "multiple": ({"multipleOf": 0.1}, 0.35, ["must be a multiple of 0.1"]),
    "multiple, nearly": ({"multipleOf": 0.1}, 0.3, []),
    "pattern": ({"pattern": "^a"}, "b", ["must match '^a'"]),
    "pattern of another language": ({"pattern": r"\p{L}"}, "1", []),
    "inside a list": ({"items": ITEM}, [{"id": 1}, {"id": "1"}], ["1.id: must be an integer, not a string"]),
    "required": (ITEM, {}, ["id: is required"]),
    "unknown property": (ITEM, {"id": 1, "x": 2}, ["x: is not allowed"]),
    "several": (ITEM, {"x": 2}, ["id: is required", "x: is not allowed"]),
    "inside an alternative": (
        {"anyOf": [{"type": "array", "items": ITEM}, {"type": "null"}]},
        [{"id": 1.5}],
        ["0.id: must be an integer, not a number"],
    ),
    "no alternative": (
        {"anyOf": [{"type": "string"}, {"minimum": 3}]},
        1,
        ["fits no alternative: must be a string, not an integer; or must be at least 3"],
    ),
    "two alternatives": (
        {"oneOf": [{"type": "integer"}, {"minimum": 1}]},
        2,
        ["fits 2 alternatives, of which only one"],
    ),
    "negation": ({"not": {"type": "null"}}, None, ['must not fit {"type": "null"}']),
    "reference": ({**TREE, "$defs": {"Id": {"type": "integer"}}}, {"next": {}, "id": 1}, ["next.id: is required"]),
    "reference to nothing": ({"$ref": "#/$defs/No"}, 1, []),
    "reference to elsewhere": ({"$ref": "https://example.com/schema"}, 1, []),
    "circle": ({"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}]}}}, 1, []),
    "tuple of older drafts": ({"items": [{"type": "string"}]}, [1, 2], ["0: must be a string, not an integer"]),
    "unknown type": ({"type": "any"}, 1, []),
}


@pytest.mark.parametrize(("schema", "value", "problems"), PROBLEMS.values(), ids=PROBLEMS)
def test_each_problem_names_its_place(schema: Any, value: Any, problems: list[str]) -> None:
    """In words for the model."""
    found = [str(problem) for problem in schema_problems(value, schema)]
    assert len(found) == len(problems)
    assert all(text.startswith(start) for text, start in zip(found, problems, strict=True)), found
