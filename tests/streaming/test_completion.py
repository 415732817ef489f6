"""`complete`: a whole answer, or an error that says what is missing and which limit to raise."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from kimi_openai import TruncatedAnswerError, UnexpectedAnswerError, complete, instant
from kimi_openai.emulator import Emulator, call, finish, out_of_quota, rate_limited, reset_after, say, think
from tests.conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Count."}]}
TEXT = "one two three four five six seven eight nine ten"
JSON_OBJECT = {"type": "json_object"}


def ask(mode: Mode, kimi: Emulator, *script: Any, **params: Any) -> Any:
    kimi.reply = lambda _: list(script)
    with instant():
        return mode.run(complete(mode.client(kimi), **{**ASK, **params}))


def test_a_short_answer_is_one_streamed_request(mode: Mode, kimi: Emulator) -> None:
    """It is streamed, so that no gateway has to wait for all of it."""
    completion = ask(mode, kimi, think("hm"), say(TEXT))
    assert (completion.choices[0].message.content, len(kimi.chats)) == (TEXT, 1)
    assert (completion.choices[0].message.reasoning_content, kimi.chats[0]["stream"]) == ("hm", True)


def test_an_answer_that_a_budget_cut_off_is_continued(mode: Mode, kimi: Emulator) -> None:
    """The parts are joined; the reasoning is the first one's, the usage the sum."""
    completion = ask(mode, kimi, think("hm"), say(TEXT), max_completion_tokens=6)
    choice = completion.choices[0]
    assert (choice.message.content, choice.finish_reason, choice.message.reasoning_content) == (TEXT, "stop", "hm")
    assert len(kimi.chats) == 3
    assert completion.usage.completion_tokens == 14
    parts = [chat["messages"][-1]["content"] for chat in kimi.chats[1:]]
    assert parts == ["one two", "one two three four five six seven eight"]


def test_every_part_survives_cuts(mode: Mode, kimi: Emulator) -> None:
    """A cut, a rate limit and a full budget in one answer."""
    kimi.fail(reset_after(4), rate_limited(), reset_after(3))
    completion = ask(mode, kimi, say(TEXT), max_completion_tokens=5)
    assert (completion.choices[0].message.content, completion.choices[0].finish_reason) == (TEXT, "stop")


@pytest.mark.parametrize("limit", [{"max_parts": 2}, {"max_total_tokens": 150}], ids=["parts", "tokens"])
def test_limits_end_it(mode: Mode, kimi: Emulator, limit: Any) -> None:
    """The error has what had come, and names the limits to raise."""
    with pytest.raises(TruncatedAnswerError, match="after 2 parts of max_completion_tokens=3 each") as caught:
        ask(mode, kimi, say(TEXT), max_completion_tokens=3, **limit)
    assert caught.value.completion.choices[0].message.content == "one two three four five six"
    assert isinstance(caught.value, openai.LengthFinishReasonError)


def test_a_budget_used_up_by_the_reasoning_is_an_error(mode: Mode, kimi: Emulator) -> None:
    """After one request, since another one would only think again; the error names the budget and a better one."""
    with pytest.raises(TruncatedAnswerError, match=r"max_completion_tokens=6 was used up .* to 16000 for") as caught:
        ask(mode, kimi, think("one two three four five"), say(TEXT), max_completion_tokens=6)
    assert len(kimi.chats) == 1
    message: Any = caught.value.completion.choices[0].message
    assert message.reasoning_content == "one two three"


@pytest.mark.filterwarnings("ignore:changed for Kimi. max_tokens")
@pytest.mark.parametrize(
    ("budget", "words"),
    [({"max_tokens": 3}, "=3 was used up .* to 16000 for"), ({}, "=131072, the default, was used up .* to 262144 for")],
    ids=["max_tokens", "default"],
)
def test_the_error_names_the_budget_of_the_request(mode: Mode, kimi: Emulator, budget: Any, words: str) -> None:
    """By either name, or the model's default."""
    with pytest.raises(TruncatedAnswerError, match=f"max_completion_tokens{words}"):
        ask(mode, kimi, think("one two three"), finish("length"), **budget)


def test_a_tool_call_is_not_continued(mode: Mode, kimi: Emulator) -> None:
    """Half of its arguments is of no use."""
    add = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    with pytest.raises(TruncatedAnswerError, match="inside the arguments of a tool call"):
        ask(mode, kimi, call("add", {"numbers": [1, 2, 3]}), max_completion_tokens=4, tools=[add])
    assert len(kimi.chats) == 1


def test_whole_tool_calls_are_an_answer(mode: Mode, kimi: Emulator) -> None:
    """Also if JSON was asked for."""
    add = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    completion = ask(mode, kimi, call("add", {}), tools=[add], response_format=JSON_OBJECT)
    assert completion.choices[0].message.tool_calls[0].function.name == "add"


def test_json_is_whole_or_an_error(mode: Mode, kimi: Emulator) -> None:
    """A JSON answer that a budget cut off is not continued, and one that does not parse is not returned."""
    assert ask(mode, kimi, say('{"a": 1}'), response_format=JSON_OBJECT).choices[0].message.content == '{"a": 1}'
    with pytest.raises(TruncatedAnswerError, match="inside the JSON"):
        ask(mode, kimi, say('{"a": "b c d"}'), response_format=JSON_OBJECT, max_completion_tokens=4)
    with pytest.raises(UnexpectedAnswerError, match="valid JSON") as caught:
        ask(mode, kimi, say('{"a": '), response_format=JSON_OBJECT)
    error: Any = caught.value
    assert error.reply.content == '{"a": '


def test_an_answer_that_the_filter_ended_is_an_error(mode: Mode, kimi: Emulator) -> None:
    """It is not returned as a whole answer; the error has what had come."""
    with pytest.raises(
        openai.ContentFilterFinishReasonError,
        match=r"^the content filter ended the answer; the request's side; change what is asked$",
    ) as caught:
        ask(mode, kimi, say(TEXT[:7]), finish("content_filter"))
    error: Any = caught.value
    assert (error.completion.choices[0].message.content, error.reply.content) == (TEXT[:7], TEXT[:7])
    assert len(kimi.chats) == 1


def test_an_empty_account_costs_one_request(mode: Mode, kimi: Emulator) -> None:
    """The exception is the SDK's own."""
    kimi.fail(out_of_quota())
    with pytest.raises(openai.RateLimitError):
        ask(mode, kimi, say(TEXT))
    assert len(kimi.chats) == 1
