"""What is refused, with its exact text, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.emulator import Behaviour
from kimi_openai.emulator.rules import broken_rule
from kimi_openai.emulator.shapes import shape_problem

from .http import HELLO, error_of

K3, K31, K27, K26 = "kimi-k3", "kimi-k3.1-pro", "kimi-k2.7-code", "kimi-k2.6"
OFF = {"thinking": {"type": "disabled"}}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
NAMED = {"type": "function", "function": {"name": "get_weather"}}
CALL = {"id": "get_weather_0", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "get_weather_0", "content": "sunny"}
CALLING = {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": [CALL]}


def said(*messages: Any) -> dict[str, Any]:
    return {"messages": [*HELLO, *messages]}


def tool(**function: Any) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": {**TOOL["function"], **function}}]}


def schema(**json_schema: Any) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": json_schema}}


def verdict(model: str = K3, behaviour: Behaviour | None = None, **body: Any) -> tuple[int, str] | None:
    whole = {"model": model, "messages": HELLO, **body}
    problem = shape_problem(whole) or broken_rule(whole, behaviour or Behaviour())
    return problem and (problem.status, problem.message)


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
    "mfjs": (K3, tool(parameters={"type": "object", "properties": {"city": {}}})),
    "tool_type": (K3, tool(parameters={})),
    "context": (K26, {"max_completion_tokens": 262_144}),
}


@pytest.mark.parametrize(("name", "model", "body"), [(n, *case) for n, case in RECORDED.items()], ids=RECORDED)
def test_recorded_refusals(name: str, model: str, body: dict[str, Any]) -> None:
    """A refusal has the status, type and text that were recorded."""
    whole = {"model": model, "messages": HELLO, **body}
    problem = shape_problem(whole) or broken_rule(whole, Behaviour())
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
    "developer": (K3, said({"role": "developer", "content": "x"}), "Invalid request: tokenization failed"),
    "function role": (K3, said({"role": "function", "content": "x"}), "Invalid request: tokenization failed"),
    "part type": (
        K3,
        said({"role": "user", "content": [{"type": "input_audio"}]}),
        "Invalid request: the message at position 1 with role 'user' contains an invalid part type: input_audio",
    ),
    "strange result": (
        K3,
        said(CALLING, {**RESULT, "tool_call_id": "x"}),
        "tool_call_id x is not found",
    ),
    "nameless result": (K3, said(CALLING, {"role": "tool", "content": "x"}), "tool_call_id  is not found"),
    "result without a call": (K3, said(RESULT), "tool_call_id get_weather_0 is not found"),
    "missing result": (
        K3,
        said(CALLING),
        "Invalid request: the tool messages after position 1 do not match its tool_calls: get_weather_0",
    ),
    "result too late": (
        K3,
        said(CALLING, *HELLO, RESULT),
        "Invalid request: the tool messages after position 1 do not match its tool_calls: get_weather_0",
    ),
    "dynamic tools on K2": (K26, said({"role": "system", "tools": [TOOL]}), "Invalid request: tokenization failed"),
    "dynamic tools with content": (
        K3,
        said({"role": "system", "content": "x", "tools": [TOOL]}),
        "Invalid request: tools in the message at position 1 cannot be used with content",
    ),
    "dynamic duplicate": (
        K3,
        {**said({"role": "system", "tools": [TOOL]}), "tools": [TOOL]},
        "function name get_weather is duplicated",
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
    "message is text": {"messages": ["Hello"]},
    "content is a number": said({"role": "user", "content": 3}),
    "cache breakpoint": said(
        {"role": "user", "content": [{"type": "text", "text": "x", "prompt_cache_breakpoint": {}}]}
    ),
    "empty prefix without a name": said({"role": "assistant", "content": "", "partial": True}),
    "image for system": said({"role": "system", "content": [{"type": "image_url", "image_url": "ms://f"}]}),
    "dynamic tools of a user": said({"role": "user", "tools": [TOOL]}),
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
    "required, dynamic tools": (K3, {**said({"role": "system", "tools": [TOOL]}), "tool_choice": "required"}),
    "named while off": (K26, {"tool_choice": NAMED, "tools": [TOOL], **OFF}),
    "none without tools": (K26, {"tool_choice": "none"}),
    "unknown fields": (K3, {"user": "x", "store": False, "seed": 3, "parallel_tool_calls": True}),
    "K3 without reasoning": (K3, said({**CALLING, "reasoning_content": None}, RESULT)),
    "K2.6 empty reasoning": (K26, said({**CALLING, "reasoning_content": ""}, RESULT)),
    "K2.6 off without reasoning": (K26, {**said({**CALLING, "reasoning_content": None}, RESULT), **OFF}),
    "call with null content": (K3, said({**CALLING, "content": None}, RESULT)),
    "named empty prefix": (K3, said({"role": "assistant", "content": "", "name": "Kim", "partial": True})),
    "partial elsewhere": (K3, said({"role": "user", "content": "x", "partial": True})),
    "data image": (
        K3,
        said({"role": "user", "content": [{"type": "image_url", "image_url": "data:image/png;base64,AA=="}]}),
    ),
    "video reference": (K3, said({"role": "user", "content": [{"type": "video_url", "video_url": {"url": "ms://f"}}]})),
    "image result": (
        K3,
        said(CALLING, {**RESULT, "content": [{"type": "image_url", "image_url": {"url": "ms://f"}}]}),
    ),
    "two results in any order": (
        K3,
        said(
            {**CALLING, "tool_calls": [CALL, {**CALL, "id": "b"}]},
            {**RESULT, "tool_call_id": "b"},
            RESULT,
        ),
    ),
    "builtin": (K3, {"tools": [{"type": "builtin_function", "function": {"name": "$web_search"}}]}),
    "five stops": (K3, {"stop": ["a"] * 5}),
    "schema format": (K3, schema(name="x", schema={"oneOf": []})),
    "dynamic tools with empty content": (K3, said({"role": "system", "content": "", "tools": [TOOL]})),
}


@pytest.mark.parametrize(("model", "body"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(model: str, body: dict[str, Any]) -> None:
    """What was measured or documented to work is not refused."""
    assert verdict(model, **body) is None


SWITCHES: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "K3 off, strictly": ({"strict_thinking": True}, K3, OFF),
    "K3 effort, strictly": ({"strict_thinking": True}, K3, {"reasoning_effort": "medium"}),
    "K3 reasoning, strictly": ({"strict_thinking": True}, K3, said({**CALLING, "reasoning_content": None}, RESULT)),
    "empty reasoning": ({"accept_empty_reasoning": False}, K26, said({**CALLING, "reasoning_content": ""}, RESULT)),
    "partial elsewhere": ({"partial_elsewhere": "reject"}, K3, said({"role": "user", "content": "x", "partial": True})),
    "format schema": ({"mfjs_response_format": True}, K3, schema(name="x", schema={"properties": {"a": {}}})),
    "fewer models": ({"models": ("kimi-k3",)}, K26, {}),
}


@pytest.mark.parametrize(("switch", "model", "body"), SWITCHES.values(), ids=SWITCHES)
def test_switches_refuse(switch: dict[str, Any], model: str, body: dict[str, Any]) -> None:
    """Each stricter reading refuses what the default accepts."""
    assert verdict(model, **body) is None
    assert verdict(model, Behaviour(**switch), **body) is not None


LENIENT: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "missing reasoning": ({"require_reasoning": False}, K26, said({**CALLING, "reasoning_content": None}, RESULT)),
    "lite schemas": ({"mfjs": "lite"}, K3, tool(parameters={"type": "object", "properties": {"a": {}}})),
    "no schema check": ({"mfjs": "off"}, K3, tool(parameters={"type": "object", "properties": {"a": 3}})),
}


@pytest.mark.parametrize(("switch", "model", "body"), LENIENT.values(), ids=LENIENT)
def test_switches_accept(switch: dict[str, Any], model: str, body: dict[str, Any]) -> None:
    """Each laxer reading accepts what the default refuses."""
    assert verdict(model, **body) is not None
    assert verdict(model, Behaviour(**switch), **body) is None


def test_order() -> None:
    """The model is looked at before the sampling, the sampling before the messages."""
    bad = said({"role": "assistant", "content": ""})
    assert verdict("nope", temperature=3, **bad) == (404, "Not found the model nope or Permission denied")
    assert verdict(K3, temperature=3, **bad) == (400, "invalid temperature: only 1 is allowed for this model")


def test_long_prompt() -> None:
    """A prompt that alone exceeds the context is refused with the number of its tokens."""
    text = "Invalid request: Your request exceeded model token limit: 262144 (requested: 262162)"
    assert verdict(K26, messages=[{"role": "user", "content": " x" * 262_144}]) == (400, text)
