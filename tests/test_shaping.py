"""Shaping: what Kimi would refuse becomes what it accepts, by the documented facts, purely."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionMessage

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.rules import broken_rule
from kimi_openai.models import CURRENT, RETIRED
from kimi_openai.shaping import TABLE, shape, shape_upload

HI: Any = [{"role": "user", "content": "Hi"}]
K3, K31, K27, K26 = "kimi-k3", "kimi-k3.1-pro", "kimi-k2.7-code", "kimi-k2.6"
OFF = {"type": "disabled"}

STRICT = Behaviour(strict_thinking=True, accept_empty_reasoning=False, mfjs_response_format=True)
"""The reading of the docs that refuses most."""


def tool(name: str, **parameters: Any) -> dict[str, Any]:
    """A tool as OpenAI code writes it."""
    schema = parameters or {"type": "object", "properties": {"a": {"type": "string"}}}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def named(name: str) -> dict[str, Any]:
    """A tool choice that names a function."""
    return {"type": "function", "function": {"name": name}}


PARAMETERS: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("temperature", K3, {"temperature": 0.2}, {}, ["temperature"]),
    (
        "its pinned value",
        K3,
        {"temperature": 1.0, "top_p": 0.95, "n": 1},
        {"temperature": 1.0, "top_p": 0.95, "n": 1},
        [],
    ),
    ("pinned without thinking", K26, {"thinking": OFF, "temperature": 0.6}, {"thinking": OFF, "temperature": 0.6}, []),
    ("1 without thinking", K26, {"thinking": OFF, "temperature": 1}, {"thinking": OFF}, ["temperature"]),
    ("0.6 while thinking", K26, {"temperature": 0.6}, {}, ["temperature"]),
    ("top_p", K27, {"top_p": 1}, {}, ["top_p"]),
    ("n", K3, {"n": 3}, {}, ["n"]),
    (
        "penalties",
        K31,
        {"presence_penalty": 0.5, "frequency_penalty": 0},
        {"frequency_penalty": 0},
        ["presence_penalty"],
    ),
    ("null", K3, {"temperature": None}, {"temperature": None}, []),
    ("max_tokens", K3, {"max_tokens": 9}, {"max_completion_tokens": 9}, ["max_tokens"]),
    ("both", K3, {"max_tokens": 9, "max_completion_tokens": 8}, {"max_completion_tokens": 8}, ["max_tokens"]),
    ("the whole context", K26, {"max_tokens": 262_144}, {}, ["max_tokens", "max_completion_tokens"]),
    ("beyond K3's", K31, {"max_completion_tokens": 2_000_000}, {}, ["max_completion_tokens"]),
    ("more than K2 has", K3, {"max_completion_tokens": 300_000}, {"max_completion_tokens": 300_000}, []),
    *(
        (f"effort {word}", K3, {"reasoning_effort": word}, {"reasoning_effort": level}, ["reasoning_effort"])
        for word, level in {"none": "low", "minimal": "low", "medium": "high", "xhigh": "max"}.items()
    ),
    ("effort low", K31, {"reasoning_effort": "low"}, {"reasoning_effort": "low"}, []),
    ("effort of no meaning", K3, {"reasoning_effort": "bogus"}, {}, ["reasoning_effort"]),
    ("effort object", K3, {"reasoning_effort": {"effort": "low"}}, {"reasoning_effort": "low"}, ["reasoning_effort"]),
    ("effort on K2", K26, {"reasoning_effort": "high"}, {}, ["reasoning_effort"]),
    ("effort none on K2.6", K26, {"reasoning_effort": "none"}, {"thinking": OFF}, ["reasoning_effort"]),
    ("effort none on K2.7", K27, {"reasoning_effort": "none"}, {}, ["reasoning_effort"]),
    ("thinking off on K3", K3, {"thinking": OFF}, {"reasoning_effort": "low"}, ["thinking"]),
    ("thinking off on K2.7", K27, {"thinking": OFF}, {}, ["thinking"]),
    ("thinking off on K2.6", K26, {"thinking": OFF}, {"thinking": OFF}, []),
    ("thinking on", K27, {"thinking": {"type": "enabled"}}, {"thinking": {"type": "enabled"}}, []),
    (
        "a budget",
        K26,
        {"thinking": {"type": "enabled", "budget_tokens": 9}},
        {"thinking": {"type": "enabled"}},
        ["thinking"],
    ),
    ("a bool", K26, {"thinking": False}, {"thinking": OFF}, ["thinking"]),
    (
        "keep",
        K26,
        {"thinking": {"type": "enabled", "keep": "all"}},
        {"thinking": {"type": "enabled", "keep": "all"}},
        [],
    ),
    (
        "effort in thinking",
        K3,
        {"thinking": {"type": "enabled", "effort": "high"}},
        {"reasoning_effort": "high"},
        ["thinking"],
    ),
    (
        "both on K3",
        K3,
        {"thinking": {"type": "enabled"}, "reasoning_effort": "max"},
        {"reasoning_effort": "max"},
        ["thinking"],
    ),
    ("both on K2.6", K26, {"thinking": OFF, "reasoning_effort": "low"}, {"thinking": OFF}, ["reasoning_effort"]),
    ("user", K3, {"user": "u"}, {"safety_identifier": "u"}, ["user"]),
    ("user beside it", K3, {"user": "u", "safety_identifier": "s"}, {"safety_identifier": "s"}, ["user"]),
    *(
        (name, K3, {name: value}, {}, [name])
        for name, value in {
            "seed": 1,
            "logit_bias": {"1": 1},
            "store": False,
            "metadata": {"a": "b"},
            "service_tier": "auto",
            "parallel_tool_calls": False,
            "modalities": ["text"],
            "verbosity": "low",
        }.items()
    ),
    ("unknown fields", K3, {"my_field": 1}, {"my_field": 1}, []),
    (
        "Kimi's own",
        K3,
        {"prompt_cache_key": "k", "safety_identifier": "s"},
        {"prompt_cache_key": "k", "safety_identifier": "s"},
        [],
    ),
    ("stop", K3, {"stop": ["a", "b"]}, {"stop": ["a", "b"]}, []),
    ("six stops", K3, {"stop": list("abcdef")}, {"stop": list("abcde")}, ["stop"]),
    ("a long stop", K3, {"stop": "x" * 33}, {}, ["stop"]),
    ("usage", K3, {"stream_options": {"include_usage": True}}, {"stream_options": {"include_usage": True}}, []),
    (
        "obfuscation",
        K3,
        {"stream_options": {"include_usage": True, "include_obfuscation": False}},
        {"stream_options": {"include_usage": True}},
        ["stream_options"],
    ),
    ("logprobs", K3, {"logprobs": True, "top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}, []),
    (
        "prediction",
        K3,
        {"prediction": {"type": "content", "content": "x"}},
        {"prediction": {"type": "content", "content": "x"}},
        [],
    ),
    ("its other types", K3, {"prediction": {"type": "other"}}, {}, ["prediction"]),
    ("cache for 30 min", K3, {"prompt_cache_options": {"ttl": "30m"}}, {}, ["prompt_cache_options"]),
    ("JSON mode", K3, {"response_format": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}, []),
]


@pytest.mark.parametrize(
    ("model", "sent", "expected", "kinds"), [case[1:] for case in PARAMETERS], ids=[c[0] for c in PARAMETERS]
)
def test_parameters(model: str, sent: dict[str, Any], expected: dict[str, Any], kinds: list[str]) -> None:
    """Each parameter as the model is documented to take it, with a note for each change and only then."""
    shaped = shape({"model": model, "messages": HI, **sent})
    assert shaped.body == {"model": model, "messages": HI, **expected}
    assert [note.kind for note in shaped.notes] == kinds
    assert broken_rule(shaped.body, STRICT) is None


FORCED: list[tuple[str, str, Any, dict[str, Any]]] = [
    ("required on K3", K3, "required", {"tool_choice": "required"}),
    ("named on K3", K31, named("b"), {"tool_choice": "required", "tools": [tool("b")]}),
    ("required on K2.6", K26, "required", {"thinking": OFF}),
    ("named on K2.6", K26, named("b"), {"thinking": OFF}),
    ("required on K2.7", K27, "required", {"tool_choice": "auto"}),
    ("named on K2.7", K27, named("b"), {"tool_choice": "auto", "tools": [tool("b")]}),
    ("none", K27, "none", {}),
    ("one that is not offered", K3, named("c"), {"tool_choice": "required"}),
    (
        "allowed tools",
        K3,
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named("a")]}},
        {"tool_choice": "required", "tools": [tool("a")]},
    ),
]


@pytest.mark.parametrize(
    ("model", "choice", "changed"), [case[1:] for case in FORCED], ids=[case[0] for case in FORCED]
)
def test_tool_choice(model: str, choice: Any, changed: dict[str, Any]) -> None:
    """A forced call has the documented way out of each model, and a named function keeps its meaning."""
    body = {"model": model, "messages": HI, "tools": [tool("a"), tool("b")], "tool_choice": choice}
    shaped = shape(body)
    assert shaped.body == {**body, **changed}
    assert bool(shaped.notes) == (shaped.body != body)
    assert broken_rule(shaped.body, STRICT) is None


def test_a_choice_that_is_not_offered_is_not_said_to_be() -> None:
    """The note promises no more than the body does."""
    shaped = shape({"model": K3, "messages": HI, "tools": [tool("a")], "tool_choice": named("c")})
    assert "no tool of that name" in shaped.notes[0].change
    assert "only" not in shaped.notes[0].change


def test_a_forced_call_moves_the_pinned_temperature() -> None:
    """K2.6 without thinking takes 0.6 where it took 1."""
    body = {"model": K26, "messages": HI, "tools": [tool("a")], "tool_choice": "required", "temperature": 1}
    shaped = shape(body)
    assert "temperature" not in shaped.body
    assert [note.kind for note in shaped.notes] == ["tool_choice", "temperature"]


CALL = {"id": "c", "type": "function", "function": {"name": "a", "arguments": "{}"}}
ASKED = {"role": "assistant", "reasoning_content": "r", "tool_calls": [CALL]}
ANSWER = {"role": "tool", "tool_call_id": "c", "content": "42"}

MESSAGES: list[tuple[str, str, list[Any], list[Any], list[str]]] = [
    ("developer", K3, [{"role": "developer", "content": "x"}], [{"role": "system", "content": "x"}], ["developer"]),
    ("several systems", K3, [{"role": "system", "content": "x"}] * 2, [{"role": "system", "content": "x"}] * 2, []),
    ("empty assistant", K3, [*HI, {"role": "assistant", "content": ""}, *HI], [*HI, *HI], ["empty_message"]),
    ("null assistant", K3, [*HI, {"role": "assistant", "content": None}], HI, ["empty_message"]),
    (
        "an empty part",
        K3,
        [*HI, {"role": "assistant", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "x"}]}],
        [*HI, {"role": "assistant", "content": [{"type": "text", "text": "x"}]}],
        ["empty_text"],
    ),
    (
        "an empty part beside a call",
        K3,
        [*HI, {**ASKED, "content": [{"type": "text", "text": ""}]}, ANSWER],
        [*HI, ASKED, ANSWER],
        ["empty_text"],
    ),
    (
        "an empty text beside a call",
        K3,
        [*HI, {**ASKED, "content": ""}, ANSWER],
        [*HI, {**ASKED, "content": ""}, ANSWER],
        [],
    ),
    (
        "nulls and what the SDK added",
        K3,
        [
            *HI,
            {
                "role": "assistant",
                "content": "x",
                "refusal": None,
                "audio": None,
                "function_call": None,
                "parsed": {"a": 1},
                "tool_calls": [],
                "reasoning_content": "",
            },
        ],
        [*HI, {"role": "assistant", "content": "x", "reasoning_content": ""}],
        [],
    ),
    (
        "the SDK's keys in calls",
        K3,
        [
            *HI,
            {**ASKED, "tool_calls": [{**CALL, "index": 0, "function": {**CALL["function"], "parsed_arguments": {}}}]},
            ANSWER,
        ],
        [*HI, ASKED, ANSWER],
        [],
    ),
    (
        "legacy functions",
        K3,
        [
            *HI,
            {"role": "assistant", "content": None, "function_call": {"name": "a", "arguments": "{}"}},
            {"role": "function", "name": "a", "content": "42"},
        ],
        [
            *HI,
            {"role": "assistant", "tool_calls": [{**CALL, "id": "call_1"}]},
            {"role": "tool", "name": "a", "tool_call_id": "call_1", "content": "42"},
        ],
        ["function_call", "function_role"],
    ),
    (
        "reasoning lost on K2.6",
        K26,
        [*HI, {"role": "assistant", "tool_calls": [CALL]}, ANSWER],
        [*HI, {"role": "assistant", "tool_calls": [CALL], "reasoning_content": "(not kept)"}, ANSWER],
        ["reasoning_content"],
    ),
    (
        "reasoning that is null on K2.7",
        K27,
        [*HI, {**ASKED, "reasoning_content": None}, ANSWER],
        [*HI, {**ASKED, "reasoning_content": "(not kept)"}, ANSWER],
        ["reasoning_content"],
    ),
    (
        "a null result",
        K3,
        [*HI, ASKED, {**ANSWER, "content": None}],
        [*HI, ASKED, {**ANSWER, "content": ""}],
        ["empty_result"],
    ),
    (
        "a refusal of OpenAI's",
        K3,
        [*HI, {"role": "assistant", "content": None, "refusal": "no"}],
        [*HI, {"role": "assistant", "content": "no"}],
        ["refusal"],
    ),
    (
        "a continuation",
        K3,
        [*HI, {"role": "assistant", "content": "", "name": "Ada", "partial": True}],
        [*HI, {"role": "assistant", "content": "", "name": "Ada", "partial": True}],
        [],
    ),
    (
        "images in place",
        K3,
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "ms://f", "detail": "low"}}]}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "ms://f", "detail": "low"}}]}],
        [],
    ),
]


@pytest.mark.parametrize(
    ("model", "sent", "expected", "kinds"), [case[1:] for case in MESSAGES], ids=[c[0] for c in MESSAGES]
)
def test_messages(model: str, sent: list[Any], expected: list[Any], kinds: list[str]) -> None:
    """Each message as Kimi takes it."""
    shaped = shape({"model": model, "messages": sent})
    assert shaped.body["messages"] == expected
    assert [note.kind for note in shaped.notes] == kinds
    lenient = Behaviour()  # K3's reasoning may be missing: measured
    assert broken_rule(shaped.body, lenient) is None


def test_what_only_openai_answers_hold_stays_here() -> None:
    """Empty annotations go without a word, what they hold with one; a refusal beside content is not content."""
    said = {"role": "assistant", "content": "x"}
    quiet = shape({"model": K3, "messages": [{**said, "annotations": []}]})
    assert (quiet.body["messages"], quiet.notes) == ([said], ())
    told = shape({"model": K3, "messages": [{**said, "annotations": [{"type": "url_citation"}], "refusal": "no"}]})
    assert told.body["messages"] == [said]
    assert [(note.where, note.change) for note in told.notes] == [
        ("messages.0.refusal", "left out"),
        ("messages.0.annotations", "left out"),
    ]


def test_reasoning_is_not_asked_of_a_model_that_does_not_think() -> None:
    """K2.6 with thinking disabled takes tool calls without it."""
    body = {"model": K26, "thinking": OFF, "messages": [*HI, {"role": "assistant", "tool_calls": [CALL]}, ANSWER]}
    assert shape(body).notes == ()


def test_message_objects_and_completions_become_dicts() -> None:
    """What the SDK returned may stand in the list, and goes out without nulls."""
    message = {"role": "assistant", "content": "x", "reasoning_content": "r", "refusal": None}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}
    completion = ChatCompletion.model_validate(
        {"id": "1", "object": "chat.completion", "created": 1, "model": K3, "choices": [choice]}
    )
    shaped = shape({"model": K3, "messages": [ChatCompletionMessage.model_validate(message), completion]})
    assert shaped.body["messages"] == [{"role": "assistant", "content": "x", "reasoning_content": "r"}] * 2
    assert shaped.notes == ()


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("a result without a call", {"messages": [*HI, ANSWER]}, "messages.1.tool_call_id", "tool_call_id c is not found"),
    (
        "a result of another call",
        {"messages": [*HI, ASKED, {**ANSWER, "tool_call_id": "d"}, ANSWER]},
        "messages.2.tool_call_id",
        "d is not",
    ),
    ("a call without a result", {"messages": [*HI, ASKED, *HI]}, "messages.1.tool_calls", "'c' has none"),
    ("a last call", {"messages": [*HI, ASKED]}, "messages.1.tool_calls", "'c' has none"),
    (
        "a function message alone",
        {"messages": [{"role": "function", "name": "a", "content": "1"}]},
        "messages.0.tool_call_id",
        "not found",
    ),
    (
        "an image elsewhere",
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.y/z.png?secret=1"}}]}
            ]
        },
        "messages.0.content.0",
        "unsupported image url: https://x.y/z.png'",
    ),
    (
        "an image elsewhere, in short",
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "HTTP://x.y/z.png"}]}]},
        "messages.0.content.0",
        "unsupported image url",
    ),
    (
        "a file",
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]},
        "messages.0.content.0",
        "no file",
    ),
    ("audio", {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages.0.content.0", "hear"),
    ("a custom tool", {"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools.0", "'custom'"),
    ("a name with a dot", {"tools": [tool("fs.read")]}, "tools.0.function.name", "'fs.read'"),
    ("a name with a digit", {"tools": [tool("2nd")]}, "tools.0.function.name", "'2nd'"),
    ("two of one name", {"tools": [tool("a"), tool("a", type="object")]}, "tools.1", "'function name a is duplicated'"),
    ("a schema of no object", {"tools": [tool("a", type="string")]}, "tools.0.function.parameters", "object"),
]


@pytest.mark.parametrize(("sent", "where", "why"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_cannot_be_put_right_is_said(sent: dict[str, Any], where: str, why: str) -> None:
    """A fatal note names the place and the reason, without what a URL may hide; the part stays as it was."""
    shaped = shape({"model": K3, "messages": HI, **sent})
    found = [note for note in shaped.notes if note.fatal and note.where == where]
    assert found, shaped.notes
    assert why in found[0].why
    assert "secret" not in str(found[0])


def test_functions_become_tools() -> None:
    """The old names of tools and tool choice, for a program that still uses them."""
    old = {"name": "a", "parameters": {"type": "object", "properties": {}}}
    shaped = shape({"model": K26, "messages": HI, "functions": [old], "function_call": {"name": "a"}})
    assert shaped.body == {
        "model": K26,
        "messages": HI,
        "tools": [{"type": "function", "function": old}],
        "tool_choice": named("a"),
        "thinking": OFF,
    }
    assert [note.kind for note in shaped.notes] == ["functions", "function_call", "tool_choice"]
    assert (
        shape({"model": K3, "messages": HI, "functions": [old], "function_call": "auto"}).body["tool_choice"] == "auto"
    )


def test_schemas_are_rewritten_and_only_losses_noted() -> None:
    """A pydantic schema changes its spelling without a word; a `format` is lost and said."""
    optional = {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "B", "type": "string"}
    schema = {
        "type": "object",
        "title": "A",
        "properties": {"b": optional, "c": {"$ref": "#/$defs/C"}},
        "$defs": {"C": {"type": "string"}},
    }
    shaped = shape({"model": K3, "messages": HI, "tools": [tool("a", **schema)]})
    assert shaped.notes == ()
    assert broken_rule(shaped.body, STRICT) is None
    dated = {"type": "object", "properties": {"d": {"type": "string", "format": "date"}}}
    answer = {"type": "json_schema", "json_schema": {"name": "x", "schema": dated, "strict": True, "description": None}}
    shaped = shape({"model": K3, "messages": HI, "response_format": answer})
    assert [(note.kind, note.where) for note in shaped.notes] == [("schema", "response_format.json_schema.schema")]
    assert "format" not in shaped.body["response_format"]["json_schema"]["schema"]["properties"]["d"]
    assert "description" not in shaped.body["response_format"]["json_schema"]


def test_a_schema_seen_before_is_a_copy_of_its_own() -> None:
    """Changing what came out of one request does not change the next, nor does changing what went in."""
    schema: dict[str, Any] = {"type": "object", "title": "A", "properties": {"b": {"type": "string", "title": "B"}}}
    first = shape({"model": K3, "messages": HI, "tools": [tool("a", **schema)]}).body
    first["tools"][0]["function"]["parameters"]["properties"].clear()
    again = shape({"model": K3, "messages": HI, "tools": [tool("a", **schema)]}).body
    assert again["tools"][0]["function"]["parameters"]["properties"] == {"b": {"type": "string"}}
    schema["properties"]["c"] = {"type": "integer"}
    changed = shape({"model": K3, "messages": HI, "tools": [tool("a", **schema)]}).body
    assert set(changed["tools"][0]["function"]["parameters"]["properties"]) == {"b", "c"}


def test_tools_of_the_platform_stay() -> None:
    """`builtin_function` passes, and a `$` name is one; a tool without parameters gets the empty object."""
    builtin = {"type": "builtin_function", "function": {"name": "$web_search"}}
    body = {"model": K3, "messages": HI, "tools": [builtin]}
    assert shape(body) == shape(shape(body).body)
    assert shape(body).body == body
    assert shape({**body, "tools": [{"type": "function", "function": {"name": "$web_search"}}]}).body == body
    bare = shape({**body, "tools": [{"type": "function", "function": {"name": "a", "strict": None}}]})
    assert bare.body["tools"] == [tool("a", type="object", properties={})]


def test_dynamic_tools_are_tools() -> None:
    """Schemas in a system message's tools become MFJS too."""
    message = {
        "role": "system",
        "tools": [tool("a", type="object", properties={"b": {"type": "string", "title": "B"}})],
    }
    shaped = shape({"model": K3, "messages": [message, *HI]})
    assert shaped.body["messages"][0]["tools"][0]["function"]["parameters"]["properties"] == {"b": {"type": "string"}}


