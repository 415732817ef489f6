"""Over real sockets: headers, broken connections, waits, records."""

from __future__ import annotations

import json
import socket
import threading
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from kimi_openai.emulator import (
    Behaviour,
    Emulator,
    Fault,
    comments,
    cut,
    drop_after,
    ends_after,
    error_event,
    garbage,
    pause,
    plain_json,
    reset,
    reset_after,
    say,
    slow,
    stall,
    think,
)

from .http import HELLO, chat, deltas, events, partly, send


def finished(kimi: Emulator, number: int = -1) -> Any:
    """The record of a request after its response has ended."""
    for _ in range(500):
        if kimi.requests and kimi.requests[number].status is not None:
            return kimi.requests[number]
        time.sleep(0.01)
    raise AssertionError("the response has not ended")


def test_a_clock_that_is_off() -> None:
    """The `Date` header can be off, as on a server whose clock is wrong."""
    with Emulator(behaviour=Behaviour(date_offset=-7200)) as kimi:
        sent = parsedate_to_datetime(chat(kimi).headers["Date"]).timestamp()
    assert 7100 < time.time() - sent < 7300


@pytest.mark.parametrize(("kind", "content"), [("html", "text/html"), ("json", "application/json; charset=utf-8")])
def test_too_large(kind: Any, content: str) -> None:
    """A body beyond the limit is a 413, as a page of the gateway or as an error of the API."""
    with Emulator(behaviour=Behaviour(max_body_bytes=1000, too_large=kind)) as kimi:
        assert chat(kimi).status == 200
        got = chat(kimi, user="x" * 1000)
        assert (got.status, got.headers["Content-Type"]) == (413, content)


def open_stream(kimi: Emulator) -> socket.socket:
    """A connection that has sent a streaming chat request."""
    body = json.dumps({"model": "kimi-k3", "messages": HELLO, "stream": True})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {kimi.api_key}\r\n"
    client = socket.create_connection(("127.0.0.1", kimi.port))
    client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    return client


def test_headers(kimi: Emulator) -> None:
    """JSON and streams have the platform's content types, and each response has its own request id."""
    body, stream = chat(kimi), chat(kimi, stream=True)
    assert body.headers["Content-Type"] == "application/json; charset=utf-8"
    assert stream.headers["Content-Type"] == "text/event-stream"
    assert len({got.headers["Msh-Request-Id"] for got in (body, stream)}) == 2
    assert "X-Request-Id" not in body.headers


def test_header_switches() -> None:
    """The id header can have another name or be absent; any key can be accepted."""
    for name in ("x-msh-trace-id", None):
        with Emulator(behaviour=Behaviour(request_id_header=name, any_key=True)) as kimi:
            got = send(kimi, "GET", "/v1/models", Authorization="Bearer sk-whatever")
            assert (got.status, got.headers["Msh-Request-Id"]) == (200, None)
            assert name is None or got.headers[name]


BROKEN: dict[str, tuple[Fault, int, set[str]]] = {
    "reset before the headers": (reset(), 0, {"ConnectionResetError", "RemoteDisconnected"}),
    "reset after 3": (reset_after(3), 3, {"ConnectionResetError"}),
    "reset at once": (reset_after(0), 0, {"ConnectionResetError"}),
    "drop after 3": (drop_after(3), 3, {"IncompleteRead"}),
    "end after 3": (ends_after(3), 3, {""}),
    "end before the finish": (ends_after("finish"), 5, {""}),
    "end before [DONE]": (ends_after(), 6, {""}),
}


@pytest.mark.parametrize(("fault", "count", "end"), BROKEN.values(), ids=BROKEN)
def test_breaking_faults(
    kimi: Emulator, caplog: pytest.LogCaptureFixture, fault: Fault, count: int, end: set[str]
) -> None:
    """A stream breaks after so many chunks and in the way of the fault, and nothing is logged."""
    kimi.script(think("hm"), say("one two"))
    kimi.fail(fault)
    got, how = partly(kimi)
    assert how in end
    assert (len(events(got)), got.endswith(b"[DONE]\n\n")) == (count, False)
    record = finished(kimi)
    assert (record.chunks_sent, record.finished, caplog.messages) == (count, False, [])


