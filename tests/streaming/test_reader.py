"""One response: its bytes become events and chunks of the answer, or the error that makes it unusable."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from kimi_openai.errors.exceptions import UnexpectedAnswerError
from kimi_openai.messages.accumulator import ReplyAccumulator
from kimi_openai.streaming.events import ContentDelta, Event, ReasoningDelta, ToolCallDelta
from kimi_openai.streaming.reader import ResponseReader
from kimi_openai.streaming.resume import PrefixTrimmer
from tests.canned import LIBRARY

EVENTS = "text/event-stream"


def reader_of(media_type: str = EVENTS, trimmer: PrefixTrimmer | None = None) -> ResponseReader:
    """A reader for a response of that media type."""
    request = LIBRARY.Request("POST", "http://127.0.0.1/v1/chat/completions")
    response = LIBRARY.Response(200, headers={"content-type": media_type, "x-request-id": "r"}, request=request)
    return ResponseReader(response, ReplyAccumulator(), trimmer)


def event(delta: Any, finish_reason: str | None = None) -> bytes:
    chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def call(arguments: str, **names: Any) -> bytes:
    name = {"name": names.pop("name")} if names else {}
    return event({"tool_calls": [{"index": 0, **names, "function": {"arguments": arguments, **name}}]})


def test_each_piece_is_an_event() -> None:
    """Empty ones are not; the reader counts what came."""
    reader = reader_of()
    raw = event({"role": "assistant", "content": ""}) + event({"reasoning_content": "hm"}) + event({"content": "Hi"})
    assert not reader.has_text
    assert list(reader.feed(raw)) == [ReasoningDelta("hm"), ContentDelta("Hi")]
    assert (reader.pieces, reader.has_text, reader.request_id) == (2, True, "r")


def test_tool_call_deltas_name_their_call() -> None:
    """Each piece of arguments has the id and the name that only the first one brings."""
    events: list[Event] = list(reader_of().feed(call("", id="add_0", name="add") + call('{"a": 1}')))
    assert events == [ToolCallDelta(0, "add_0", "add", ""), ToolCallDelta(0, "add_0", "add", '{"a": 1}')]


@pytest.mark.parametrize(
    "payload",
    [
        "[1]",
        "1",
        '"text"',
        "null",
        "{",
        '{"choices": {"a": 1}}',
        '{"choices": [1]}',
        '{"choices": [{"delta": 1}]}',
        '{"choices": [{"delta": {"content": {}}}]}',
        '{"choices": [{"delta": {"tool_calls": [{"function": {"name": []}}]}}]}',
        "[" * 3000 + "]" * 3000,
    ],
    ids=lambda payload: payload[:60],
)
def test_an_event_that_is_no_chunk_is_an_error(payload: str) -> None:
    """The error quotes it; events after it are not read, those before it are."""
    reader = reader_of()
    raw = event({"content": "a"}) + f"data: {payload}\n\n".encode() + event({"content": "b"})
    assert list(reader.feed(raw)) == [ContentDelta("a")]
    assert isinstance(reader.error, UnexpectedAnswerError)
    assert reader.error.body == payload
    assert isinstance(reader.error.__cause__, Exception)


def test_an_error_event_is_the_sdks_exception() -> None:
    """As the same error outside a stream."""
    reader = reader_of()
    reader.feed(b'data: {"error": {"type": "engine_overloaded_error", "message": "busy"}}\n\n')
    assert isinstance(reader.error, openai.RateLimitError)


def test_nothing_counts_after_done() -> None:
    """Neither an event nor half of one is an error."""
    reader = reader_of()
    reader.feed(b"data: [DONE]\n\n")
    assert list(reader.feed(event({"content": "b"}) + b"data: {\n\n")) == []
    assert (reader.error, reader.pieces) == (None, 0)


def test_a_document_is_read_at_its_end() -> None:
    """A whole completion instead of a stream gives the same events."""
    reader = reader_of("application/json; charset=utf-8")
    whole = json.dumps({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}).encode()
    assert list(reader.feed(whole[:9])) == list(reader.feed(whole[9:])) == []
    assert reader.finish() == [ContentDelta("Hi")]


@pytest.mark.parametrize(
    ("finish_reason", "shown"), [("stop", "Hel"), ("length", "")], ids=["the end", "a full token budget"]
)
def test_a_beginning_that_is_held_back_is_shown_at_the_end(finish_reason: str, shown: str) -> None:
    """Not if a full budget ended it there: then the rest of a repetition may follow."""
    reader = reader_of(trimmer=PrefixTrimmer("Hello"))
    events = reader.feed(event({"content": "Hel"}) + event({}, finish_reason))
    assert "".join(each.delta for each in events if isinstance(each, ContentDelta)) == shown
