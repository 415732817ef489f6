"""Parts of requests that the tests of compat share, and the check that most of them make."""

from __future__ import annotations

from typing import Any

from kimi_openai.compat.pipeline import Shaped, shape
from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.validation.body import broken_rule

K3, K31, K27, K26 = "kimi-k3", "kimi-k3.1-pro", "kimi-k2.7-code", "kimi-k2.6"

HI: Any = [{"role": "user", "content": "Hi"}]
OFF = {"type": "disabled"}

CALL = {"id": "c", "type": "function", "function": {"name": "a", "arguments": "{}"}}
CALLING = {"role": "assistant", "reasoning_content": "r", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c", "content": "42"}

STRICT = Behaviour(strict_thinking=True, accept_empty_results=False, mfjs_response_format=True)
"""The reading of the documentation that refuses most."""


def tool(name: str, **parameters: Any) -> dict[str, Any]:
    """A tool as OpenAI code writes it."""
    schema = parameters or {"type": "object", "properties": {"a": {"type": "string"}}}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def named(name: str) -> dict[str, Any]:
    """A tool choice that names a function."""
    return {"type": "function", "function": {"name": name}}


def check_parameters(model: str, sent: dict[str, Any], expected: dict[str, Any], kinds: list[str]) -> None:
    """Asserts what the parameters become, the kinds of the notes, and that the strictest Kimi accepts the result."""
    shaped = shape({"model": model, "messages": HI, **sent})
    assert shaped.body == {"model": model, "messages": HI, **expected}
    assert [note.kind for note in shaped.notes] == kinds
    assert broken_rule(shaped.body, STRICT) is None


def check_messages(model: str, sent: list[Any], expected: list[Any], kinds: list[str]) -> None:
    """Asserts what the messages become, the kinds of the notes, and that Kimi accepts the result."""
    shaped = shape({"model": model, "messages": sent})
    assert shaped.body["messages"] == expected
    assert [note.kind for note in shaped.notes] == kinds
    assert broken_rule(shaped.body, Behaviour()) is None  # K3 accepts missing reasoning (measured)


def check_refused(sent: dict[str, Any], where: str, why: str) -> Shaped:
    """Asserts that a fatal note names the place and the reason."""
    shaped = shape({"model": K3, "messages": HI, **sent})
    found = [note for note in shaped.notes if note.fatal and note.where == where]
    assert found, shaped.notes
    assert why in found[0].why
    return shaped
