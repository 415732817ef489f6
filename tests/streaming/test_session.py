"""Any answer, cut anywhere and any number of times, comes out the same: the session alone, then with both drivers."""

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
from kimi_openai.errors.exceptions import StreamCutError
from kimi_openai.retry.budget import RetryBudget
from kimi_openai.streaming.chat_stream import stream
from kimi_openai.streaming.events import ContentDelta, Event, ReasoningDelta, Restarted, Resumed
from kimi_openai.streaming.resume import is_distinctive
from kimi_openai.streaming.session import Session
from tests.canned import LIBRARY, Canned, Pieces

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
RESPONSE: Any = SimpleNamespace(headers={"content-type": "text/event-stream"}, request=None)
REQUEST = LIBRARY.Request("POST", "http://127.0.0.1/v1/chat/completions")
CUT = OSError("connection reset")


def respond(session: Session, *pieces: bytes, cause: Exception | None = None, response: Any = RESPONSE) -> list[Event]:
    """The events of one response: these pieces, then an error or the end."""
    reader = session.opened(response)
    events = [event for piece in pieces for event in reader.feed(piece)]
    if cause is not None:
        reader.fail(cause)
    return events + session.ended(reader)


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
        repeats = self.repeats and is_distinctive(prefix)
        if not repeats and is_distinctive(prefix) and rest.startswith(prefix):
            reject()  # a repetition that no client could recognise
        sent = prefix + rest if repeats else rest
        raw = b"".join(self.events("" if last.get("reasoning_content") else self.reasoning, sent))
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


def shown(events: list[Event]) -> tuple[str, str]:
    """Text and reasoning that a reader of the events has at the end; `restarted` makes it forget both."""
    text, reasoning = "", ""
    for event in events:
        if isinstance(event, Restarted):
            text, reasoning = "", ""
        text += event.delta if isinstance(event, ContentDelta) else ""
        reasoning += event.delta if isinstance(event, ReasoningDelta) else ""
    return text, reasoning


def is_same(server: Server, events: list[Event], reply: Any) -> None:
    """Nothing is lost or doubled, and the events say the same as the reply."""
    assert reply.content == server.text
    assert (reply.reasoning or "") == server.reasoning
    assert [each["function"]["arguments"] for each in reply.tool_calls] == server.calls
    assert shown(events) == (server.text, server.reasoning)


@settings(max_examples=100)
@given(SERVERS, st.integers(1, 50), st.booleans())
def test_a_session_joins_the_parts_of_any_cuts(server: Server, size: int, clean: bool) -> None:
    """The bytes come in pieces of any size and are cut anywhere, by an error or a clean end: the answer is the same."""
    session, events = Session(ASK, RetryBudget(attempts=100)), []
    while not session.is_over:
        raw, is_whole = server.answer(session.body)
        pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
        events += respond(session, *pieces, cause=None if is_whole or clean else CUT)
    is_same(server, events, session.reply())


class Serving(Canned):
    """A transport in front of a `Server`, which breaks where the server cuts."""

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


@given(SERVERS, st.integers(1, 500), st.booleans())
def test_the_driver_joins_the_parts_of_any_cuts(server: Server, size: int, clean: bool) -> None:
    """The same with a synchronous client."""
    http = Serving(server, size, clean).client()
    with instant(), openai.OpenAI(**KEYS, http_client=http) as client, stream(client, **ASK) as answer:
        is_same(server, list(answer), answer.reply)
        assert answer.get_final_completion().choices[0].message.content == server.text


@given(SERVERS, st.integers(1, 500), st.booleans())
def test_the_asynchronous_driver_does_so_too(server: Server, size: int, clean: bool) -> None:
    """The same with an asynchronous client."""

    async def run() -> None:
        http = Serving(server, size, clean).client(is_async=True)
        async with openai.AsyncOpenAI(**KEYS, http_client=http) as client, stream(client, **ASK) as answer:
            is_same(server, [event async for event in answer], answer.reply)

    with instant():
        asyncio.run(run())


