"""plain_stream.py: streams of legacy completions and of `client.post`, which the SDK reads itself otherwise."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import new_class
from typing import Any

import openai
import pytest
from openai.types import Completion

from kimi_openai import UnexpectedAnswerError
from tests.canned import Canned
from tests.conftest import Mode
from tests.servers import MakeScripted

EVENT = b'data: {"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"a"}]}\n\n'
DONE = b"data: [DONE]\n\n"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


def by_completions(_: Mode, client: Any) -> Any:
    return client.completions.create(model="kimi-k3", prompt="Hi", stream=True)


def by_post(mode: Mode, client: Any) -> Any:
    kind: Any = openai.AsyncStream if mode.is_async else openai.Stream
    return client.post("/completions", body={}, cast_to=Completion, stream=True, stream_cls=kind[Completion])


both_ways = pytest.mark.parametrize("way", [by_completions, by_post])


def read(mode: Mode, canned: Canned, way: Callable[..., Any]) -> list[Any]:
    client = mode.client(base_url="http://127.0.0.1/v1", api_key="sk-1", http_client=canned.client(mode.is_async))
    return mode.each(mode.run(way(mode, client)))


@both_ways
@pytest.mark.parametrize(
    "body",
    [
        EVENT + DONE,
        EVENT,
        b"\xef\xbb\xbf" + EVENT,
        EVENT.rstrip(),
        EVENT.replace(b"\n", b"\r"),
        b"event: ping\n\n" + EVENT,
    ],
)
def test_the_objects_are_the_sdks(mode: Mode, way: Any, body: bytes) -> None:
    """With or without `[DONE]`, however the lines end, and without the events that have no data."""
    (found,) = read(mode, Canned(*(body[at : at + 9] for at in range(0, len(body), 9))), way)
    assert (type(found), found.choices[0].text) == (Completion, "a")


BROKEN = {
    "not JSON": (b"data: {bad\n\n", UnexpectedAnswerError, "JSON in every event"),
    "not UTF-8": (b'data: "\xff"\n\n', UnexpectedAnswerError, "JSON in every event"),
    "nested": (b"data: " + b"[" * 100_000 + b"\n\n", UnexpectedAnswerError, "nested too deeply"),
    "null": (b"data: null\n\n", openai.APIResponseValidationError, "null instead of an object"),
    "a list": (b"data: [1]\n\n", openai.APIResponseValidationError, "a list instead of an object"),
    "an error": (b'data: {"error": {"message": "boo"}}\n\n', openai.APIError, "boo"),
}


@both_ways
@pytest.mark.parametrize(("event", "kind", "said"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_the_sdks_exception(mode: Mode, way: Any, event: bytes, kind: Any, said: str) -> None:
    """Not one of Python's or of the HTTP library's."""
    with pytest.raises(kind, match=said):
        read(mode, Canned(EVENT, event, DONE), way)


@both_ways
def test_a_broken_connection_is_the_sdks_exception(mode: Mode, way: Any) -> None:
    """Before openai 3 the SDK lets the HTTP library's pass. After `[DONE]` it does not matter."""
    with pytest.raises(openai.APIConnectionError):
        read(mode, Canned(EVENT, breaks=True), way)
    assert len(read(mode, Canned(EVENT, DONE, breaks=True), way)) == 1


@both_ways
def test_it_ends_soon_after_done(mode: Mode, scripted: MakeScripted, way: Any) -> None:
    """Whatever the server still sends."""
    server = scripted(lambda: [HEAD + EVENT + DONE, *(step for _ in range(30) for step in (0.1, b": alive\n\n"))])
    start = time.monotonic()
    client = mode.client(base_url=server.base_url, api_key="sk-1")
    assert len(mode.each(mode.run(way(mode, client)))) == 1
    assert time.monotonic() - start < 2


@both_ways
def test_patience_ends_it(mode: Mode, scripted: MakeScripted, way: Any) -> None:
    """As it ends every call."""
    server = scripted(lambda: [HEAD + EVENT, 30.0])
    client = mode.client(base_url=server.base_url, api_key="sk-1", patience=0.3, max_retries=0)
    with pytest.raises(openai.APITimeoutError):
        mode.each(mode.run(way(mode, client)))


def test_another_thread_closes_it(scripted: MakeScripted) -> None:
    """The thread that reads gets an error at once."""
    head = HEAD.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n")
    server = scripted(lambda: [head + b"%x\r\n%s\r\n" % (len(EVENT), EVENT), 30.0])
    mode = Mode("sync")
    stream = by_completions(mode, mode.client(base_url=server.base_url, api_key="sk-1"))
    next(stream)
    threading.Timer(0.1, stream.close).start()
    start = time.monotonic()
    with pytest.raises(openai.APIConnectionError):
        next(stream)
    assert time.monotonic() - start < 5


def test_classes_of_others_stay_as_they_are(mode: Mode) -> None:
    """Also those of assistants, where the name of an event counts."""
    client = mode.client(
        base_url="http://127.0.0.1/v1", api_key="sk-1", http_client=Canned(EVENT).client(mode.is_async)
    )
    kind: Any = openai.AsyncStream if mode.is_async else openai.Stream

    own: Any = new_class("Own", (kind[Completion],))
    request: dict[str, Any] = {"body": {}, "cast_to": Completion, "stream": True}
    assert type(mode.run(client.post("/completions", stream_cls=own, **request))) is own
    assert type(mode.run(client.post("/threads/runs", stream_cls=kind[Completion], **request))) is kind
