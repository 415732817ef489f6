"""Counting and cutting text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.emulator import Behaviour
from kimi_openai.emulator.tokens import cut_text, prompt_tokens, split_text

TEXTS = st.text(alphabet="ab 你\n1.", max_size=30)


MEASURED: dict[str, tuple[str, dict[str, Any], int]] = {
    "K3": ("kimi-k3", {}, 88),
    "K3 without thinking": ("kimi-k3", {"thinking": {"type": "disabled"}}, 21),
    "K2.6": ("kimi-k2.6", {}, 10),
}


@pytest.mark.parametrize(("model", "body", "tokens"), MEASURED.values(), ids=MEASURED)
def test_a_short_prompt_has_the_measured_tokens(model: str, body: dict[str, Any], tokens: int) -> None:
    """Each family has its own preamble."""
    messages = [{"role": "user", "content": "Say ok."}]
    assert prompt_tokens({"model": model, "messages": messages, **body}, Behaviour()) == tokens


QUESTION, PLACE = (
    "What is the weather in Paris? Use the tool.",
    "Where is the Eiffel Tower? Reply as json with keys city and country.",
)
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "Get current weather for a city", "parameters": CITY}
TOOLS = {"tools": [{"type": "function", "function": WEATHER}]}
LIVE: dict[str, tuple[str, dict[str, Any], int]] = {
    "tools": (QUESTION, TOOLS, 175),
    "no tool": (QUESTION, {**TOOLS, "tool_choice": "none"}, 213),
    "required": ("Say ok.", {**TOOLS, "tool_choice": "required"}, 203),
    "json": (PLACE, {"response_format": {"type": "json_object"}}, 164),
}


@pytest.mark.parametrize(("question", "body", "tokens"), LIVE.values(), ids=LIVE)
def test_prompts_are_near_the_measured_ones(question: str, body: dict[str, Any], tokens: int) -> None:
    """Tools, `tool_choice` and JSON mode add about what they added to live requests."""
    messages = [{"role": "user", "content": question}]
    assert abs(prompt_tokens({"model": "kimi-k3", "messages": messages, **body}, Behaviour()) - tokens) < 10


@given(TEXTS, st.sampled_from(["token", "word", 1, 4]))
def test_chunks_join(text: str, chunking: Any) -> None:
    """Chunks of any size make the text again."""
    assert "".join(split_text(text, chunking)) == text


@given(TEXTS, st.integers(0, 20))
def test_a_budget_cuts_a_prefix(text: str, budget: int) -> None:
    """A budget keeps a beginning of the text, and all of it when it suffices."""
    kept, cost = cut_text(text, budget)
    assert text.startswith(kept)
    assert cost <= budget
    assert cut_text(text, 1000)[0] == text
