"""`short_answer`: a plain request for a short answer, and what follows if it does not bring a whole one."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from kimi_openai import TruncatedAnswerError, UnexpectedAnswerError, create_client, instant, track
from kimi_openai._internal.flow import run
from kimi_openai.emulator import Emulator, call, drop_after, finish, internal_error, overloaded, say, think
from kimi_openai.errors.exceptions import Note
from kimi_openai.streaming.short_answer import SHORT, complete_short, is_short
from tests.conftest import Mode
from tests.servers import MakeAnswering

BODY: dict[str, Any] = {
    "model": "kimi-k3",
    "messages": [{"role": "user", "content": "Count."}],
    "max_completion_tokens": SHORT,
}
TEXT = "one two three four five six seven eight nine ten"
JSON_OBJECT = {"type": "json_object"}


def ask(mode: Mode, kimi: Any, *script: Any, client: Any = None, max_parts: int = 8, **params: Any) -> Any:
    if script:
        kimi.reply = lambda _: list(script)
    client = client or mode.client(kimi)
    with instant():
        return mode.run(run(client, complete_short(client, {**BODY, **params}, max_parts=max_parts)))


def streamed(kimi: Emulator) -> list[bool]:
    return [bool(chat.get("stream")) for chat in kimi.chats]


def test_a_whole_answer_is_one_plain_request(mode: Mode, kimi: Emulator) -> None:
    """The JSON is what came; the usage is counted."""
    client = mode.client(kimi)
    with track(client) as costs:
        answer = ask(mode, kimi, think("hm"), say(TEXT), client=client)
    (choice,) = answer["choices"]
    assert (choice["message"]["content"], choice["message"]["reasoning_content"]) == (TEXT, "hm")
    assert costs.tokens.output == answer["usage"]["completion_tokens"]
    assert streamed(kimi) == [False]


def test_a_whole_answer_may_be_a_tool_call(mode: Mode, kimi: Emulator) -> None:
    """Also if JSON was asked for; its reasoning is remembered for the next turn."""
    add = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    client = mode.client(kimi)
    answer = ask(mode, kimi, think("hm"), call("add", {}), client=client, tools=[add], response_format=JSON_OBJECT)
    (tool_call,) = answer["choices"][0]["message"]["tool_calls"]
    assert tool_call["function"]["name"] == "add"
    calls = [{key: tool_call[key] for key in ("id", "type", "function")}]
    messages = [
        *BODY["messages"],
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "tool_call_id": tool_call["id"], "content": "3"},
    ]
    ask(mode, kimi, say(TEXT), client=client, tools=[add], messages=messages)
    assert kimi.chats[-1]["messages"][1]["reasoning_content"] == "hm"


def test_an_answer_that_its_budget_cut_off_is_continued(mode: Mode, kimi: Emulator) -> None:
    """By streams, as `complete` does it: the text is joined, and the usage is the sum with the plain part."""
    answer = ask(mode, kimi, think("hm"), say(TEXT), max_completion_tokens=6)
    (choice,) = answer["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (TEXT, "stop")
    assert choice["message"]["reasoning_content"] == "hm"
    assert answer["usage"]["completion_tokens"] == 14
    assert streamed(kimi) == [False, True, True]
    assert kimi.chats[1]["messages"][-1] == {
        "role": "assistant",
        "content": "one two",
        "partial": True,
        "reasoning_content": "hm",
    }


def test_one_part_is_not_continued(mode: Mode, kimi: Emulator) -> None:
    """The error has what had come, after one request."""
    with pytest.raises(TruncatedAnswerError, match="not whole after 1 part of max_completion_tokens=3") as caught:
        ask(mode, kimi, say(TEXT), max_completion_tokens=3, max_parts=1)
    assert caught.value.completion.choices[0].message.content == "one two three"
    assert len(kimi.chats) == 1


def test_an_answer_without_text_is_asked_for_once_more(mode: Mode, kimi: Emulator) -> None:
    """With a note, and both answers in the usage."""
    kimi.script(think("hm"), finish("stop"))
    kimi.script(say(TEXT))
    notes: list[Note] = []
    answer = ask(mode, kimi, client=mode.client(kimi, on_note=notes.append))
    assert answer["choices"][0]["message"]["content"] == TEXT
    assert [note.kind for note in notes] == ["empty_answer"]
    assert streamed(kimi) == [False, True]


def test_json_is_whole_or_an_error(mode: Mode, kimi: Emulator) -> None:
    """A fence is removed with a note, and JSON that does not parse is not returned; neither takes another request."""
    notes: list[Note] = []
    client = mode.client(kimi, on_note=notes.append)
    fenced = ask(mode, kimi, say('```json\n{"a": 1}\n```'), client=client, response_format=JSON_OBJECT)
    assert fenced["choices"][0]["message"]["content"] == '{"a": 1}'
    assert [note.kind for note in notes] == ["fenced_json"]
    with pytest.raises(UnexpectedAnswerError, match="valid JSON"):
        ask(mode, kimi, say('{"a": '), response_format=JSON_OBJECT)
    assert streamed(kimi) == [False, False]


def test_an_answer_that_the_filter_ended_is_an_error(mode: Mode, kimi: Emulator) -> None:
    """The error has what had come."""
    with pytest.raises(openai.ContentFilterFinishReasonError) as caught:
        ask(mode, kimi, say("one"), finish("content_filter"))
    error: Any = caught.value
    assert error.completion.choices[0].message.content == "one"
    assert len(kimi.chats) == 1


def test_it_is_retried_as_often_as_a_stream(mode: Mode, kimi: Emulator) -> None:
    """Cut bodies, refusals and errors: more of them than the SDK's own two retries survive."""
    kimi.fail(drop_after(nbytes=100), overloaded(), internal_error(), drop_after(nbytes=100), overloaded())
    answer = ask(mode, kimi, say(TEXT))
    assert answer["choices"][0]["message"]["content"] == TEXT
    assert streamed(kimi) == [False] * 6


@pytest.mark.parametrize("max_retries", [0, 2])
def test_half_of_a_document(mode: Mode, answering: MakeAnswering, max_retries: int) -> None:
    """The SDK does not retry it; it is asked for again by a stream, unless there are to be no retries."""
    server = answering(200, b'{"id": "c", "choices": [{"index": 0, "message": {"content": "ha')
    client = mode.client(base_url=server.base_url, api_key="sk-1", max_retries=max_retries)
    with pytest.raises(openai.OpenAIError):
        ask(mode, None, client=client)
    sent = [b'"stream":true' in body.replace(b" ", b"") for _, _, body in server.requests]
    assert sent[:2] == ([False] if max_retries == 0 else [False, True])


def test_which_answers_are_short() -> None:
    """Those with a small limit on their output, by a client that checks them; arguments of the SDK's need `create`."""
    with create_client(api_key="sk-1") as client:
        assert is_short(client, BODY)
        assert is_short(client, {**BODY, "max_completion_tokens": None, "max_tokens": 5})
        for more in (
            {"max_completion_tokens": SHORT + 1},
            {"max_completion_tokens": None},
            {"extra_body": {}},
            {"timeout": 3},
            {"functions": []},
            {"messages": [{"role": "assistant", "content": "a", "partial": True}]},
        ):
            assert not is_short(client, {**BODY, **more})
    assert not is_short(openai.OpenAI(api_key="sk-1"), BODY)
