"""`complete`: a whole answer, or an error that says what is missing and which number to raise."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from kimi_openai import TruncatedAnswerError, UnexpectedAnswerError, complete, instant
from kimi_openai.completing import json_text
from kimi_openai.emulator import Emulator, call, finish, out_of_quota, rate_limited, reset_after, say, think

from .conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Count."}]}
TEXT = "one two three four five six seven eight nine ten"
JSON_OBJECT = {"type": "json_object"}


def ask(mode: Mode, kimi: Emulator, *script: Any, **params: Any) -> Any:
    kimi.reply = lambda _: list(script)
    with instant():
        return mode.run(complete(mode.client(kimi), **{**ASK, **params}))


def test_a_short_answer_is_one_streamed_request(mode: Mode, kimi: Emulator) -> None:
    """Streamed under the hood, so that no gateway waits for the whole of it."""
    completion = ask(mode, kimi, think("hm"), say(TEXT))
    assert (completion.choices[0].message.content, len(kimi.chats)) == (TEXT, 1)
    assert (completion.choices[0].message.reasoning_content, kimi.chats[0]["stream"]) == ("hm", True)


def test_what_a_budget_cut_off_is_continued(mode: Mode, kimi: Emulator) -> None:
    """Joined without seams, with the reasoning of the first part, and the usage of all."""
    completion = ask(mode, kimi, think("hm"), say(TEXT), max_completion_tokens=4)
    choice = completion.choices[0]
    assert (choice.message.content, choice.finish_reason, choice.message.reasoning_content) == (TEXT, "stop", "hm")
    assert len(kimi.chats) == 3
    assert completion.usage.completion_tokens == 11
    assert [chat["messages"][-1]["content"] for chat in kimi.chats[1:]] == ["one two three", TEXT[:33]]


def test_cuts_are_mended_in_every_part(mode: Mode, kimi: Emulator) -> None:
    """A cut, a limit and a budget in one answer."""
    kimi.fail(reset_after(4), rate_limited(), reset_after(3))
    completion = ask(mode, kimi, say(TEXT), max_completion_tokens=5)
    assert (completion.choices[0].message.content, completion.choices[0].finish_reason) == (TEXT, "stop")


@pytest.mark.parametrize("limit", [{"max_parts": 2}, {"max_total_tokens": 150}], ids=["parts", "tokens"])
def test_limits_end_it(mode: Mode, kimi: Emulator, limit: Any) -> None:
    """The error has what had come, and says what to raise."""
    with pytest.raises(TruncatedAnswerError, match="after 2 parts of max_completion_tokens=3 each") as caught:
        ask(mode, kimi, say(TEXT), max_completion_tokens=3, **limit)
    assert caught.value.completion.choices[0].message.content == "one two three four five six"
    assert isinstance(caught.value, openai.LengthFinishReasonError)


def test_a_budget_used_up_by_the_reasoning_is_told(mode: Mode, kimi: Emulator) -> None:
    """Once, with the number to raise; asking for the rest would think again."""
    with pytest.raises(TruncatedAnswerError, match=r"max_completion_tokens=3 was used up .* to 16000 for") as caught:
        ask(mode, kimi, think("one two three four five"), say(TEXT), max_completion_tokens=3)
    assert len(kimi.chats) == 1
    message: Any = caught.value.completion.choices[0].message
    assert message.reasoning_content == "one two three"


def test_a_tool_call_is_not_continued(mode: Mode, kimi: Emulator) -> None:
    """Half of its arguments is worth nothing."""
    add = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    with pytest.raises(TruncatedAnswerError, match="inside the arguments of a tool call"):
        ask(mode, kimi, call("add", {"numbers": [1, 2, 3]}), max_completion_tokens=4, tools=[add])
    assert len(kimi.chats) == 1


def test_whole_tool_calls_are_an_answer(mode: Mode, kimi: Emulator) -> None:
    """Also to a question for JSON."""
    add = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    completion = ask(mode, kimi, call("add", {}), tools=[add], response_format=JSON_OBJECT)
    assert completion.choices[0].message.tool_calls[0].function.name == "add"


def test_json_is_whole_or_an_error(mode: Mode, kimi: Emulator) -> None:
    """Never half an object: what a budget cut off is not continued, what does not parse is not returned."""
    assert ask(mode, kimi, say('{"a": 1}'), response_format=JSON_OBJECT).choices[0].message.content == '{"a": 1}'
    with pytest.raises(TruncatedAnswerError, match="inside the JSON"):
        ask(mode, kimi, say('{"a": "b c d"}'), response_format=JSON_OBJECT, max_completion_tokens=4)
    with pytest.raises(UnexpectedAnswerError, match="valid JSON") as caught:
        ask(mode, kimi, say('{"a": '), response_format=JSON_OBJECT)
    error: Any = caught.value
    assert error.reply.content == '{"a": '


def test_a_fence_around_json_is_taken_off(mode: Mode, kimi: Emulator) -> None:
    """K2.6 is documented to add one at times."""
    completion = ask(mode, kimi, say('```json\n{"a": 1}\n```'), response_format=JSON_OBJECT)
    assert completion.choices[0].message.content == '{"a": 1}'
    assert json_text("```\n[1,\n2]\n```\n") == "[1,\n2]"
    assert json_text("see ```{}```") is None


def test_what_the_filter_ended_is_not_whole(mode: Mode, kimi: Emulator) -> None:
    """It is not returned as if it were; the error has what had come."""
    with pytest.raises(openai.ContentFilterFinishReasonError, match="change what is asked") as caught:
        ask(mode, kimi, say(TEXT[:7]), finish("content_filter"))
    error: Any = caught.value
    assert (error.completion.choices[0].message.content, error.reply.content) == (TEXT[:7], TEXT[:7])
    assert len(kimi.chats) == 1


def test_the_account_empty_costs_one_request(mode: Mode, kimi: Emulator) -> None:
    """And the SDK's own exception."""
    kimi.fail(out_of_quota())
    with pytest.raises(openai.RateLimitError):
        ask(mode, kimi, say(TEXT))
    assert len(kimi.chats) == 1