@pytest.mark.parametrize("role", ["system", "developer"])
@pytest.mark.parametrize("model", [K26, K27])
def test_dynamic_tools_are_offered_in_tools_where_a_model_has_none(model: str, role: str) -> None:
    """K2 answers 400 to tools in a message: they join the others, and what the message says besides stays."""
    body = {
        "model": model,
        "messages": [
            *HI,
            {"role": role, "content": "", "tools": [tool("b")]},
            *HI,
            {"role": role, "tools": [tool("a")]},
        ],
        "tools": [tool("a")],
    }
    assert broken_rule(body, STRICT) is not None
    shaped = shape(body)
    assert shaped.body == {"model": model, "messages": HI * 2, "tools": [tool("a"), tool("b")]}
    assert broken_rule(shaped.body, STRICT) is None
    assert {note.kind for note in shaped.notes} >= {"dynamic_tools", "tool_name"}
    said = shape({"model": model, "messages": [{"role": "system", "content": "x", "tools": [tool("a")]}]}).body
    assert said == {"model": model, "messages": [{"role": "system", "content": "x"}], "tools": [tool("a")]}


def test_a_tool_is_offered_once() -> None:
    """The same one twice is one; Kimi refuses names that repeat."""
    body = {"model": K3, "messages": HI, "tools": [tool("a"), tool("b"), tool("a")]}
    shaped = shape(body)
    assert shaped.body["tools"] == [tool("a"), tool("b")]
    assert [(note.kind, note.where, note.fatal) for note in shaped.notes] == [("tool_name", "tools.2", False)]
    assert broken_rule(body, STRICT) is not None
    assert broken_rule(shaped.body, STRICT) is None


