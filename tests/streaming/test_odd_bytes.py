"""Bytes of a stream that are not quite as they should be cost nothing, however the answer is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from kimi_openai import StreamCutError, complete, live, run_tools, stream
from tests.canned import Canned, answering
from tests.conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
MARK = b"\xef\xbb\xbf"


def data(delta: Any, finish_reason: str | None = None) -> bytes:
    """An event without the blank line at its end; characters are escaped."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "kimi-k3", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode()


def event(delta: Any, finish_reason: str | None = None) -> bytes:
    return data(delta, finish_reason) + b"\n\n"


def by_create(mode: Mode, client: Any) -> tuple[str, str]:
    chunks = mode.each(mode.run(client.chat.completions.create(**ASK, stream=True)))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    reasoning = [(delta.model_extra or {}).get("reasoning_content") or "" for delta in deltas]
    return "".join(delta.content or "" for delta in deltas), "".join(reasoning)


def by_events(mode: Mode, client: Any) -> tuple[str, str]:
    events = mode.each(stream(client, **ASK))
    kinds = ("content.delta", "reasoning.delta")
    text, reasoning = ("".join(each.delta for each in events if each.type == kind) for kind in kinds)
    return text, reasoning


def by_complete(mode: Mode, client: Any) -> tuple[str, str]:
    return of_message(mode.run(complete(client, **ASK)).choices[0].message)


def by_run_tools(mode: Mode, client: Any) -> tuple[str, str]:
    return of_message(mode.run(run_tools(client, tools=[], **ASK)).completion.choices[0].message)


def by_live(mode: Mode, client: Any) -> tuple[str, str]:
    reply = mode.run(live(client.chat.completions.create(**ASK, stream=True)))
    return reply.content, reply.reasoning or ""


def of_message(message: Any) -> tuple[str, str]:
    return message.content, (message.model_extra or {}).get("reasoning_content") or ""


WAYS = pytest.mark.parametrize("way", [by_create, by_events, by_complete, by_run_tools, by_live])
Way = Callable[[Mode, Any], tuple[str, str]]

STREAMS = [
    pytest.param([event({"content": "ok"}), data({}, "stop")], False, ("ok", ""), id="no blank line at the end"),
    pytest.param([event({"content": "ok"}), data({}, "stop") + b"\n"], True, ("ok", ""), id="an error in its place"),
    pytest.param([data({"content": "ok"}, "stop")], False, ("ok", ""), id="one event without its end"),
    pytest.param([event({"content": "ok"}, "stop") + b'data: {"cho'], False, ("ok", ""), id="half an event after it"),
    pytest.param([MARK + event({"content": "ok"}, "stop")], False, ("ok", ""), id="a byte order mark"),
    pytest.param([MARK[:1], MARK[1:], event({"content": "ok"}, "stop")], False, ("ok", ""), id="a mark in pieces"),
    pytest.param(
        [event({"content": "a\ud83d"}), event({"content": "\ude00b"}), event({}, "stop")],
        False,
        ("a😀b", ""),
        id="halves of a character",
    ),
    pytest.param(
        [
            event({"reasoning_content": "\ud83d"}),
            event({"reasoning_content": "\ude00"}),
            event({"content": "a"}, "stop"),
        ],
        False,
        ("a", "😀"),
        id="halves in the reasoning",
    ),
    pytest.param(
        [event({"content": "a\ud83d"}), event({}, "stop")], False, ("a\ufffd", ""), id="half a character at the end"
    ),
    pytest.param(
        [event({"content": "a\ude00"}), event({"content": "b"}, "stop")], False, ("a\ufffdb", ""), id="a half"
    ),
]


@WAYS
@pytest.mark.parametrize(("pieces", "breaks", "answer"), STREAMS)
def test_nothing_is_lost(mode: Mode, way: Way, pieces: list[bytes], breaks: bool, answer: tuple[str, str]) -> None:
    """One request brings the whole answer, and all of it can be encoded."""
    canned = Canned(*pieces, breaks=breaks)
    client = mode.client(api_key="sk-1", http_client=canned.client(mode.is_async))
    assert way(mode, client) == answer
    assert len(canned.bodies) == 1


def test_each_delta_can_be_printed(mode: Mode) -> None:
    """No event has half a character in it; the half waits for the next one."""
    pieces = [event({"content": "a\ud83d"}), event({"content": "\ude00b"}), event({}, "stop")]
    client = mode.client(api_key="sk-1", http_client=Canned(*pieces).client(mode.is_async))
    events = mode.each(stream(client, **ASK))
    assert [each.delta for each in events if each.type == "content.delta"] == ["a", "😀b"]
    chunks = mode.each(mode.run(client.chat.completions.create(**ASK, stream=True)))
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["a", "😀b", None]


def test_half_an_event_is_a_cut(mode: Mode) -> None:
    """The end of the body does not make it whole."""
    half = Canned(event({"content": "ok"}), data({}, "stop")[:-3])
    client = mode.client(api_key="sk-1", http_client=half.client(mode.is_async))
    with pytest.raises(StreamCutError, match="after 2 characters"):
        by_create(mode, client)
    with pytest.raises(StreamCutError, match="after 2 characters"):
        mode.each(stream(client, **ASK, on_cut="raise"))


def test_a_whole_answer_in_odd_bytes(mode: Mode) -> None:
    """`create` without a stream: a byte order mark, and half a character."""
    message = {"role": "assistant", "content": "ok\ud83d", "reasoning_content": "\ud83d\ude00"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "kimi-k3", "choices": [choice]}
    canned = answering(body)
    canned.pieces = (MARK + canned.pieces[0],)
    client = mode.client(api_key="sk-1", http_client=canned.client(mode.is_async))
    completion = mode.run(client.chat.completions.create(**ASK))
    assert isinstance(completion, openai.types.chat.ChatCompletion)
    assert of_message(completion.choices[0].message) == ("ok\ufffd", "😀")
