"""What is refused in a chat body, with its exact text, and what is accepted. Messages: `test_messages`."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.emulator import Behaviour
from kimi_openai.emulator.validation.body import broken_rule
from tests.emulator.http import HELLO, error_of

from .bodies import CALLING, K3, K26, K27, K31, NAMED, OFF, RESULT, TOOL, said, schema, tool, verdict

RECORDED: dict[str, tuple[str, dict[str, Any]]] = {
    "retired_model": ("kimi-k2.5", {}),
    "temperature": (K3, {"temperature": 0.5}),
    "tool_choice_required": (K26, {"tool_choice": "required", "tools": [TOOL]}),
    "tool_choice_specified": (K3, {"tool_choice": NAMED, "tools": [TOOL]}),
    "thinking_disabled": (K27, OFF),
    "empty_assistant": (K3, said({"role": "assistant", "content": ""})),
    "missing_reasoning": (K26, said({**CALLING, "reasoning_content": None}, RESULT)),
    "image_url": (
        K3,
        said({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}]}),
    ),
    "stop": (K3, {"stop": ["a"] * 6}),
    "duplicate_tool": (K3, {"tools": [TOOL, TOOL]}),
    "mfjs": (K3, tool(parameters={"type": "object", "properties": {"city": {"enum": ["Paris"]}}})),
    "tool_type": (K3, tool(parameters={})),
    "context": (K26, {"max_completion_tokens": 262_144}),
}


@pytest.mark.parametrize(("name", "model", "body"), [(n, *case) for n, case in RECORDED.items()], ids=RECORDED)
def test_recorded_refusals(name: str, model: str, body: dict[str, Any]) -> None:
    """A refusal has the status, type and text that were recorded."""
    whole = {"model": model, "messages": HELLO, **body}
    problem = broken_rule(whole, Behaviour())
    assert problem is not None
    status, recorded = error_of(name)
    assert (problem.status, {"error": {"message": problem.message, "type": problem.type}}) == (status, recorded)


KIND = "Invalid request: the `{}` field in the request (expected type {}) is illegal, and {} is not acceptable"
TEXTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "top_p": (K31, {"top_p": 1}, "invalid top_p: only 0.95 is allowed for this model"),
    "n": (K3, {"n": 2}, "invalid n: only 1 is allowed for this model"),
    "penalty": (K3, {"presence_penalty": 1}, "invalid presence_penalty: only 0 is allowed for this model"),
    "temperature while off": (
        K26,
        {"temperature": 1, **OFF},
        "invalid temperature: only 0.6 is allowed for this model",
    ),
    "thinking is a bool": (K3, {"thinking": True}, KIND.format("thinking", "object", "bool")),
    "effort is an object": (K3, {"reasoning_effort": {}}, KIND.format("reasoning_effort", "string", "object")),
    "messages is text": (K3, {"messages": "Hello"}, KIND.format("messages", "array", "string")),
    "float budget": (K3, {"max_tokens": 1.5}, KIND.format("max_tokens", "integer", "number")),
    "no messages": (K3, {"messages": []}, "missing required parameter: messages"),
    "keep": (
        K26,
        {"thinking": {"keep": "some"}},
        "invalid thinking: only keep=all or keep=null is allowed for this model",
    ),
    "format without name": (
        K3,
        schema(schema={}),
        "missing required parameter: response_format.json_schema.name",
    ),
    "format schema": (
        K3,
        schema(name="x", schema="y"),
        "Invalid request: the `response_format.json_schema.schema` field in the request "
        "(expected type dict[string,interface]) is illegal...",
    ),
    "required on K2.7": (
        K27,
        {"tool_choice": "required", "tools": [TOOL]},
        "tool_choice 'required' is incompatible with thinking enabled",
    ),
    "effort none on K2": (K26, {"reasoning_effort": "none"}, 'reasoning_effort value "none" is not supported'),
}


@pytest.mark.parametrize(("model", "body", "text"), TEXTS.values(), ids=TEXTS)
def test_refusals(model: str, body: dict[str, Any], text: str) -> None:
    """A refusal is a 400 with this text."""
    assert verdict(model, **body) == (400, text)


REFUSED: dict[str, dict[str, Any]] = {
    "required without tools": {"tool_choice": "required"},
    "required with no tools": {"tool_choice": "required", "tools": []},
    "unknown choice": {"tool_choice": "always", "tools": [TOOL]},
    "unknown format": {"response_format": {"type": "xml"}},
    "format without schema": {"response_format": {"type": "json_schema"}},
    "format strict": schema(name="x", schema={}, strict="yes"),
    "long stop": {"stop": "x" * 33},
    "tool name": tool(name="9lives"),
    "dotted tool name": tool(name="a.b"),
    "tool kind": {"tools": [{"type": "retrieval"}]},
    "top_logprobs alone": {"top_logprobs": 3},
    "no budget": {"max_tokens": 0},
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_refusals_of_unknown_text(body: dict[str, Any]) -> None:
    """Where the platform's text is not captured, the refusal is still a 400."""
    found = verdict(**body)
    assert found is not None
    assert found[0] == 400


