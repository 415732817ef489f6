"""ending.py: a whole answer is not waited for; what follows it is read for a moment, so that the connection is kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

import openai
import pytest

from kimi_openai import complete, stream
from tests.canned import Canned
from tests.conftest import Mode
from tests.servers import MakeAnswering, MakeScripted, Scripted

ASK: Any = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
ASK_USAGE: Any = {**ASK, "stream_options": {"include_usage": True}}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
HELD = 20.0
"""Seconds for which a server of these tests holds a body open."""


def chunk(choice: object = None, **fields: object) -> bytes:
    base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "kimi-k3"}
    value = {**base, "choices": [choice] if choice else [], **fields}
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def choice(finish_reason: str | None = None, *, index: int = 0, usage: Any = None, **delta: object) -> dict[str, Any]:
    found = {"index": index, "delta": delta, "finish_reason": finish_reason}
    return {**found, "usage": usage} if usage else found


HELLO = chunk(choice(content="hello"))
FINISH, FINISH_WITH_USAGE = chunk(choice("stop")), chunk(choice("stop", usage=USAGE))
LAST_USAGE = chunk(usage=USAGE)
DONE = b"data: [DONE]\n\n"
COMMENT = b": keep-alive\n\n"


def held(*events: bytes | float, rest: float | None = None) -> Callable[[], Iterable[bytes | float]]:
    """A stream of these events whose body does not end; with `rest`, comments come at such a distance."""

    def script() -> Iterable[bytes | float]:
        yield b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        for event in events:
            yield b"%x\r\n%s\r\n" % (len(event), event) if isinstance(event, bytes) else event
        for _ in range(int(HELD / (rest or HELD))):
            yield rest or HELD
            yield b"%x\r\n%s\r\n" % (len(COMMENT), COMMENT)

    return script


OPEN = {
    "silence after [DONE]": held(HELLO, FINISH_WITH_USAGE, DONE),
    "comments after [DONE]": held(HELLO, FINISH_WITH_USAGE, DONE, rest=0.05),
    "silence after the finish_reason": held(HELLO, FINISH_WITH_USAGE),
    "comments after the finish_reason": held(HELLO, FINISH_WITH_USAGE, rest=0.05),
}


async def _helper_async(client: Any) -> Any:
    async with client.chat.completions.stream(**ASK) as answer:
        return (await answer.get_final_completion()).choices[0].message.content


def _helper(client: Any) -> Any:
    if isinstance(client, openai.AsyncOpenAI):
        return _helper_async(client)
    with client.chat.completions.stream(**ASK) as answer:
        return answer.get_final_completion().choices[0].message.content


def text_of(mode: Mode, way: str, client: Any) -> Any:
    """The text of an answer that was asked for in one of the ways."""
    if way == "helper":
        return mode.run(_helper(client))
    if way in ("stream", "complete"):
        found = complete(client, **ASK) if way == "complete" else stream(client, **ASK).get_final_completion()
        return mode.run(found).choices[0].message.content
    resource = client.chat.completions.with_raw_response if way == "raw" else client.chat.completions
    answer = mode.run(resource.create(**ASK, stream=True))
    chunks = mode.each(answer.parse() if way == "raw" else answer)
    return "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)


@pytest.mark.parametrize("way", ["create", "raw", "helper", "stream", "complete"])
@pytest.mark.parametrize("script", OPEN.values(), ids=OPEN)
def test_a_whole_answer_is_not_waited_for(mode: Mode, scripted: MakeScripted, script: Any, way: str) -> None:
    """The body is still open when the answer is there, and then the connection is closed."""
    server: Scripted = scripted(script)
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    assert text_of(mode, way, client) == "hello"
    assert not server.is_over.is_set()


@pytest.mark.parametrize("kind", ["httpx", "aiohttp"])
def test_nor_with_a_callers_http_client(mode: Mode, scripted: MakeScripted, kind: str) -> None:
    """Of every transport that the SDK has."""
    if kind == "aiohttp" and not mode.is_async:
        pytest.skip("for asynchronous clients only")
    make: Any = openai.DefaultAsyncHttpxClient if mode.is_async else openai.DefaultHttpxClient
    http = openai.DefaultAioHttpClient() if kind == "aiohttp" else make()
    server: Scripted = scripted(OPEN["comments after [DONE]"])
    client = mode.client(api_key="sk-1", base_url=server.base_url, http_client=http)
    assert [text_of(mode, way, client) for way in ("create", "stream")] == ["hello", "hello"]
    assert not server.is_over.is_set()


def test_usage_that_was_asked_for_is_waited_for(mode: Mode, scripted: MakeScripted) -> None:
    """Longer than for anything else, because some code counts on it."""
    server: Scripted = scripted(held(HELLO, FINISH, 0.3, LAST_USAGE))
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    chunks = mode.each(mode.run(client.chat.completions.create(**ASK_USAGE, stream=True)))
    assert chunks[-1].usage.total_tokens == 3
    assert mode.run(complete(client, **ASK)).usage.total_tokens == 3
    assert not server.is_over.is_set()


def test_after_the_usage_nothing_is_waited_for(
    mode: Mode, scripted: MakeScripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The long wait ends when the usage has come, though the body stays open."""
    monkeypatch.setattr("kimi_openai.client.chunk_reader.USAGE_WAIT", 600.0)
    monkeypatch.setattr("kimi_openai.streaming.reader.USAGE_WAIT", 600.0)
    server: Scripted = scripted(held(HELLO, FINISH, 0.3, LAST_USAGE))
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    chunks = mode.each(mode.run(client.chat.completions.create(**ASK_USAGE, stream=True)))
    assert chunks[-1].usage.total_tokens == 3
    assert not server.is_over.is_set()


