"""Any answer, cut anywhere and any number of times, comes out the same: the plan alone, then both drivers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import openai
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from kimi_openai import instant
from kimi_openai.errors import StreamCutError
from kimi_openai.events import ContentDelta, Event, ReasoningDelta, Restarted, Resumed, ToolCallDelta
from kimi_openai.exchange import Exchange
from kimi_openai.pace import Pace
from kimi_openai.replies import Fold
from kimi_openai.resuming import Seam, is_telling, resumed_body, way_on
from kimi_openai.streaming import stream

from .canned import LIBRARY, Canned, Pieces

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
RESPONSE: Any = SimpleNamespace(headers={"content-type": "text/event-stream"}, request=None)
CUT = OSError("connection reset")


class Server:
    """Answers with one text, and its rest in partial mode, as bytes; each answer is cut short after `cuts` bytes."""

    def __init__(self, text: str, reasoning: str, calls: list[str], size: int, cuts: list[int], repeats: bool) -> None:
        self.text, self.reasoning, self.calls, self.size = text, reasoning, calls, size
        self.cuts, self.repeats = list(cuts), repeats
        self.bodies: list[Any] = []

    def answer(self, body: Any) -> tuple[bytes, bool]:
        """The bytes of the next answer, and whether that is all of them."""
        self.bodies.append(body)
        last = body["messages"][-1]
        prefix = last.get("content", "") if last.get("partial") else ""
        assert self.text.startswith(prefix)
        rest = self.text[len(prefix) :]
        repeats = self.repeats and is_telling(prefix)
        if not repeats and is_telling(prefix) and rest.startswith(prefix):
            reject()  # nobody could tell
        said = prefix + rest if repeats else rest
        raw = b"".join(self.events("" if last.get("reasoning_content") else self.reasoning, said))
        cut = self.cuts.pop(0) % (len(raw) + 1) if self.cuts else len(raw)
        return raw[:cut], cut == len(raw)

    def events(self, reasoning: str, text: str) -> Iterator[bytes]:
        yield self.chunk({"role": "assistant", "content": ""})
        for at in range(0, len(reasoning), self.size):
            yield self.chunk({"reasoning_content": reasoning[at : at + self.size]})
        for at in range(0, len(text), self.size):
            yield self.chunk({"content": text[at : at + self.size]})
        for index, arguments in enumerate(self.calls):
            function = {"name": "add", "arguments": ""}
            yield self.chunk({"tool_calls": [{"index": index, "id": f"add_{index}", "function": function}]})
            yield self.chunk({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]})
        yield self.chunk({}, "tool_calls" if self.calls else "stop", usage={"total_tokens": 1})
        yield b"data: [DONE]\n\n"

    def chunk(self, delta: Any, finish_reason: str | None = None, **choice: Any) -> bytes:
        whole = {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason, **choice}]}
        return b"data: " + json.dumps(whole, ensure_ascii=False).encode() + b"\n\n"


TEXTS = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(
    ["Hello, wörld! 你好。 \n\n- 😀 one\n- two\n", "haha" * 9, "a b  c   d\t\te", " \n leading"]
)
SERVERS = st.builds(
    Server,
    TEXTS,
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.lists(st.sampled_from(['{"a": 1}', "{}"]), max_size=2),
    st.integers(1, 9),
    st.lists(st.integers(0, 9000), max_size=6),
    st.booleans(),
)


def told(events: list[Event]) -> tuple[str, str]:
    """Text and reasoning as a reader of the events has them at the end, who forgets at `restarted`."""
    text, reasoning = "", ""
    for event in events:
        if isinstance(event, Restarted):
            text, reasoning = "", ""
        text += event.delta if isinstance(event, ContentDelta) else ""
        reasoning += event.delta if isinstance(event, ReasoningDelta) else ""
    return text, reasoning


def is_same(server: Server, events: list[Event], reply: Any) -> None:
    """Nothing lost, nothing doubled, and the events say the same as the reply."""
    assert reply.content == server.text
    assert (reply.reasoning or "") == server.reasoning
    assert [each["function"]["arguments"] for each in reply.tool_calls] == server.calls
    assert told(events) == (server.text, server.reasoning)


@settings(max_examples=400, deadline=None)
@given(SERVERS, st.integers(1, 50), st.booleans())
def test_the_plan_joins_what_any_cuts_left(server: Server, size: int, clean: bool) -> None:
    """Bytes in pieces of any size, cut anywhere, by an error or a clean end: the same answer in the end."""
    exchange, events = Exchange(ASK, Pace(attempts=100)), []
    while not exchange.is_over:
        raw, is_whole = server.answer(exchange.body)
        exchange.opened(RESPONSE)
        for at in range(0, len(raw), size):
            events += exchange.feed(raw[at : at + size])
        events += exchange.ended(None if is_whole or clean else CUT)
    is_same(server, events, exchange.reply())


class Serving(Canned):
    """A transport that asks a `Server`, and breaks where it does."""

    def __init__(self, server: Server, size: int, clean: bool) -> None:
        super().__init__()
        self.server, self.size, self.clean = server, size, clean

    def handle_request(self, request: Any) -> Any:
        raw, is_whole = self.server.answer(json.loads(request.content))
        pieces = [raw[at : at + self.size] for at in range(0, len(raw), self.size)]
        headers = {"content-type": "text/event-stream"}
        broken = Pieces(pieces, not is_whole and not self.clean)
        return LIBRARY.Response(200, headers=headers, stream=broken, request=request)


KEYS: Any = {"api_key": "sk-1", "base_url": "http://127.0.0.1/v1"}


@settings(max_examples=60, deadline=None)
@given(SERVERS, st.integers(1, 500), st.booleans())
def test_the_drivers_join_what_any_cuts_left(server: Server, size: int, clean: bool) -> None:
    """The same through a client, read as events."""
    http = Serving(server, size, clean).client()
    with instant(), openai.OpenAI(**KEYS, http_client=http) as client, stream(client, **ASK) as answer:
        is_same(server, list(answer), answer.reply)
        assert answer.get_final_completion().choices[0].message.content == server.text


@settings(max_examples=60, deadline=None)
@given(SERVERS, st.integers(1, 500), st.booleans())
def test_the_asynchronous_drivers_do_too(server: Server, size: int, clean: bool) -> None:
    """The same in the other world."""

    async def run() -> None:
        http = Serving(server, size, clean).client(is_async=True)
        async with openai.AsyncOpenAI(**KEYS, http_client=http) as client, stream(client, **ASK) as answer:
            is_same(server, [event async for event in answer], answer.reply)

    with instant():
        asyncio.run(run())


def received(text: str = "", calls: bool = False) -> Fold:
    fold = Fold()
    fold.add({"choices": [{"delta": {"content": text, "tool_calls": [{"index": 0}] if calls else None}}]})
    return fold


JSON_OBJECT = {"response_format": {"type": "json_object"}}
JSON_SCHEMA = {"response_format": {"type": "json_schema", "json_schema": {}}}
PARTS = {"messages": [{"role": "assistant", "partial": True, "content": [{"type": "text", "text": "a"}]}]}


@pytest.mark.parametrize(
    ("extra", "fold", "way"),
    [
        ({}, received("Hello"), "resume"),
        ({}, received(), "restart"),
        ({}, received(" \n"), "restart"),
        ({}, received("Hello", calls=True), "restart"),
        (JSON_OBJECT, received("{"), "restart"),
        (JSON_SCHEMA, received("{"), "restart"),
        ({"response_format": {"type": "text"}}, received("{"), "resume"),
        (PARTS, received("b"), "restart"),
    ],
    ids=["text", "nothing", "blanks", "tool call", "json_object", "json_schema", "text format", "parts as prefix"],
)
def test_partial_mode_where_it_can_go_on(extra: Any, fold: Fold, way: str) -> None:
    """Text goes on; reasoning, tool calls and JSON start over; a caller's word overrides."""
    body = {**ASK, **extra}
    assert way_on(body, fold) == way
    assert (way_on(body, fold, "restart"), way_on(body, fold, "raise")) == ("restart", "raise")


