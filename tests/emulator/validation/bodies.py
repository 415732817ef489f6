"""Bodies for the validation tests, and what the rules say of them."""

from __future__ import annotations

from typing import Any

from kimi_openai.emulator import Behaviour
from kimi_openai.emulator.validation.body import broken_rule
from tests.emulator.http import HELLO

K3, K31, K27, K26 = "kimi-k3", "kimi-k3.1-pro", "kimi-k2.7-code", "kimi-k2.6"
OFF = {"thinking": {"type": "disabled"}}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
NAMED = {"type": "function", "function": {"name": "get_weather"}}
CALL = {"id": "get_weather_0", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "get_weather_0", "content": "sunny"}
CALLING = {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": [CALL]}


def said(*messages: Any) -> dict[str, Any]:
    """A body with these messages after the first one."""
    return {"messages": [*HELLO, *messages]}


def tool(**function: Any) -> dict[str, Any]:
    """A body with a tool that has these fields."""
    return {"tools": [{"type": "function", "function": {**TOOL["function"], **function}}]}


def schema(**json_schema: Any) -> dict[str, Any]:
    """A body with a response format."""
    return {"response_format": {"type": "json_schema", "json_schema": json_schema}}


def verdict(model: str = K3, behaviour: Behaviour | None = None, **body: Any) -> tuple[int, str] | None:
    """Status and text of the refusal of a body, or None."""
    whole = {"model": model, "messages": HELLO, **body}
    problem = broken_rule(whole, behaviour or Behaviour())
    return problem and (problem.status, problem.message)