def test_json_mode_does_not_continue_a_prefix() -> None:
    """The docs warn of the two together; the prefix is what stays."""
    last = {"role": "assistant", "content": "{", "partial": True}
    shaped = shape({"model": K3, "messages": [*HI, last], "response_format": {"type": "json_object"}})
    assert shaped.body == {"model": K3, "messages": [*HI, last]}


@pytest.mark.parametrize("model", sorted(RETIRED))
def test_a_retired_model_has_a_successor(model: str) -> None:
    """With a note, and the rules of the successor."""
    shaped = shape({"model": model, "messages": HI, "temperature": 0.3})
    assert shaped.body == {"model": K3, "messages": HI}
    assert [note.kind for note in shaped.notes] == ["model", "temperature"]


def test_aliases() -> None:
    """An alias is the caller's wish and no note; it may lead on, even to a retired id, and circles lead nowhere."""
    aliases = {"gpt-4o": "fast", "fast": K26, "old": "kimi-latest", "a": "b", "b": "a", K3: K31}
    expected = {"gpt-4o": (K26, 0), "old": (K31, 1), "a": ("a", 0), "kimi-k2.5": (K31, 1), "other": ("other", 0)}
    for model, (sent, notes) in expected.items():
        shaped = shape({"model": model, "messages": HI}, aliases=aliases)
        assert (shaped.body["model"], len(shaped.notes)) == (sent, notes)


