"""Builders: which message each makes, and what an answer looks like when it is sent back."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessage
from openai.types.chat.chat_completion import Choice

from kimi_openai import file_message, join_partial, partial_message, replay_message
from kimi_openai.emulator import Emulator, call, think
from tests.conftest import Mode


def test_a_partial_message_has_the_flag() -> None:
    """The prefix may be empty only if there is a name."""
    assert partial_message("{") == {"role": "assistant", "content": "{", "partial": True}
    assert partial_message("", name="Kelsier") == {
        "role": "assistant",
        "content": "",
        "partial": True,
        "name": "Kelsier",
    }
    with_reasoning: Any = partial_message("a", reasoning="r")
    assert with_reasoning["reasoning_content"] == "r"
    with pytest.raises(ValueError, match="needs a prefix"):
        partial_message("")


def test_partial_mode_continues_a_prefix(mode: Mode, kimi: Emulator) -> None:
    """The message is sent unchanged, the answer is the rest, and `join_partial` returns the whole text."""
    prefix = partial_message("Dear customer,")
    answer = mode.run(
        mode.client(kimi).chat.completions.create(
            model="kimi-k3", messages=[{"role": "user", "content": "Write"}, prefix]
        )
    )
    assert kimi.chats[-1]["messages"][-1] == prefix
    whole = join_partial("Dear customer,", answer)
    assert whole == "Dear customer," + answer.choices[0].message.content


JOINS = {
    "continuation": ("Hi", " there", {}, "Hi there"),
    "repetition": ("Hi", "Hi! I am Kimi", {}, "Hi! I am Kimi"),
    "repetition kept": ("1", "1 apples", {"trim_repeat": False}, "11 apples"),
    "no prefix": ("", "all", {}, "all"),
    "nothing came": ("Hi", {"role": "assistant", "content": None}, {}, "Hi"),
    "a dict": ("Hi", {"role": "assistant", "content": "!"}, {}, "Hi!"),
    "an object": ("Hi", ChatCompletionMessage(role="assistant", content="!"), {}, "Hi!"),
}


@pytest.mark.parametrize(("prefix", "rest", "options", "whole"), JOINS.values(), ids=JOINS)
def test_join_partial(prefix: str, rest: Any, options: dict[str, bool], whole: str) -> None:
    """The prefix and the rest are joined, and an exact repetition of the prefix is dropped."""
    assert join_partial(prefix, rest, **options) == whole


def test_join_partial_refuses_content_parts() -> None:
    """It joins text only."""
    parts: Any = {"role": "user", "content": [{"type": "text", "text": "a"}]}
    with pytest.raises(TypeError, match="a list of parts; join_partial joins text"):
        join_partial("Hi", parts)


def test_a_file_is_a_system_message() -> None:
    """The text is not changed."""
    assert file_message('{"content": "…"}') == {"role": "system", "content": '{"content": "…"}'}


ANSWERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "nulls are dropped": (
        {
            "role": "assistant",
            "content": "a",
            "refusal": None,
            "audio": None,
            "function_call": None,
            "tool_calls": None,
        },
        {"role": "assistant", "content": "a"},
    ),
    "empty reasoning stays": (
        {"role": "assistant", "content": "a", "reasoning_content": ""},
        {"role": "assistant", "content": "a", "reasoning_content": ""},
    ),
    "an empty list of calls is dropped": (
        {"role": "assistant", "content": "a", "tool_calls": []},
        {"role": "assistant", "content": "a"},
    ),
    "calls stay, without their index": (
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"index": 0, "id": "f_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {
            "role": "assistant",
            "tool_calls": [{"id": "f_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
    ),
    "parsed is dropped": (
        {
            "role": "assistant",
            "content": "{}",
            "parsed": {},
            "tool_calls": [
                {"id": "f_0", "type": "function", "function": {"name": "f", "arguments": "{}", "parsed_arguments": {}}}
            ],
        },
        {
            "role": "assistant",
            "content": "{}",
            "tool_calls": [{"id": "f_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
    ),
    "a tool message": (
        {"role": "tool", "tool_call_id": "f_0", "content": "1"},
        {"role": "tool", "tool_call_id": "f_0", "content": "1"},
    ),
    "a partial message": (
        {"role": "assistant", "content": "a", "partial": True},
        {"role": "assistant", "content": "a", "partial": True},
    ),
}


@pytest.mark.parametrize(("answer", "message"), ANSWERS.values(), ids=ANSWERS)
def test_replay_message_takes_dicts_and_objects(answer: dict[str, Any], message: dict[str, Any]) -> None:
    """What Kimi needs again stays, the rest is dropped, and the argument is not changed."""
    before = copy.deepcopy(answer)
    assert replay_message(answer) == message
    assert answer == before
    if answer["role"] == "assistant":
        assert replay_message(ChatCompletionMessage.construct(**copy.deepcopy(answer))) == message


@pytest.mark.parametrize("model", ["kimi-k3", "kimi-k2.6"])
def test_a_tool_loop_with_reasoning(mode: Mode, kimi: Emulator, model: str) -> None:
    """A model needs its reasoning again beside the calls; the replayed completion has it."""
    client = mode.client(kimi)
    kimi.script(think("I need the weather"), call("get_weather", {"city": "Paris"}))
    tool: Any = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    history: list[Any] = [{"role": "user", "content": "Weather in Paris?"}]
    answer: ChatCompletion = mode.run(client.chat.completions.create(model=model, messages=history, tools=[tool]))
    assert answer.choices[0].message.tool_calls
    history += [
        replay_message(answer),
        {"role": "tool", "tool_call_id": answer.choices[0].message.tool_calls[0].id, "content": "sunny"},
    ]
    final = mode.run(client.chat.completions.create(model=model, messages=history, tools=[tool]))
    sent = kimi.chats[-1]["messages"][1]
    assert sent["reasoning_content"] == "I need the weather"
    assert sorted(sent["tool_calls"][0]) == ["function", "id", "type"]
    assert "sunny" in final.choices[0].message.content


def test_replay_message_refuses_other_objects() -> None:
    """A completion without choices, its JSON, and a choice are not messages."""
    number: Any = 3
    with pytest.raises(TypeError, match="not int"):
        replay_message(number)
    completion = ChatCompletion.construct(choices=[])
    others: list[Any] = [
        completion,
        completion.model_dump(),
        Choice.construct(message=ChatCompletionMessage.construct()),
    ]
    for other in others:
        with pytest.raises(TypeError, match=r"not a message; the message of an answer is completion\.choices\[0\]"):
            replay_message(other)
