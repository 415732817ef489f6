"""Which messages are refused, with the exact text, and which are accepted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.http import HELLO

from .bodies import CALL, CALLING, K3, K26, OFF, RESULT, TOOL, said, verdict

TEXTS: dict[str, tuple[str, dict[str, Any], str]] = {
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
    "an id of an earlier call": (
        K3,
        said(CALLING, RESULT, CALLING, RESULT),
        "Invalid request: tool call id get_weather_0 is duplicated",
    ),
    "an id twice in a turn": (
        K3,
        said({**CALLING, "tool_calls": [CALL, CALL]}, RESULT, RESULT),
        "Invalid request: tool call id get_weather_0 is duplicated",
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
}


@pytest.mark.parametrize(("model", "body", "text"), TEXTS.values(), ids=TEXTS)
def test_refusals(model: str, body: dict[str, Any], text: str) -> None:
    """A refusal is a 400 with this text."""
    assert verdict(model, **body) == (400, text)


def with_arguments(arguments: object) -> dict[str, Any]:
    """An assistant message with a call that has these arguments."""
    return {**CALLING, "tool_calls": [{**CALL, "function": {"name": "get_weather", "arguments": arguments}}]}


REFUSED: dict[str, dict[str, Any]] = {
    "message is text": {"messages": ["Hello"]},
    "content is a number": said({"role": "user", "content": 3}),
    "cache breakpoint": said(
        {"role": "user", "content": [{"type": "text", "text": "x", "prompt_cache_breakpoint": {}}]}
    ),
    "arguments cut off": said(with_arguments('{"city": "P'), RESULT),
    "arguments with a raw newline": said(with_arguments('{"city": "P\n"}'), RESULT),
    "arguments that are a list": said(with_arguments("[]"), RESULT),
    "arguments that are no text": said(with_arguments({"city": "P"}), RESULT),
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
    "required, dynamic tools": (K3, {**said({"role": "system", "tools": [TOOL]}), "tool_choice": "required"}),
    "K3 without reasoning": (K3, said({**CALLING, "reasoning_content": None}, RESULT)),
    "empty result": (K3, said(CALLING, {**RESULT, "content": ""})),
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
    "dynamic tools with empty content": (K3, said({"role": "system", "content": "", "tools": [TOOL]})),
}


@pytest.mark.parametrize(("model", "body"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(model: str, body: dict[str, Any]) -> None:
    """What was measured or documented to work is not refused."""
    assert verdict(model, **body) is None