def test_unknown_models_keep_their_parameters() -> None:
    """What is not known is not restricted; what holds for the endpoint does."""
    free = {
        "temperature": 0.2,
        "n": 2,
        "max_tokens": 5,
        "seed": 1,
        "reasoning_effort": "medium",
        "tool_choice": named("a"),
    }
    body = {"model": "kimi-k9", "messages": HI, "tools": [tool("a")], **free}
    assert shape(body).body == body
    assert shape({**body, "messages": [{"role": "developer", "content": "x"}]}).body["messages"][0]["role"] == "system"


def test_purposes() -> None:
    """OpenAI's purposes of files become Kimi's; Kimi's stay."""
    sent = {
        "assistants": "file-extract",
        "user_data": "file-extract",
        "vision": "image",
        "batch": "batch",
        "video": "video",
    }
    assert {purpose: shape_upload({"purpose": purpose}).body["purpose"] for purpose in sent} == sent
    assert [note.kind for note in shape_upload({"purpose": "fine-tune"}).notes] == ["purpose"]


def test_what_needs_nothing_is_shared() -> None:
    """Neither lists nor messages nor tools are copied when they are fine."""
    body = {"model": K26, "messages": [*HI, ASKED, ANSWER], "tools": [tool("a")]}
    shaped = shape(body)
    assert shaped.body["messages"] is body["messages"]
    assert shaped.body["tools"] is body["tools"]


