"""Property names that Kimi refuses: which they are, what they become, and the mapping of JSON texts."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kimi_openai.mfjs.convert import to_mfjs
from kimi_openai.mfjs.names import NameMapper, Names
from tests.mfjs.answers import answer
from tests.mfjs.shapes import STRING, Json, convert, of

CASES: dict[str, tuple[Json, dict[str, str]]] = {
    "reserved words": (
        of(STRING, properties=dict.fromkeys(("required", "anyOf", "$ref", "$defs", "additionalProperties"), STRING)),
        {
            "_defs": "$defs",
            "_ref": "$ref",
            "additionalProperties_": "additionalProperties",
            "anyOf_": "anyOf",
            "required_": "required",
        },
    ),
    "no name": (of(STRING, properties={"": STRING}, required=[""]), {"_": ""}),
    "braces": (of(STRING, properties={"{id}": STRING, "a{0}": STRING, "{": STRING}), {"_id_": "{id}", "a_0_": "a{0}"}),
    "a taken name": (of(STRING, properties={"required": STRING, "required_": STRING}), {"required_2": "required"}),
    "slash outside definitions": (of(STRING, properties={"a/b": STRING}), {}),
    "slash in a definition": (
        of(
            {"$ref": "#/$defs/A"},
            **{"$defs": {"A": of({"$ref": "#/$defs/A"}, properties={"a/b": {"$ref": "#/$defs/A"}})}},
        ),
        {"a_b": "a/b"},
    ),
    "names of other keywords": (of(STRING, properties={"properties": STRING, "enum": STRING, "$id": STRING}), {}),
}


@pytest.mark.parametrize(("schema", "names"), CASES.values(), ids=CASES)
def test_refused_names_are_replaced(schema: Json, names: dict[str, str]) -> None:
    """By names that the schema does not have; the result is valid and does not change again."""
    result = convert(schema)
    assert result.names == names
    assert sorted(note.partition(": ")[2] for note in result.notes) == sorted(f"it is named {new!r}" for new in names)
    assert all(f"properties.{old}: it is named {new!r}" in "\n".join(result.notes) for new, old in names.items())
    assert result.losses == ()


DEFINITION = {
    "type": "object",
    "properties": {
        "$ref": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
        "anyOf": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
        "free": {"type": "object", "additionalProperties": {"type": "string"}},
        "others": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Node"}},
        "plain": {"type": "string"},
    },
    "required": ["anyOf"],
    "additionalProperties": False,
}
SCHEMA = {"type": "object", "properties": {"required": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": DEFINITION}}
CONVERTED = to_mfjs(SCHEMA)
NAMES = Names(CONVERTED.schema, CONVERTED.names)


def test_only_described_names_are_mapped() -> None:
    """The same words as values, and as names in an object that may have any, stay."""
    ours = {
        "required": {
            "anyOf": [{"anyOf": [], "free": {"anyOf_": "anyOf_", "$ref": "x"}}],
            "others": {"required_": {"$ref": None, "anyOf": []}},
            "plain": '"anyOf_": {"_ref"',
        }
    }
    kimis = {
        "required_": {
            "anyOf_": [{"anyOf_": [], "free": {"anyOf_": "anyOf_", "$ref": "x"}}],
            "others": {"required_": {"_ref": None, "anyOf_": []}},
            "plain": '"anyOf_": {"_ref"',
        }
    }
    assert json.loads(NAMES.from_kimi(json.dumps(kimis))) == ours
    assert json.loads(NAMES.to_kimi(json.dumps(ours))) == kimis


@given(st.randoms(use_true_random=False), st.data())
def test_any_cut_of_a_text_gives_the_whole(rng: Random, data: st.DataObject) -> None:
    """Both ways and back are no change, in pieces of any size, with any whitespace."""
    value = answer(CONVERTED.schema, CONVERTED.schema, rng, 0)
    text = json.dumps(value, indent=rng.choice([None, 1]), ensure_ascii=rng.random() < 0.5)
    assume(len(text) < 3000)
    whole = NAMES.from_kimi(text)
    mapper = NameMapper(NAMES)
    pieces: list[str] = []
    while text:
        size = data.draw(st.integers(1, 40))
        pieces.append(mapper.feed(text[:size]))
        text = text[size:]
    assert "".join(pieces) + mapper.flush() == whole
    assert json.loads(NAMES.to_kimi(whole)) == value


@pytest.mark.parametrize(
    ("text", "mapped"),
    [
        ('```json\n{"required_": {"anyOf_": []}}\n```', '```json\n{"required": {"anyOf": []}}\n```'),
        (r'{"required\u005f": 1}', '{"required": 1}'),
        (r'{"a\"required_": {"required_": 1}}', r'{"a\"required_": {"required_": 1}}'),
        ('{"required_": [1, {"anyOf_": 2}], "required_": 3}', '{"required": [1, {"anyOf_": 2}], "required": 3}'),
        (r'{"\q": 1, "required_": 2}', r'{"\q": 1, "required": 2}'),
        ("}]{", "}]{"),
        ('{"required_', '{"required_'),
        ("", ""),
    ],
    ids=["fence", "escape", "quote in a name", "wrong type, twice", "bad escape", "brackets", "cut", "empty"],
)
def test_what_else_a_text_may_be(text: str, mapped: str) -> None:
    """Names are mapped as far as the text follows the schema; nothing else changes."""
    assert NAMES.from_kimi(text) == mapped


def test_the_mapping_of_a_long_text_ends_soon() -> None:
    """Deep nesting is no recursion."""
    text = '{"required_": ' * 50_000
    assert NAMES.from_kimi(text).startswith('{"required": {"required_": ')


def test_a_conversion_without_refused_names_has_none() -> None:
    """Then there is nothing to map."""
    result: Any = to_mfjs(of(STRING))
    assert result.names == {}
