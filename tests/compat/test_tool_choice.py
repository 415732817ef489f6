"""Tool choices that a model refuses while it thinks."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.compat.pipeline import shape
from kimi_openai.emulator.validation.body import broken_rule

from .bodies import HI, K3, K26, K27, K31, OFF, STRICT, check_refused, named, tool


def allowed(mode: str) -> dict[str, Any]:
    """OpenAI's choice among some of the tools."""
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [named("a")]}}


CASES = [
    pytest.param(K3, "required", {"tool_choice": "required"}, id="required on K3"),
    pytest.param(K31, named("b"), {"tool_choice": "required", "tools": [tool("b")]}, id="named on K3"),
    pytest.param(K26, "required", {"thinking": OFF}, id="required on K2.6"),
    pytest.param(K26, named("b"), {"thinking": OFF}, id="named on K2.6"),
    pytest.param(K27, "required", {"tool_choice": "auto"}, id="required on K2.7"),
    pytest.param(K27, named("b"), {"tool_choice": "auto", "tools": [tool("b")]}, id="named on K2.7"),
    pytest.param(K27, "none", {}, id="none"),
    pytest.param(K3, named("c"), {"tool_choice": "required"}, id="one that is not offered"),
    pytest.param(K26, named("c"), {"tool_choice": "required", "thinking": OFF}, id="not offered on K2.6"),
    pytest.param(K27, named("c"), {"tool_choice": "auto"}, id="not offered on K2.7"),
    pytest.param(K3, "any", {"tool_choice": "required"}, id="Anthropic's word"),
    pytest.param(K3, allowed("required"), {"tool_choice": "required", "tools": [tool("a")]}, id="required of some"),
    pytest.param(K27, allowed("auto"), {"tool_choice": "auto", "tools": [tool("a")]}, id="auto of some"),
]


@pytest.mark.parametrize(("model", "choice", "changed"), CASES)
def test_tool_choice(model: str, choice: Any, changed: dict[str, Any]) -> None:
    """Each model gets the nearest choice that it accepts, and a named function is the only one offered."""
    body = {"model": model, "messages": HI, "tools": [tool("a"), tool("b")], "tool_choice": choice}
    shaped = shape(body)
    assert shaped.body == {**body, **changed}
    assert bool(shaped.notes) == (shaped.body != body)
    assert broken_rule(shaped.body, STRICT) is None


@pytest.mark.parametrize("choice", ["required", "any", named("a"), allowed("required")])
@pytest.mark.parametrize(
    "tools", [{}, {"tools": []}, {"messages": [*HI, {"role": "system", "tools": []}]}], ids=["none", "empty", "message"]
)
@pytest.mark.parametrize("model", [K3, K26, K27])
def test_nothing_is_forced_without_tools(model: str, tools: dict[str, Any], choice: Any) -> None:
    """Kimi refuses a forced call if there is nothing to call."""
    body = {"model": model, "messages": HI, **tools, "tool_choice": choice}
    assert broken_rule(body, STRICT) is not None
    shaped = shape(body)
    assert broken_rule(shaped.body, STRICT) is None
    assert "tool_choice" not in shaped.body
    assert shaped.notes


def test_tools_in_messages_can_be_required() -> None:
    """They count as tools; one that is named is not the only one offered."""
    messages = [*HI, {"role": "system", "tools": [tool("a"), tool("b")]}]
    assert shape({"model": K3, "messages": messages, "tool_choice": "required"}).notes == ()
    shaped = shape({"model": K3, "messages": messages, "tool_choice": named("a")})
    assert (shaped.body["tool_choice"], shaped.body["messages"]) == ("required", messages)
    assert "another tool may be called" in shaped.notes[0].change


def test_an_unknown_choice_is_refused() -> None:
    """Kimi answers 400 to any other word."""
    check_refused({"tools": [tool("a")], "tool_choice": "always"}, "tool_choice", "400")


def test_a_note_promises_no_more_than_the_body() -> None:
    """If the named tool is not offered, the note says that the choice is open."""
    shaped = shape({"model": K3, "messages": HI, "tools": [tool("a")], "tool_choice": named("c")})
    assert "no tool of that name" in shaped.notes[0].change
    assert "only" not in shaped.notes[0].change


@pytest.mark.parametrize(("model", "change"), [(K3, "'required', with only"), (K27, "may answer without a call")])
def test_a_note_says_if_the_call_is_no_longer_forced(model: str, change: str) -> None:
    """K2.7 accepts no forced call at all."""
    shaped = shape({"model": model, "messages": HI, "tools": [tool("a")], "tool_choice": named("a")})
    assert change in shaped.notes[0].change
