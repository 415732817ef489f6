"""Sampling parameters: the value that the model accepts stays, any other is left out."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.compat.pipeline import shape

from .bodies import HI, K3, K26, K27, K31, OFF, check_parameters, tool

PINNED = {"temperature": 1.0, "top_p": 0.95, "n": 1}

CASES = [
    pytest.param(K3, {"temperature": 0.2}, {}, ["temperature"], id="temperature"),
    pytest.param(K3, PINNED, PINNED, [], id="the pinned values"),
    pytest.param(
        K26, {"thinking": OFF, "temperature": 0.6}, {"thinking": OFF, "temperature": 0.6}, [], id="0.6 without thinking"
    ),
    pytest.param(K26, {"thinking": OFF, "temperature": 1}, {"thinking": OFF}, ["temperature"], id="1 without thinking"),
    pytest.param(K26, {"temperature": 0.6}, {}, ["temperature"], id="0.6 while thinking"),
    pytest.param(K27, {"top_p": 1}, {}, ["top_p"], id="top_p"),
    pytest.param(K3, {"n": 3}, {}, ["n"], id="n"),
    pytest.param(
        K31,
        {"presence_penalty": 0.5, "frequency_penalty": 0},
        {"frequency_penalty": 0},
        ["presence_penalty"],
        id="penalties",
    ),
    pytest.param(K3, {"temperature": None}, {"temperature": None}, [], id="null"),
]


@pytest.mark.parametrize(("model", "sent", "expected", "kinds"), CASES)
def test_sampling(model: str, sent: dict[str, Any], expected: dict[str, Any], kinds: list[str]) -> None:
    """Each parameter has a note if it is left out, and only then."""
    check_parameters(model, sent, expected, kinds)


@pytest.mark.k2
def test_a_forced_call_changes_the_pinned_temperature() -> None:
    """K2.6 without thinking accepts 0.6 where it accepted 1."""
    body = {"model": K26, "messages": HI, "tools": [tool("a")], "tool_choice": "required", "temperature": 1}
    shaped = shape(body)
    assert "temperature" not in shaped.body
    assert [note.kind for note in shaped.notes] == ["tool_choice", "temperature"]