def test_the_table_is_the_readme_s() -> None:
    """Every rule has its rows, each said once."""
    assert len(TABLE) == len(set(TABLE)) > 30
    assert all("|" not in row.code + row.kimi + row.ours for row in TABLE)


# Properties ----------------------------------------------------------------------------------------------------------


def words(text: str) -> st.SearchStrategy[str]:
    """Any of the words of a text."""
    return st.sampled_from(text.split())


WORDS = words(
    "x user assistant tool developer function system none auto required named text image_url file custom disabled "
    "enabled all https://x.y c a object string json_schema"
)
KEYS = words(
    "role content tool_calls tool_call_id function_call function name type id partial refusal parsed index text url "
    "image_url thinking keep effort schema json_schema parameters properties required tools mode allowed_tools "
    "arguments reasoning_content audio ttl"
)
ATOMS = st.none() | st.booleans() | st.integers(-1, 3) | st.floats() | WORDS | st.text(max_size=3)
JSON = st.recursive(
    ATOMS, lambda some: st.lists(some, max_size=4) | st.dictionaries(KEYS | st.text(max_size=2), some, max_size=5)
)
NAMES = sorted(
    {name for case in PARAMETERS for name in case[2]} | {"tools", "tool_choice", "functions", "function_call"}
)
MODEL = st.sampled_from([*CURRENT, "moonshot-v1-8k", "kimi-k9", "gpt-4o"])
BODIES = st.fixed_dictionaries(
    {}, optional={"model": MODEL | JSON, **{name: JSON | st.lists(JSON, max_size=4) for name in ["messages", *NAMES]}}
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "developer", "function"])},
    optional={
        "content": JSON,
        "tool_calls": st.lists(st.just(CALL) | JSON, max_size=2) | JSON,
        "tool_call_id": st.just("c") | JSON,
        "function_call": st.just(CALL["function"]) | JSON,
        "name": st.just("a") | JSON,
        "refusal": JSON,
        "reasoning_content": JSON,
        "partial": JSON,
        "parsed": JSON,
        "tools": JSON,
    },
)
LIKELY = st.fixed_dictionaries(
    {"model": MODEL, "messages": st.lists(MESSAGE, max_size=6)}, optional=dict.fromkeys(NAMES, JSON)
)


