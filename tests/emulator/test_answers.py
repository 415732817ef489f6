"""The default answer: it quotes, calls and conforms."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_openai.emulator.answers import default_answer, example
from kimi_openai.emulator.script import Call, Say, Think

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": PARAMETERS}} for name in ("get_weather", "get_time")
]


def answered(question: Any = "Hello?", *more: Any, **body: Any) -> Any:
    return default_answer({"messages": [{"role": "user", "content": question}, *more], **body})


def test_quotes_the_question() -> None:
    """Reasoning first, then the question; parts count as text."""
    assert [type(step) for step in answered()] == [Think, Say]
    assert '"Hello?"' in answered([{"type": "text", "text": "Hello?"}])[-1].text


CALLS: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "required": ("Hi", {"tool_choice": "required"}, "get_weather"),
    "named in the question": ("Please use get_time now", {}, "get_time"),
    "named in tool_choice": ("Hi", {"tool_choice": {"function": {"name": "get_time"}}}, "get_time"),
    "not asked for": ("Hi", {}, None),
    "part of a word": ("my_get_time2", {}, None),
    "forbidden": ("Please use get_time", {"tool_choice": "none"}, None),
}


@pytest.mark.parametrize(("question", "body", "name"), CALLS.values(), ids=CALLS)
def test_calls(question: str, body: dict[str, Any], name: str | None) -> None:
    """A tool is called when it is required or clearly named, with arguments that fit its schema."""
    step = answered(question, tools=TOOLS, **body)[-1]
    assert (step.name, json.loads(step.arguments)) == (name, {"city": "city"}) if name else isinstance(step, Say)


def test_web_search() -> None:
    """The builtin is called with an object that announces its tokens."""
    step = answered("use $web_search", tools=[{"type": "builtin_function", "function": {"name": "$web_search"}}])[-1]
    assert isinstance(step, Call)
    assert json.loads(step.arguments)["usage"]["total_tokens"] > 0


def test_quotes_tool_results() -> None:
    """After tool results the answer tells them, and calls nothing again."""
    results = [{"role": "tool", "tool_call_id": str(n), "content": text} for n, text in enumerate(["sunny", "22 C"])]
    assert answered("use get_weather", *results, tools=TOOLS)[-1] == Say("The tool answered: sunny; 22 C")


def test_json() -> None:
    """JSON where JSON was asked for."""
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert json.loads(answered(response_format=wanted)[-1].text) == {"n": 3}
    assert isinstance(json.loads(answered(response_format={"type": "json_object"})[-1].text), dict)


NODE = {
    "type": "object",
    "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}},
    "required": ["next"],
}
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
    "no items allowed": ({"type": "array", "maxItems": 0}, []),
    "anyOf": ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, True),
    "allOf": ({"allOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": {"type": "integer"}}}, 1),
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