def test_the_callers_own_prefix_stays_in_front() -> None:
    """A partial message that the caller sent is made longer, with its name and both reasonings; nothing is mutated."""
    begun = {"role": "assistant", "content": "Dear ", "partial": True, "name": "Ada", "reasoning_content": "x"}
    body = {**ASK, "messages": [*ASK["messages"], begun]}
    before = json.dumps(body)
    last = resumed_body(body, "customer, \n", "y")["messages"][-1]
    assert last == {**begun, "content": "Dear customer,", "reasoning_content": "xy"}
    assert json.dumps(body) == before


@pytest.mark.parametrize(
    ("prefix", "blanks", "pieces", "shown"),
    [
        ("Hello", "", [" world"], " world"),
        ("Hello", "", ["He", "llo", " world"], " world"),
        ("Hello", "", ["Hel", "p!"], "Help!"),
        ("Hello", "", ["Hel"], "Hel"),
        ("Hello", " ", [" ", "world"], "world"),
        ("Hello", " ", ["Hello ", "world"], "world"),
        ("Hello", "\n\n", ["\n", "- a"], "- a"),
        ("Hello", " ", ["world"], "world"),
        ("haha", "", ["haha"], "haha"),
        ("ok", "", ["okay"], "okay"),
        ("你好", "", ["你好", "吗"], "吗"),
    ],
)
def test_a_seam(prefix: str, blanks: str, pieces: list[str], shown: str) -> None:
    """A repetition is dropped however it arrives, blanks come once, and what only begins like one is shown."""
    seam = Seam(prefix, blanks)
    assert "".join(map(seam.take, pieces)) + seam.rest() == shown


