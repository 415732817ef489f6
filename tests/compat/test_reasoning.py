"""Effort, thinking, and the reasoning of replayed tool calls."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.compat.pipeline import shape

from .bodies import CALL, CALLING, HI, K3, K26, K27, K31, OFF, RESULT, check_messages, check_parameters

ON = {"type": "enabled"}

EFFORT = [
    *(
        pytest.param(K3, {"reasoning_effort": word}, {"reasoning_effort": level}, ["reasoning_effort"], id=word)
        for word, level in {"none": "low", "minimal": "low", "medium": "high", "xhigh": "max"}.items()
    ),
    pytest.param(K31, {"reasoning_effort": "low"}, {"reasoning_effort": "low"}, [], id="low"),
    pytest.param(K3, {"reasoning_effort": "bogus"}, {}, ["reasoning_effort"], id="an unknown word"),
    pytest.param(
        K3, {"reasoning_effort": {"effort": "low"}}, {"reasoning_effort": "low"}, ["reasoning_effort"], id="an object"
    ),
    pytest.param(K3, {"reasoning_effort": {"summary": "auto"}}, {}, ["reasoning_effort"], id="an object without one"),
    pytest.param(K26, {"reasoning_effort": "high"}, {}, ["reasoning_effort"], id="K2.6"),
    pytest.param(K26, {"reasoning_effort": "none"}, {"thinking": OFF}, ["reasoning_effort"], id="none on K2.6"),
    pytest.param(K27, {"reasoning_effort": "none"}, {}, ["reasoning_effort"], id="none on K2.7"),
]

THINKING = [
    pytest.param(K3, {"thinking": OFF}, {"reasoning_effort": "low"}, ["thinking"], id="off on K3"),
    pytest.param(K27, {"thinking": OFF}, {}, ["thinking"], id="off on K2.7"),
    pytest.param(K26, {"thinking": OFF}, {"thinking": OFF}, [], id="off on K2.6"),
    pytest.param(K27, {"thinking": ON}, {"thinking": ON}, [], id="on"),
    pytest.param(K26, {"thinking": {**ON, "budget_tokens": 9}}, {"thinking": ON}, ["thinking"], id="with a budget"),
    pytest.param(K26, {"thinking": False}, {"thinking": OFF}, ["thinking"], id="a bool"),
    pytest.param(K26, {"thinking": {**ON, "keep": "all"}}, {"thinking": {**ON, "keep": "all"}}, [], id="keep"),
    pytest.param(
        K3, {"thinking": {**ON, "effort": "high"}}, {"reasoning_effort": "high"}, ["thinking"], id="with an effort"
    ),
    pytest.param(
        K3,
        {"thinking": ON, "reasoning_effort": "max"},
        {"reasoning_effort": "max"},
        ["thinking"],
        id="beside an effort on K3",
    ),
    pytest.param(
        K26,
        {"thinking": OFF, "reasoning_effort": "low"},
        {"thinking": OFF},
        ["reasoning_effort"],
        id="beside an effort on K2.6",
    ),
]


@pytest.mark.parametrize(("model", "sent", "expected", "kinds"), EFFORT)
def test_effort(model: str, sent: dict[str, Any], expected: dict[str, Any], kinds: list[str]) -> None:
    """OpenAI's levels become those of the model."""
    check_parameters(model, sent, expected, kinds)


@pytest.mark.parametrize(("model", "sent", "expected", "kinds"), THINKING)
def test_thinking(model: str, sent: dict[str, Any], expected: dict[str, Any], kinds: list[str]) -> None:
    """`thinking` is sent in the form that the model accepts, or as an effort."""
    check_parameters(model, sent, expected, kinds)


@pytest.mark.k2
@pytest.mark.parametrize(
    ("thinking", "change"),
    [(False, "sent as {'type': 'disabled'}"), ({"type": "adaptive"}, "left out")],
)
def test_the_note_on_thinking_says_what_is_sent(thinking: Any, change: str) -> None:
    """Either the accepted form, or nothing."""
    shaped = shape({"model": K26, "messages": HI, "thinking": thinking})
    assert [note.change for note in shaped.notes] == [change]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "tool_calls": [CALL]},
        {**CALLING, "reasoning_content": None},
        {**CALLING, "reasoning_content": ""},
    ],
)
@pytest.mark.parametrize("model", [K26, K27])
def test_lost_reasoning_of_a_tool_call_has_a_placeholder(model: str, message: dict[str, Any]) -> None:
    """K2 requires it while it thinks, and an empty text is none."""
    expected = {"role": "assistant", "tool_calls": [CALL], "reasoning_content": "(not kept)"}
    check_messages(model, [*HI, message, RESULT], [*HI, expected, RESULT], ["reasoning_content"])


@pytest.mark.parametrize(
    ("model", "reasoning", "options"),
    [
        (K26, {}, {"thinking": OFF}),
        (K26, {"reasoning_content": " "}, {}),
        (K3, {}, {}),
        (K3, {"reasoning_content": ""}, {}),
    ],
)
def test_reasoning_that_is_not_required_has_none(model: str, reasoning: Any, options: Any) -> None:
    """K2.6 without thinking and K3 accept tool calls without reasoning; a blank is a reasoning."""
    body = {"model": model, "messages": [*HI, {"role": "assistant", "tool_calls": [CALL], **reasoning}, RESULT]}
    shaped = shape({**body, **options})
    assert shaped.body["messages"] == body["messages"]
    assert shaped.notes == ()