def test_usage_that_does_not_come_is_given_up(
    mode: Mode, scripted: MakeScripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is whole without it."""
    monkeypatch.setattr("kimi_openai.client.chunk_reader.USAGE_WAIT", 0.3)
    monkeypatch.setattr("kimi_openai.streaming.reader.USAGE_WAIT", 0.3)
    server: Scripted = scripted(held(HELLO, FINISH, rest=0.05))
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    chunks = mode.each(mode.run(client.chat.completions.create(**ASK_USAGE, stream=True)))
    assert [each.choices[0].finish_reason for each in chunks] == [None, "stop"]
    answer = mode.run(complete(client, **ASK))
    assert (answer.choices[0].message.content, answer.usage) == ("hello", None)
    assert not server.is_over.is_set()


def test_every_choice_is_waited_for(mode: Mode, scripted: MakeScripted) -> None:
    """A finish_reason ends one choice. Kimi gives one answer, other servers may give as many as were asked for."""
    more = [chunk(choice(index=1, content="b")), chunk(choice("stop", index=1)), DONE]
    server = scripted(held(HELLO, FINISH, 0.3, *more))
    client = mode.client(api_key="sk-1", base_url=server.base_url, compat="off")
    chunks = mode.each(mode.run(client.chat.completions.create(**ASK, n=2, stream=True)))
    assert [each.choices[0].index for each in chunks] == [0, 0, 1, 1]


def test_a_body_in_memory_that_never_ends_is_left(mode: Mode) -> None:
    """A transport of the caller's own may always have more."""

    class Endless(list[bytes]):
        def __iter__(self) -> Any:
            yield HELLO + FINISH_WITH_USAGE + DONE
            while not left.is_set():
                yield COMMENT

    left = threading.Event()
    stop = threading.Timer(HELD, left.set)
    stop.start()
    canned = Canned()
    canned.pieces = Endless()  # type: ignore[assignment]
    client = mode.client(api_key="sk-1", http_client=canned.client(mode.is_async))
    assert [text_of(mode, way, client) for way in ("create", "stream")] == ["hello", "hello"]
    assert not left.is_set()
    stop.cancel()


@pytest.mark.parametrize("way", ["create", "raw", "helper", "stream", "complete"])
def test_ten_answers_need_one_connection(mode: Mode, answering: MakeAnswering, way: str) -> None:
    """Their bodies are read to the end, which comes at once."""
    server = answering(200, HELLO + FINISH_WITH_USAGE + DONE, {"Content-Type": "text/event-stream"})
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    assert [text_of(mode, way, client) for _ in range(10)] == ["hello"] * 10
    assert len(set(server.ports)) == 1
