"""All rules together: they are pure, a second pass changes nothing, and Kimi accepts what comes out."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.compat.pipeline import shape
from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.validation.body import broken_rule
from kimi_openai.models.catalog import CURRENT

from .bodies import CALL, CALLING, HI, K26, OFF, RESULT, named, tool


def test_a_model_of_no_known_family_keeps_its_parameters() -> None:
    """Only the rules of the endpoint apply to it."""
    parameters = {
        "temperature": 0.2,
        "n": 2,
        "max_tokens": 5,
        "seed": 1,
        "reasoning_effort": "medium",
        "tool_choice": named("a"),
    }
    body = {"model": "kimi-k9", "messages": HI, "tools": [tool("a")], **parameters}
    assert shape(body).body == body
    assert shape({**body, "messages": [{"role": "developer", "content": "x"}]}).body["messages"][0]["role"] == "system"


def test_what_needs_no_change_is_shared() -> None:
    """Neither lists nor messages nor tools are copied."""
    body = {"model": K26, "messages": [*HI, CALLING, RESULT], "tools": [tool("a")]}
    shaped = shape(body)
    assert shaped.body["messages"] is body["messages"]
    assert shaped.body["tools"] is body["tools"]


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
NAMES = [
    *("temperature", "top_p", "n", "presence_penalty", "frequency_penalty", "max_tokens", "max_completion_tokens"),
    *("reasoning_effort", "thinking", "tools", "tool_choice", "functions", "function_call", "response_format", "user"),
    *("safety_identifier", "seed", "logit_bias", "store", "metadata", "service_tier", "parallel_tool_calls", "stop"),
    *("modalities", "verbosity", "my_field", "prompt_cache_key", "prompt_cache_options", "stream_options", "logprobs"),
    *("top_logprobs", "prediction", "max_output_tokens", "stop_sequences", "thinking_budget"),
]
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


@given(body=BODIES | LIKELY, aliases=st.dictionaries(MODEL, MODEL, max_size=3))
def test_any_body_is_shaped_once_and_never_mutated(body: dict[str, Any], aliases: dict[str, str]) -> None:
    """No body makes a rule fail; a second pass changes nothing and notes only what cannot be repaired."""
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
            [{"role": "assistant", "content": None, "tool_calls": [CALL]}, RESULT],
            [
                {"role": "assistant", "content": None, "function_call": {"name": "a", "arguments": "{}"}},
                {"role": "function", "name": "a", "content": "1"},
            ],
        ]
    ),
    max_size=4,
)
PARAMETERS: Any = st.fixed_dictionaries(
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


@given(parameters=PARAMETERS, turns=TURNS)
def test_what_openai_accepts_becomes_what_kimi_accepts(parameters: dict[str, Any], turns: list[list[Any]]) -> None:
    """Kimi accepts every combination of parameters and messages that OpenAI code may send, after the rules."""
    function = {"name": "a", "parameters": {"type": "object", "properties": {"b": {"type": ["string", "null"]}}}}
    offered: dict[str, Any] = {"tools": [{"type": "function", "function": function}]}
    if "function_call" in parameters:
        parameters = {name: value for name, value in parameters.items() if name != "tool_choice"}
        offered = {"functions": [function]}
    shaped = shape({**parameters, **offered, "messages": [*HI, *(message for turn in turns for message in turn)]})
    behaviour = Behaviour(accept_empty_results=False, mfjs_response_format=True)
    assert broken_rule(shaped.body, behaviour) is None, shaped
