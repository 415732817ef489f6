"""limits.py, network.py: patience ends a call however slowly bytes come or go, with every kind of HTTP client."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import openai
import pytest

from kimi_openai import StreamCutError, complete, create_async_client, list_models, stream
from kimi_openai.emulator import Emulator, slow
from tests.canned import LIBRARY, Canned
from tests.conftest import Mode
from tests.servers import MakeScripted

ASK: Any = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
BODY = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "kimi-k3",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "late"}, "finish_reason": "stop"}],
    }
).encode()
LONG = 5.0
"""Seconds that a server of these tests takes for an answer, so that a call that is not ended gets one."""


def head(status: str, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode()


def dripping(data: bytes, count: int = 50) -> Iterator[bytes | float]:
    """Most of the data in small pieces that come for a long time, then the rest."""
    for at in range(count):
        yield data[at : at + 1]
        yield LONG / count
    yield data[count:]


def slow_head() -> Iterable[bytes | float]:
    yield from dripping(head("200 OK", "content-type: application/json", f"content-length: {len(BODY)}") + BODY)


def slow_body() -> Iterable[bytes | float]:
    yield head("200 OK", "content-type: application/json", f"content-length: {len(BODY)}")
    yield from dripping(BODY)


def slow_error() -> Iterable[bytes | float]:
    yield head("400 Bad Request", "content-type: application/json", f"content-length: {len(BODY)}")
    yield from dripping(BODY)


def slow_gzip() -> Iterable[bytes | float]:
    data = gzip.compress(BODY)
    yield head("200 OK", "content-type: application/json", "content-encoding: gzip", f"content-length: {len(data)}")
    yield from dripping(data)


def fast_comments() -> Iterable[bytes | float]:
    """A stream without an answer that never pauses for long."""
    yield head("200 OK", "content-type: text/event-stream", "transfer-encoding: chunked")
    for _ in range(int(LONG * 200)):
        yield b"4\r\n: x\n\r\n"
        yield 1 / 200


SLOW = {script.__name__: script for script in (slow_head, slow_body, slow_error, slow_gzip)}
WAYS: dict[str, Callable[[Any], Any]] = {
    "create": lambda client: client.chat.completions.create(**ASK),
    "create(stream)": lambda client: client.chat.completions.create(**ASK, stream=True),
    "raw": lambda client: client.chat.completions.with_raw_response.create(**ASK),
    "complete": lambda client: complete(client, **ASK),
    "stream": lambda client: stream(client, **ASK).get_final_completion(),
    "list_models": list_models,
}


def http_client(mode: Mode, kind: str) -> Any:
    """The SDK's HTTP client of a kind, `None` for our own."""
    if kind == "ours":
        return None
    if kind == "aiohttp":
        if not mode.is_async:
            pytest.skip("for asynchronous clients only")
        return openai.DefaultAioHttpClient()
    return openai.DefaultAsyncHttpxClient() if mode.is_async else openai.DefaultHttpxClient()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW)
def test_patience_ends_what_drips(mode: Mode, scripted: MakeScripted, script: Any, way: Callable[[Any], Any]) -> None:
    """Each piece comes long before the timeout, and the whole long after patience."""
    client = mode.client(api_key="sk-1", base_url=scripted(script).base_url, patience=0.3)
    with pytest.raises(openai.APITimeoutError, match=r"patience=0\.3"):
        mode.run(way(client))


@pytest.mark.parametrize("kind", ["httpx", "aiohttp"])
@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW)
def test_patience_holds_with_a_callers_http_client(mode: Mode, scripted: MakeScripted, script: Any, kind: str) -> None:
    """The transports that the SDK has."""
    client = mode.client(
        api_key="sk-1", base_url=scripted(script).base_url, patience=0.3, http_client=http_client(mode, kind)
    )
    with pytest.raises(openai.APIConnectionError, match=r"patience=0\.3"):
        mode.run(client.chat.completions.create(**ASK))


class Slow(Canned):
    """A transport of the caller's own, without a connection."""

    def handle_request(self, request: Any) -> Any:
        response = super().handle_request(request)
        response.stream = SlowStream(list(response.stream))
        return response


class SlowStream(LIBRARY.SyncByteStream, LIBRARY.AsyncByteStream):  # type: ignore[misc]
    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            threading.Event().wait(0.05)
            yield piece

    async def __aiter__(self) -> Any:
        for piece in self.pieces:
            await asyncio.sleep(0.05)
            yield piece


def test_patience_holds_with_a_callers_transport(mode: Mode) -> None:
    """Between two pieces."""
    http = Slow(*[BODY[at : at + 3] for at in range(0, len(BODY), 3)], content_type="application/json")
    client = mode.client(api_key="sk-1", patience=0.3, http_client=http.client(mode.is_async), max_retries=0)
    with pytest.raises(openai.APITimeoutError, match=r"patience=0\.3"):
        mode.run(client.chat.completions.create(**ASK))