def text(content: str, finish_reason: str | None = None, **choice: Any) -> bytes:
    """An event with a piece of text."""
    return Server("", "", [], 1, [], repeats=False).chunk({"content": content}, finish_reason, **choice)


def test_a_beginning_that_is_held_back_is_not_lost_at_a_cut() -> None:
    """It may be a repetition or new text: it is not shown, and comes again with the rest."""
    session = Session(ASK, RetryBudget())
    for pieces in (["Hello"], ["Hel"], ["Hel", "mut"]):
        respond(session, *map(text, pieces), cause=CUT)
        assert session.body["messages"][-1]["content"] == "Hello" + "Helmut" * (len(pieces) > 1)


def test_the_event_of_a_cut_comes_before_all_others() -> None:
    """`restarted` is the first event after a cut in the reasoning, `resumed` after one in the text."""
    session = Session(ASK, RetryBudget())
    server = Server("Hello world", "hm hm", [], 5, [], repeats=False)
    raw = server.answer(session.body)[0]
    assert respond(session, raw[:200], cause=CUT)[-1] == Restarted(CUT, 1)
    assert respond(session, raw[: raw.index(b" worl")])[-1] == Resumed(None, 2)
    assert session.reply().content == "Hello"


def test_it_gives_up_after_so_many_attempts_in_a_row() -> None:
    """Progress resets the count; the error has all that came."""
    session = Session(ASK, RetryBudget(attempts=3))
    respond(session, cause=CUT)
    assert respond(session, text("Hello "), cause=CUT)[-1] == Resumed(CUT, 2)
    respond(session, cause=CUT)
    with pytest.raises(StreamCutError) as caught:
        respond(session, cause=CUT)
    error: Any = caught.value
    assert (error.text, error.__cause__, error.reply.content) == ("Hello ", CUT, "Hello ")


@pytest.mark.parametrize(("limit", "requests"), [(19, 2), (20, 2), (21, 3)])
def test_tokens_are_counted_before_a_full_budget_is_continued(limit: int, requests: int) -> None:
    """Another part is asked for while the parts before it used less than the limit, not when they used all of it."""
    session, made = Session(ASK, RetryBudget(), max_parts=9, max_total_tokens=limit), 0
    while not session.is_over:
        made += 1
        respond(session, text(f"part {made}, ", "length", usage={"total_tokens": 10}))
        if made == 3:
            break
    assert made == requests


@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_a_document_that_was_cut_is_a_cut(kind: str) -> None:
    """A broken connection is not reported as an answer without JSON."""
    session = Session(ASK, RetryBudget())
    response = SimpleNamespace(headers={"content-type": kind}, request=None)
    assert respond(session, b'{"choices": [', cause=CUT, response=response) == [Restarted(CUT, 1)]


def test_a_wait_is_not_repeated() -> None:
    """The part after a full token budget is asked for at once, also if the part before had to wait."""
    session = Session(ASK, RetryBudget(), max_parts=2)
    session.refused(openai.APIConnectionError(request=REQUEST))
    assert session.wait > 0
    respond(session, text("Hello", "length"))
    assert (session.wait, session.is_over) == (0, False)


def test_text_that_is_kept_is_not_started_over() -> None:
    """Before there is text, the answer may start over; after it, a refused partial mode is an error."""
    session = Session(ASK, RetryBudget())
    session.keeps_text = True
    assert respond(session, cause=CUT) == [Restarted(CUT, 1)]
    assert respond(session, text("Hello"), cause=CUT)[-1] == Resumed(CUT, 2)
    response = LIBRARY.Response(400, request=REQUEST)
    with pytest.raises(openai.BadRequestError) as caught:
        session.refused(openai.BadRequestError("no", response=response, body=None))
    error: Any = caught.value
    assert error.reply.content == "Hello"