def test_a_held_back_beginning_is_not_lost_when_it_is_cut() -> None:
    """It may be a repetition or text: it is not shown, and asked for again."""
    exchange, text = Exchange(ASK, Pace()), Server("", "", [], 1, [], repeats=False)
    for pieces in (["Hello"], ["Hel"], ["Hel", "mut"]):
        exchange.opened(RESPONSE)
        for piece in pieces:
            exchange.feed(text.chunk({"content": piece}))
        exchange.ended(CUT)
        assert exchange.body["messages"][-1]["content"] == "Hello" + "Helmut" * (len(pieces) > 1)


def test_news_of_a_cut_comes_before_anything_else() -> None:
    """`restarted` is the first event after a cut in the reasoning, `resumed` after one in the text."""
    exchange = Exchange(ASK, Pace())
    server = Server("Hello world", "hm hm", [], 5, [], repeats=False)
    raw = server.answer(exchange.body)[0]
    exchange.opened(RESPONSE)
    exchange.feed(raw[:200])
    assert exchange.ended(CUT) == [Restarted(CUT, 1)]
    exchange.opened(RESPONSE)
    exchange.feed(raw[: raw.index(b" worl")])
    assert exchange.ended(None) == [Resumed(None, 2)]
    assert exchange.reply().content == "Hello"


def test_tool_call_deltas_name_their_call() -> None:
    """Each piece of arguments says whose it is, as the first one did."""
    exchange = Exchange(ASK, Pace())
    exchange.opened(RESPONSE)
    raw = Server("", "", ['{"a": 1}'], 5, [], repeats=False).answer(ASK)[0]
    deltas = [event for event in exchange.feed(raw) if isinstance(event, ToolCallDelta)]
    assert deltas == [ToolCallDelta(0, "add_0", "add", ""), ToolCallDelta(0, "add_0", "add", '{"a": 1}')]


def test_it_gives_up_after_so_many_attempts_in_a_row() -> None:
    """Progress resets the count; without it the error has all that came."""
    exchange = Exchange(ASK, Pace(attempts=3))
    server = Server("Hello world", "", [], 6, [], repeats=False)
    raw = server.answer(exchange.body)[0]
    exchange.opened(RESPONSE)
    exchange.ended(CUT)
    exchange.opened(RESPONSE)
    exchange.feed(raw[: raw.index(b"world")])
    assert exchange.ended(CUT) == [Resumed(CUT, 2)]
    exchange.opened(RESPONSE)
    exchange.ended(CUT)
    exchange.opened(RESPONSE)
    with pytest.raises(StreamCutError) as caught:
        exchange.ended(CUT)
    assert (caught.value.text, caught.value.__cause__) == ("Hello ", CUT)
    assert caught.value.reply.content == "Hello "  # type: ignore[attr-defined]
