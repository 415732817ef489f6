"""OpenAI's old function calling: requests, messages, and answers. tests/programs has a whole program."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_openai.compat.pipeline import shape
from tests.conftest import MakeAnswering, Mode

from .bodies import CALL, HI, K3, check_messages, check_refused

FUNCTION = {"name": "a", "parameters": {"type": "object", "properties": {}}}
OLD_CALL = {"role": "assistant", "content": None, "function_call": {"name": "a", "arguments": "{}"}}
OLD_RESULT = {"role": "function", "name": "a", "content": "42"}


def test_functions_become_tools() -> None:
    """The other rules apply to the tools and the tool choice."""
    shaped = shape({"model": K3, "messages": HI, "functions": [FUNCTION], "function_call": {"name": "a"}})
    assert shaped.body == {
        "model": K3,
        "messages": HI,
        "tools": [{"type": "function", "function": FUNCTION}],
        "tool_choice": "required",
    }
    assert [note.kind for note in shaped.notes] == ["functions", "function_call", "tool_choice"]


def test_a_word_is_the_same_choice() -> None:
    """`auto` and `none` are the words of both."""
    body = {"model": K3, "messages": HI, "functions": [FUNCTION], "function_call": "auto"}
    assert shape(body).body["tool_choice"] == "auto"


def test_messages_with_functions_become_tool_messages() -> None:
    """The call gets an id, and the result of that function gets the same."""
    call = {"role": "assistant", "tool_calls": [{**CALL, "id": "call_1"}]}
    result = {"role": "tool", "name": "a", "tool_call_id": "call_1", "content": "42"}
    check_messages(K3, [*HI, OLD_CALL, OLD_RESULT], [*HI, call, result], ["function_call", "function_role"])


def test_a_result_without_a_call_is_refused() -> None:
    """There is no id for it."""
    check_refused({"messages": [OLD_RESULT]}, "messages.0.tool_call_id", "not found")


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """A chunk of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": K3, "choices": [choice]}


@pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")
def test_streamed_calls_come_as_function_call(mode: Mode, answering: MakeAnswering) -> None:
    """Those of the first call; a piece without a function has no `function_call`, and `tool_calls` stay empty."""
    deltas: list[dict[str, Any]] = [
        {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "a", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "id": "c"}]},
        {"tool_calls": [{"index": 1, "id": "d", "type": "function", "function": {"name": "b", "arguments": "{}"}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
    ]
    chunks = [*map(chunk, deltas), chunk({}, "tool_calls")]
    events = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
    server = answering(200, events.encode(), {"Content-Type": "text/event-stream"})
    client = mode.client(base_url=server.base_url, api_key="sk-1")
    received = mode.each(
        mode.run(client.chat.completions.create(model=K3, messages=HI, functions=[FUNCTION], stream=True))
    )
    calls = [each.choices[0].delta.function_call for each in received]
    assert [call and (call.name, call.arguments) for call in calls] == [("a", ""), None, None, (None, "{}"), None]
    assert [each.choices[0].delta.tool_calls for each in received] == [None] * 5
    assert received[-1].choices[0].finish_reason == "function_call"
