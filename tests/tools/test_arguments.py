"""Arguments of calls: how they are read, and where JSON inside a text is unwrapped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_openai.tools.arguments import Arguments, ArgumentsError, read_arguments, sentence, unwrapped

STRING, ARRAY, OBJECT = {"type": "string"}, {"type": "array", "items": {"type": "object"}}, {"type": "object"}


def of(**properties: Any) -> dict[str, Any]:
    """An object with these properties."""
    return {"type": "object", "properties": properties}


TREE = {
    **of(children={"type": "array", "items": {"$ref": "#"}}, leaf={"$ref": "#/$defs/Leaf"}),
    "$defs": {"Leaf": OBJECT},
}

UNWRAPPED: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "array": (of(a=ARRAY), {"a": '[{"b": 1}]'}, {"a": [{"b": 1}]}),
    "object with a raw newline": (of(a=OBJECT), {"a": '{"b": "x\ny"}'}, {"a": {"b": "x\ny"}}),
    "items": (of(a=ARRAY), {"a": ['{"b": 1}', "{}"]}, {"a": [{"b": 1}, {}]}),
    "inside an object": (of(a=of(b=ARRAY)), {"a": {"b": "[]"}}, {"a": {"b": []}}),
    "a text in a text": (of(a=of(b=ARRAY)), {"a": json.dumps({"b": "[{}]"})}, {"a": {"b": [{}]}}),
    "or null": (of(a={"anyOf": [ARRAY, {"type": "null"}]}), {"a": "[]"}, {"a": []}),
    "any property": ({"type": "object", "additionalProperties": ARRAY}, {"a": "[]"}, {"a": []}),
    "references": (TREE, {"children": ['{"leaf": "{}"}']}, {"children": [{"leaf": {}}]}),
    "a text is wanted": (of(a=STRING), {"a": "[1]"}, {"a": "[1]"}),
    "a text will do": (of(a={"anyOf": [ARRAY, STRING]}), {"a": "[1]"}, {"a": "[1]"}),
    "anything will do": (of(a={}), {"a": "[1]"}, {"a": "[1]"}),
    "unknown property": (of(), {"a": "[1]"}, {"a": "[1]"}),
    "another type": (of(a=ARRAY), {"a": "{}"}, {"a": "{}"}),
    "not JSON": (of(a=ARRAY), {"a": "[1"}, {"a": "[1"}),
    "not even that": (of(a=ARRAY), {"a": "one"}, {"a": "one"}),
    "no schema": ({}, {"a": "[1]"}, {"a": "[1]"}),
}


@pytest.mark.parametrize(("schema", "value", "expected"), UNWRAPPED.values(), ids=UNWRAPPED)
def test_json_in_a_text_is_unwrapped_where_no_text_fits(schema: Any, value: Any, expected: Any) -> None:
    """At every depth; where a text is accepted it stays one."""
    assert unwrapped(value, schema, schema) == expected


def test_the_text_stays_if_nothing_was_changed() -> None:
    """Numbers keep their digits for pydantic; else the text is that of the values."""
    assert read_arguments('{"a":  1.50}', {}) == Arguments({"a": 1.5}, '{"a":  1.50}')
    assert read_arguments('{"a": "x\ny"}', {}) == Arguments({"a": "x\ny"}, '{"a": "x\\ny"}')
    assert read_arguments('{"a": "[1]"}', of(a=ARRAY)).text == '{"a": [1]}'


@pytest.mark.parametrize("half", ["\\ud83d", "\\uDE00", "\\ude00\\ud83d"])
def test_half_a_character_costs_nothing_else(half: str) -> None:
    """Pydantic would refuse the escape, and the model would be told that its JSON is invalid. A whole character stays
    as it was written."""
    replaced = "\ufffd" * half.count("\\u")
    expected = Arguments({"a": f"ok {replaced}"}, f'{{"a": "ok {replaced}"}}')
    assert read_arguments(f'{{"a": "ok {half}"}}', of(a=STRING)) == expected
    whole = '{"a": "\\ud83d\\ude00"}'
    assert read_arguments(whole, of(a=STRING)) == Arguments({"a": "😀"}, whole)


def test_the_model_is_shown_what_it_wrote() -> None:
    """Its history has an empty object instead. A long text is cut."""
    with pytest.raises(ArgumentsError, match=r'^the arguments are not valid JSON: .*; they were: {"a": $'):
        read_arguments('{"a": ', {})
    with pytest.raises(ArgumentsError, match=r"x{900,1000}\.\.\.$"):
        read_arguments('{"a": "' + "x" * 5000, {})


def test_many_problems_are_counted() -> None:
    """The model is told twenty."""
    assert sentence(range(22)).endswith("; 19; and 2 more")