def test_reset_in_a_character(kimi: Emulator) -> None:
    """The bytes that arrive end within a character."""
    kimi.script(say("你好"))
    kimi.fail(reset_after(nbytes=-1))
    got, _ = partly(kimi)
    assert got.endswith(b'"content":"' + "你".encode()[:1])


def test_broken_body(kimi: Emulator) -> None:
    """A body that is not streamed breaks in its middle, after headers with the whole length."""
    kimi.fail(drop_after(5))
    got, how = partly(kimi, stream=False)
    assert how == "IncompleteRead"
    assert got.startswith(b'{"id":"chatcmpl-')
    kimi.fail(reset())
    assert partly(kimi, stream=False)[0] == b""


@pytest.mark.parametrize("kind", ["reset", "drop", "end"])
def test_cut_in_a_script(kimi: Emulator, kind: Any) -> None:
    """A cut in a script ends the connection at its place."""
    kimi.script(say("one"), cut(kind), say("two"))
    got, how = partly(kimi)
    assert how == {"reset": "ConnectionResetError", "drop": "IncompleteRead", "end": ""}[kind]
    assert deltas(got)[-1] == {"content": "one"}


def test_additions(kimi: Emulator) -> None:
    """Comments, garbage and an error event are in the stream; plain JSON replaces it."""
    kimi.fail(comments("ping"), garbage(2), error_event(2), plain_json())
    assert chat(kimi, stream=True).body.count(b": ping\n\ndata: ") > 5
    assert b'data: {"id":"chatcmpl-\n\n' in chat(kimi, stream=True).body
    assert events(chat(kimi, stream=True).body)[2]["error"]["type"] == "unexpected_output"
    assert chat(kimi, stream=True).json["object"] == "chat.completion"


def test_waits(kimi: Emulator) -> None:
    """Pauses, slow tokens and short stalls wait at least as long as they say."""
    for fault, step in ((None, pause(0.1)), (slow(0.03), pause(0)), (stall(1, seconds=0.1), pause(0))):
        kimi.script(say("a"), step)
        kimi.fail(*([fault] if fault else []))
        began = time.monotonic()
        assert chat(kimi, stream=True).body.endswith(b"[DONE]\n\n")
        assert time.monotonic() - began >= 0.09


def test_leaving_client(kimi: Emulator) -> None:
    """A client that leaves a stalled stream is noticed."""
    kimi.fail(stall(2))
    with open_stream(kimi) as client:
        got = b""
        while got.count(b"data: ") < 2:
            got += client.recv(4096)
        assert not kimi.requests[-1].disconnected
    record = finished(kimi)
    assert (record.disconnected, record.finished, record.chunks_sent) == (True, False, 2)


def test_stop_ends_stalled_streams() -> None:
    """Stopping does not wait for a stream that stalls for ever, and its client sees the end."""
    kimi = Emulator().start()
    kimi.fail(stall(1))
    with open_stream(kimi) as client:
        assert client.recv(10)
        stopper = threading.Thread(target=kimi.stop, daemon=True)
        stopper.start()
        client.settimeout(10)
        while client.recv(4096):
            pass
        stopper.join(10)
        assert not stopper.is_alive()


def test_records(kimi: Emulator) -> None:
    """A record has everything that was sent, and how the response ended."""
    chat(kimi, headers={"X_Test": "yes"})
    send(kimi, "GET", "/v1/files?after=f1")
    first, second = kimi.requests
    assert (first.method, first.path, first.json["model"], first.headers["x-test"]) == (
        "POST",
        "/v1/chat/completions",
        "kimi-k3",
        "yes",
    )
    assert (b"X-Test", b"yes") in first.raw_headers
    assert json.loads(first.body) == first.json == kimi.chats[0]
    assert (finished(kimi, 0).status, finished(kimi, 0).finished) == (200, True)
    assert (second.query["after"], second.json, second.body) == ("f1", None, b"")
    kimi.clear()
    assert kimi.requests == kimi.chats == []