@settings(max_examples=120, deadline=None)
@given(body=BODIES | LIKELY, aliases=st.dictionaries(MODEL, MODEL, max_size=3))
def test_any_body_is_shaped_once_and_never_mutated(body: dict[str, Any], aliases: dict[str, str]) -> None:
    """No body crashes shaping; a second run changes nothing and notes only what cannot be put right."""
    before = copy.deepcopy(body)
    shaped = shape(body, aliases=aliases)
    assert json.dumps(body) == json.dumps(before)
    again = shape(shaped.body, aliases=aliases)
    assert json.dumps(again.body) == json.dumps(shaped.body)
    assert [note.kind for note in again.notes if not note.fatal] == []
    assert {note.kind for note in again.notes} <= {note.kind for note in shaped.notes}


TURNS = st.lists(
    st.sampled_from(
        [
            [{"role": "developer", "content": "x"}],
            [{"role": "user", "content": [{"type": "text", "text": "x"}], "name": "ada"}],
            [{"role": "assistant", "content": ""}],
            [{"role": "assistant", "content": "x", "refusal": None, "annotations": []}],
            [{"role": "assistant", "content": None, "tool_calls": [CALL]}, ANSWER],
            [
                {"role": "assistant", "content": None, "function_call": {"name": "a", "arguments": "{}"}},
                {"role": "function", "name": "a", "content": "1"},
            ],
        ]
    ),
    max_size=4,
)
ASKS: Any = st.fixed_dictionaries(
    {"model": st.sampled_from([*CURRENT, "kimi-k2.5"])},
    optional={
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "n": st.integers(1, 3),
        "presence_penalty": st.floats(-2, 2),
        "max_tokens": st.integers(1, 100),
        "reasoning_effort": st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh"]),
        "thinking": st.sampled_from([OFF, {"type": "enabled", "budget_tokens": 1}, True]),
        "tool_choice": st.sampled_from(["auto", "none", "required", named("a")]),
        "stop": st.lists(st.text(max_size=40), max_size=4),
        "seed": st.integers(),
        "user": st.text(),
        "stream_options": st.just({"include_usage": True}),
        "response_format": st.sampled_from([{"type": "json_object"}, {"type": "text"}]),
        "function_call": st.sampled_from(["auto", {"name": "a"}]),
    },
)


@settings(max_examples=150, deadline=None)
@given(asks=ASKS, turns=TURNS)
def test_what_openai_accepts_becomes_what_kimi_accepts(asks: dict[str, Any], turns: list[list[Any]]) -> None:
    """Whatever OpenAI code combines, the strictest reading of Kimi's documentation takes it after shaping."""
    function = {"name": "a", "parameters": {"type": "object", "properties": {"b": {"type": ["string", "null"]}}}}
    offered = (
        {"functions": [function]}
        if "function_call" in asks
        else {"tools": [{"type": "function", "function": function}]}
    )
    if "function_call" in asks:
        asks = {name: value for name, value in asks.items() if name != "tool_choice"}
    shaped = shape({**asks, **offered, "messages": [*HI, *(message for turn in turns for message in turn)]})
    lenient = Behaviour(strict_thinking=False, accept_empty_reasoning=False, mfjs_response_format=True)
    assert broken_rule(shaped.body, lenient) is None, shaped
