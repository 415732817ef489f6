"""Replies: the message and the completion made of one, and the reply in a completion."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from kimi_openai import Reply
from kimi_openai.messages.reply import reply_of, sum_usage

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
REPLY = Reply(
    reasoning="hm",
    tool_calls=(
        {"index": 0, "id": "add_0", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}},
        {
            "index": 1,
            "id": "$web_search_1",
            "type": "builtin_function",
            "function": {"name": "$web_search", "arguments": "{}"},
        },
    ),
    finish_reason="tool_calls",
    usage=USAGE,
    head={"id": "chatcmpl-1", "created": 1, "model": "kimi-k3"},
)


def test_a_reply_becomes_the_message_to_send_back() -> None:
    """With the reasoning and the calls, without the index that only an answer has."""
    message = REPLY.message()
    assert message["reasoning_content"] == "hm"
    assert message["tool_calls"][0] == {
        "id": "add_0",
        "type": "function",
        "function": {"name": "add", "arguments": '{"a":1}'},
    }
    assert Reply(content="ok").message() == {"role": "assistant", "content": "ok"}


def test_a_reply_becomes_a_completion_and_back() -> None:
    """The completion is of the SDK's class, has what Kimi adds, and holds the same reply."""
    completion = REPLY.completion()
    assert isinstance(completion, ChatCompletion)
    message: Any = completion.choices[0].message
    assert (completion.id, completion.model, message.reasoning_content) == ("chatcmpl-1", "kimi-k3", "hm")
    assert message.tool_calls[0].function.arguments == '{"a":1}'
    assert completion.usage is not None
    assert completion.usage.total_tokens == 5
    assert reply_of(completion) == REPLY


@pytest.mark.parametrize(
    ("completion", "reply"),
    [
        ({"choices": [{"message": {"content": "ok"}}], "usage": USAGE}, Reply(content="ok", usage=USAGE)),
        ({"choices": [{"message": {"content": "ok"}, "usage": USAGE}]}, Reply(content="ok", usage=USAGE)),
        ({"choices": [{"message": None, "finish_reason": "stop"}]}, Reply(finish_reason="stop")),
        ({"choices": [], "id": "chatcmpl-1"}, Reply(head={"id": "chatcmpl-1"})),
        (ChatCompletion.construct(choices=None), Reply()),
    ],
    ids=["usage at the top", "usage in the choice", "no message", "no choice", "object without choices"],
)
def test_the_reply_in_a_completion(completion: Any, reply: Reply) -> None:
    """Usage is found in both places, and missing parts are accepted."""
    assert reply_of(completion) == reply


def test_usages_are_added_with_their_details() -> None:
    """A missing key counts as 0, and the sum of no usage is None."""
    first = {"total_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1}}
    second = {"total_tokens": 2, "cached_tokens": 4, "prompt_tokens_details": {"cached_tokens": 4}}
    total = {"total_tokens": 7, "cached_tokens": 4, "prompt_tokens_details": {"cached_tokens": 5}}
    assert sum_usage([first, None, second]) == total
    assert sum_usage([None]) is None
    assert first == {"total_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1}}


def test_usages_of_different_shape_are_added() -> None:
    """The value that comes later decides about the shape."""
    assert sum_usage([{"a": 1, "b": {"c": 1}}, {"a": {"d": 2}, "b": 3, "e": "text"}]) == {"a": {"d": 2}, "b": 3}