@pytest.mark.parametrize("kind", ["ours", "httpx", "aiohttp"])
def test_patience_ends_a_slow_upload(mode: Mode, scripted: MakeScripted, kind: str) -> None:
    """The server takes the head of the request and no body."""
    server = scripted(lambda: [LONG], reads_body=False)
    client = mode.client(
        api_key="sk-1", base_url=server.base_url, patience=0.3, http_client=http_client(mode, kind), max_retries=0
    )
    with pytest.raises(openai.APITimeoutError, match=r"patience=0\.3"):
        mode.run(client.files.create(file=("a.txt", b"x" * 50_000_000), purpose="file-extract"))
    server.close()
    if server.asked.is_set():
        assert server.is_over.wait(20)
    if mode.is_async:  # aiohttp's transport waits for the server to take the rest, or to close
        mode.run(asyncio.sleep(0.05))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_patience_ends_the_look_up_of_a_name(
    mode: Mode, monkeypatch: pytest.MonkeyPatch, way: Callable[[Any], Any]
) -> None:
    """No timeout of a socket limits it."""
    answered, found = threading.Event(), socket.getaddrinfo

    def look_up(_host: Any, *args: Any, **options: Any) -> Any:
        answered.wait(LONG)
        return found("127.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    client = mode.client(api_key="sk-1", base_url="http://kimi.invalid/v1", allow_http=True, patience=0.3)
    with pytest.raises(openai.APITimeoutError, match=r"patience=0\.3"):
        mode.run(way(client))
    answered.set()


@pytest.mark.parametrize("kind", ["ours", "httpx", "aiohttp"])
def test_patience_ends_the_reading_of_a_typed_stream(mode: Mode, kimi: Emulator, kind: str) -> None:
    """The chunks come without a long pause; the error has what had come."""
    kimi.fail(slow(0.3))
    client = mode.client(kimi, patience=1.5, http_client=http_client(mode, kind))
    chunks = mode.run(client.chat.completions.create(**ASK, stream=True))
    with pytest.raises(StreamCutError, match=r"\(not retried; patience=1.5 is over\)"):
        mode.each(chunks)


@pytest.mark.parametrize("kind", ["ours", "httpx", "aiohttp"])
def test_patience_ends_a_stream_of_comments(mode: Mode, scripted: MakeScripted, kind: str) -> None:
    """Also where there is always something to read."""
    server = scripted(fast_comments)
    client = mode.client(
        api_key="sk-1", base_url=server.base_url, patience=0.3, max_retries=0, http_client=http_client(mode, kind)
    )
    chunks = mode.run(client.chat.completions.create(**ASK, stream=True))
    with pytest.raises(StreamCutError, match=r"patience=0.3 is over"):
        mode.each(chunks)
    with pytest.raises(StreamCutError, match=r"patience=0.3 ends"):
        mode.each(stream(client, **ASK))


def test_patience_ends_what_the_caller_reads(mode: Mode, scripted: MakeScripted) -> None:
    """With the SDK's `with_streaming_response`."""
    client = mode.client(api_key="sk-1", base_url=scripted(slow_body).base_url, patience=0.3)

    def read() -> Any:
        with client.chat.completions.with_streaming_response.create(**ASK) as response:
            return response.read()

    async def read_async() -> Any:
        async with client.chat.completions.with_streaming_response.create(**ASK) as response:
            return await response.read()

    with pytest.raises(openai.APITimeoutError):
        mode.run(read_async()) if mode.is_async else read()


def test_patience_ends_a_callable_key() -> None:
    """Whatever an asynchronous call waits for."""

    async def ask() -> Any:
        async def key() -> str:
            await asyncio.sleep(LONG)
            return "sk-1"

        async with create_async_client(api_key=key, base_url="http://127.0.0.1:9/v1", patience=0.2) as client:
            await client.models.list()

    with pytest.raises(openai.APITimeoutError, match=r"patience=0\.2"):
        asyncio.run(ask())


def test_cancellation_by_the_caller_passes(scripted: MakeScripted) -> None:
    """A task that is cancelled before its patience ends is cancelled, and does not time out."""
    server = scripted(slow_body)

    async def cancel() -> None:
        async with create_async_client(api_key="sk-1", base_url=server.base_url, patience=60) as client:
            task = asyncio.create_task(client.chat.completions.create(**ASK))
            while not server.asked.is_set():
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancel())


def test_a_later_call_on_the_connection_has_its_own_time(mode: Mode, kimi: Emulator) -> None:
    """The connection is kept, the limit is not."""
    client = mode.client(kimi)
    mode.run(client.with_options(patience=0.3).models.list())
    kimi.fail(slow(0.02))
    chunks = mode.run(client.chat.completions.create(**ASK, stream=True))
    assert mode.each(chunks)[-1].choices[0].finish_reason == "stop"


DAMAGED = {
    "bad size": [b"zz\r\ndata: x\n\n\r\n"],
    "no line end": [b"4\r\nabcdXX4\r\nabcd\r\n"],
    "garbage": [b"\x00\xff\x00garbage"],
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("kind", ["ours", "aiohttp"])
def test_a_read_after_damaged_framing_ends(mode: Mode, scripted: MakeScripted, kind: str, damage: list[bytes]) -> None:
    """By the read timeout at the latest. The parser of aiohttp would wait for ever, also after the connection ends."""

    def script() -> Iterable[bytes | float]:
        yield head("200 OK", "content-type: text/event-stream", "transfer-encoding: chunked")
        yield b"9\r\n: hello\n\n\r\n"[:3] + b": hello\n\n\r\n"
        yield 0.1
        yield from damage
        yield LONG

    client = mode.client(
        api_key="sk-1",
        base_url=scripted(script).base_url,
        timeout=0.5,
        max_retries=0,
        http_client=http_client(mode, kind),
    )
    chunks = mode.run(client.chat.completions.create(**ASK, stream=True))
    with pytest.raises(StreamCutError):
        mode.each(chunks)
