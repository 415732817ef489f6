"""What is refused before a bulk run and in a batch file: what the docs name, and nothing that the emulator takes."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.compat.body_checks import body_refusals
from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.validation.body import broken_rule

SAID: dict[str, Any] = {"role": "user", "content": "Hi"}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def asked(name: str = "x", **schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": name, **schema}}


def told(**fields: Any) -> dict[str, Any]:
    return {"messages": [SAID, {**SAID, **fields}]}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no messages": ({"messages": None}, "messages: it is None"),
    "an empty list": ({"messages": []}, "messages: it is []"),
    "a message as text": ({"messages": ["Hi"]}, "messages.0: it is 'Hi'"),
    "no output": ({"max_completion_tokens": 0}, "max_completion_tokens: it is 0"),
    "a limit as text": ({"max_tokens": "100"}, "max_tokens: it is '100'"),
    "half a token": ({"max_completion_tokens": 1.5}, "max_completion_tokens: it is 1.5"),
    "true tokens": ({"max_completion_tokens": True}, "max_completion_tokens: it is True"),
    "thinking": ({"thinking": True}, "thinking: it is True; Kimi takes an object"),
    "a stop that is no text": ({"stop": 5}, "stop: it is 5"),
    "a format as text": ({"response_format": "json_object"}, "response_format: it is 'json_object'"),
    "an unknown format": ({"response_format": {"type": "xml"}}, "response_format.type: it is 'xml'"),
    "no schema": ({"response_format": asked()}, "response_format.json_schema.schema: it is None"),
    "a schema as text": ({"response_format": asked(schema="{}")}, "response_format.json_schema.schema: it is '{}'"),
    "a schema without a name": ({"response_format": asked("", schema={})}, "response_format.json_schema.name"),
    "an odd strict": ({"response_format": asked(schema={}, strict=1)}, "response_format.json_schema.strict: it is 1"),
    "nothing of a schema": ({"response_format": {"type": "json_schema"}}, "response_format.json_schema: it is missing"),
    "tools in an object": ({"tools": {"f": TOOL}}, "tools: it is {"),
    "a tool as text": ({"tools": ["f"]}, "tools.0: it is 'f'"),
    "a tool without a name": ({"tools": [{"type": "function", "function": {}}]}, "tools.0.function.name"),
    "an unknown role": (told(role="robot"), "messages.1.role: it is 'robot'"),
    "no role": (told(role=None), "messages.1.role: it is None"),
    "a number as content": (told(content=5), "messages.1.content: it is 5"),
    "an unknown part": (told(content=[{"type": "input_text", "text": "x"}]), "messages.1.content.0: the type"),
    "a part without text": (told(content=[{"type": "text"}]), "messages.1.content.0.text: it is None"),
    "a name that is a number": (told(name=5), "messages.1.name: it is 5"),
}


@pytest.mark.parametrize(("fields", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_kimi_refuses(fields: dict[str, Any], problem: str) -> None:
    """With its place; the emulator refuses it too."""
    body = {"model": "kimi-k3", "messages": [SAID], **fields}
    note = next(body_refusals(body))
    assert f"{note.where}: {note.why}; {note.fix}".startswith(problem)
    assert broken_rule(body, Behaviour()) is not None


TAKEN: dict[str, dict[str, Any]] = {
    "null": {"max_completion_tokens": None, "stop": None, "tools": None, "response_format": None},
    "unknown fields": {"foo": 1, "metadata": 5},
    "formats": {"response_format": asked(schema={"type": "object", "properties": {}, "additionalProperties": False})},
    "tools": {"tools": [TOOL], "tool_choice": "auto"},
    "parts": told(content=[{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "ms://a"}}]),
}


@pytest.mark.parametrize("fields", TAKEN.values(), ids=TAKEN)
def test_what_kimi_takes(fields: dict[str, Any]) -> None:
    """Nothing is refused that the emulator takes."""
    body = {"model": "kimi-k3", "messages": [SAID], **fields}
    assert list(body_refusals(body)) == []
    assert broken_rule(body, Behaviour()) is None