ACCEPTED: dict[str, tuple[str, dict[str, Any]]] = {
    "pinned": (K3, {"temperature": 1.0, "top_p": 0.95, "n": 1, "presence_penalty": 0, "frequency_penalty": 0.0}),
    "nulls": (K3, {"temperature": None, "tools": None, "stop": None, "tool_choice": None, "response_format": None}),
    "0.6 while off": (K26, {"temperature": 0.6, **OFF}),
    "K3 off": (K3, OFF),
    "K3 bogus effort": (K3, {"reasoning_effort": "bogus"}),
    "K3 thinking and effort": (K3, {"reasoning_effort": "low", "thinking": {"type": "enabled", "effort": "low"}}),
    "K2 effort": (K26, {"reasoning_effort": "high"}),
    "K2.7 enabled": (K27, {"thinking": {"type": "enabled", "keep": "all"}}),
    "required on K3": (K31, {"tool_choice": "required", "tools": [TOOL]}),
    "named while off": (K26, {"tool_choice": NAMED, "tools": [TOOL], **OFF}),
    "none without tools": (K26, {"tool_choice": "none"}),
    "unknown fields": (K3, {"user": "x", "store": False, "seed": 3, "parallel_tool_calls": True}),
    "builtin": (K3, {"tools": [{"type": "builtin_function", "function": {"name": "$web_search"}}]}),
    "five stops": (K3, {"stop": ["a"] * 5}),
    "schema format": (K3, schema(name="x", schema={"oneOf": []})),
}


@pytest.mark.parametrize(("model", "body"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(model: str, body: dict[str, Any]) -> None:
    """What was measured or documented to work is not refused."""
    assert verdict(model, **body) is None


SWITCHES: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "K3 off, strictly": ({"strict_thinking": True}, K3, OFF),
    "K3 effort, strictly": ({"strict_thinking": True}, K3, {"reasoning_effort": "medium"}),
    "K3 reasoning, strictly": ({"strict_thinking": True}, K3, said({**CALLING, "reasoning_content": None}, RESULT)),
    "empty result": ({"accept_empty_results": False}, K3, said(CALLING, {**RESULT, "content": ""})),
    "partial elsewhere": ({"partial_elsewhere": "reject"}, K3, said({"role": "user", "content": "x", "partial": True})),
    "format schema": ({"mfjs_response_format": True}, K3, schema(name="x", schema={"properties": {"a": 3}})),
    "ultra schemas": ({"schema_level": "ultra"}, K3, tool(parameters={"type": "object", "title": "T", "not": {}})),
    "fewer models": ({"models": ("kimi-k3",)}, K26, {}),
}


@pytest.mark.parametrize(("switch", "model", "body"), SWITCHES.values(), ids=SWITCHES)
def test_switches_refuse(switch: dict[str, Any], model: str, body: dict[str, Any]) -> None:
    """Each stricter switch refuses what the default accepts."""
    assert verdict(model, **body) is None
    assert verdict(model, Behaviour(**switch), **body) is not None


LENIENT: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "empty reasoning": ({"accept_empty_reasoning": True}, K26, said({**CALLING, "reasoning_content": ""}, RESULT)),
    "missing reasoning": ({"require_reasoning": False}, K26, said({**CALLING, "reasoning_content": None}, RESULT)),
    "lite schemas": ({"schema_level": "lite"}, K3, tool(parameters={"type": "object", "properties": {"anyOf": {}}})),
    "no schema check": ({"schema_level": "loose"}, K3, tool(parameters={"type": "object", "properties": {"a": 3}})),
}


@pytest.mark.parametrize(("switch", "model", "body"), LENIENT.values(), ids=LENIENT)
def test_switches_accept(switch: dict[str, Any], model: str, body: dict[str, Any]) -> None:
    """Each tolerant switch accepts what the default refuses."""
    assert verdict(model, **body) is not None
    assert verdict(model, Behaviour(**switch), **body) is None


def test_order() -> None:
    """The model is checked before the sampling, the sampling before the messages."""
    bad = said({"role": "assistant", "content": ""})
    assert verdict("nope", temperature=3, **bad) == (404, "Not found the model nope or Permission denied")
    assert verdict(K3, temperature=3, **bad) == (400, "invalid temperature: only 1 is allowed for this model")


def test_long_prompt() -> None:
    """A prompt that alone exceeds the context is refused with the number of its tokens."""
    text = "Invalid request: Your request exceeded model token limit: 1048576 (requested: 1048661)"
    assert verdict(K3, messages=[{"role": "user", "content": " x" * 1_048_576}]) == (400, text)
