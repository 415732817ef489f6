"""Over real sockets: routes, headers, faults, records."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kimi_openai.emulator import (
    Behaviour,
    Emulator,
    Fault,
    comments,
    cut,
    drop_after,
    empty_body,
    ends_after,
    error,
    error_body,
    error_event,
    garbage,
    html,
    overloaded,
    pause,
    plain_json,
    rate_limited,
    reset,
    reset_after,
    say,
    slow,
    stall,
    think,
)

from .http import HELLO, chat, deltas, error_of, events, partly, send


def until(kimi: Emulator, number: int = -1) -> Any:
    """The record of a request once its answer is over."""
    for _ in range(500):
        if kimi.requests and kimi.requests[number].status is not None:
            return kimi.requests[number]
        time.sleep(0.01)
    raise AssertionError("the answer is not over")


def test_default_answer(kimi: Emulator) -> None:
    """Without a script the question is quoted, after some reasoning."""
    message = chat(kimi).message
    assert "Hello" in message["content"]
    assert message["reasoning_content"]


def test_scripts_queue(kimi: Emulator) -> None:
    """Scripts are answered in their order, then the default; a refused request takes none."""
    kimi.script(say("one"))
    kimi.script("think: hm\nsay: two")
    assert chat(kimi, temperature=0.5).status == 400
    assert [chat(kimi).message["content"] for _ in range(2)] == ["one", "two"]
    assert "quote" in chat(kimi).message["content"]


def test_reply(kimi: Emulator) -> None:
    """A function decides by request; None leaves it to the default, and its failure is a plain 500."""
    kimi.reply = lambda request: [say(request.json["messages"][0]["content"].upper())]
    assert chat(kimi).message["content"] == "HELLO"
    kimi.reply = lambda _: None
    assert "quote" in chat(kimi).message["content"]
    kimi.reply = lambda request: request.json["nothing"]
    assert chat(kimi).json["error"]["message"] == "emulator: the script failed: KeyError('nothing')"


def test_headers(kimi: Emulator) -> None:
    """JSON and streams have the platform's content types, and each answer a request id of its own."""
    body, stream = chat(kimi), chat(kimi, stream=True)
    assert body.headers["Content-Type"] == "application/json; charset=utf-8"
    assert stream.headers["Content-Type"] == "text/event-stream"
    assert len({got.headers["Msh-Request-Id"] for got in (body, stream)}) == 2
    assert "X-Request-Id" not in body.headers


@pytest.mark.parametrize("stream", [False, True])
def test_signature(kimi: Emulator, stream: bool) -> None:
    """A nonce gets a signature that the verify endpoint knows; an empty one gets none and no error."""
    got = chat(kimi, stream=stream, headers={"X_Msh_Request_Nonce": "n1"}).headers
    proof = {"nonce": "n1", "model": "kimi-k3", "signature": got["Msh-Request-Signature"]}
    proof["timestamp"] = int(got["Msh-Request-Timestamp"])
    verdict = send(kimi, "POST", "/v1/signatures/verify", proof)
    assert (verdict.json, verdict.headers["Cache-Control"]) == ({"valid": True}, "no-store")
    assert send(kimi, "POST", "/v1/signatures/verify", {**proof, "nonce": "n2"}).json == {"valid": False}
    unsigned = chat(kimi, headers={"X_Msh_Request_Nonce": ""})
    assert (unsigned.status, unsigned.headers["Msh-Request-Signature"]) == (200, None)


ROUTES = [
    ("GET", "/v1/chat/completions"),
    ("POST", "/v1/nothing"),
    ("DELETE", "/v1/models"),
    ("GET", "/v1/models/kimi-k3"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_unknown_routes(kimi: Emulator, method: str, path: str) -> None:
    """An unknown path and a wrong method are url.not_found, after the key was looked at."""
    got = send(kimi, method, path)
    assert (got.status, got.json["error"], got.json["method"], got.json["url"]) == (404, "url.not_found", method, path)
    assert send(kimi, method, path, Authorization="").status == 401


def test_closed_api(kimi: Emulator) -> None:
    """Embeddings exist and are closed, as one user saw."""
    got = send(kimi, "POST", "/v1/embeddings", {"model": "x", "input": "y"})
    assert (got.status, got.json["error"]["type"]) == (403, "permission_denied_error")


ESTIMATES: dict[str, tuple[dict[str, Any], int]] = {
    "short": ({}, 200),
    "unknown model": ({"model": "kimi-k2.5"}, 404),
    "broken message": ({"messages": [{"role": "developer", "content": "x"}]}, 400),
    "sampling is not looked at": ({"temperature": 3}, 200),
}


@pytest.mark.parametrize(("body", "status"), ESTIMATES.values(), ids=ESTIMATES)
def test_estimate(kimi: Emulator, body: dict[str, Any], status: int) -> None:
    """The estimate looks at model and messages, costs nothing and takes no script."""
    before = kimi.balance
    kimi.script(say("kept"))
    whole = {"model": "kimi-k3", "messages": HELLO, **body}
    assert send(kimi, "POST", "/v1/tokenizers/estimate-token-count", whole).status == status
    assert (kimi.balance, chat(kimi).message["content"]) == (before, "kept")


def test_estimate_of_tools() -> None:
    """Whether tools are counted is a switch."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    counts: list[int] = []
    for counted in (False, True):
        with Emulator(behaviour=Behaviour(estimate_counts_tools=counted)) as kimi:
            for body in ({}, {"tools": [tool]}):
                whole = {"model": "kimi-k3", "messages": HELLO, **body}
                answer = send(kimi, "POST", "/v1/tokenizers/estimate-token-count", whole)
                counts.append(answer.json["data"]["total_tokens"])
    assert counts[0] == counts[1] == counts[2] < counts[3]


def test_header_switches() -> None:
    """The id header has another name or is absent; any key can be taken."""
    for name in ("x-msh-trace-id", None):
        with Emulator(behaviour=Behaviour(request_id_header=name, any_key=True)) as kimi:
            got = send(kimi, "GET", "/v1/models", Authorization="Bearer sk-whatever")
            assert (got.status, got.headers["Msh-Request-Id"]) == (200, None)
            assert name is None or got.headers[name]


def test_concurrent_choices(kimi: Emulator) -> None:
    """Requests at once each get the answer that is theirs."""
    kimi.reply = lambda request: [say(request.json["messages"][0]["content"])]

    def ask(number: int) -> Any:
        return chat(kimi, messages=[{"role": "user", "content": f"n{number}"}]).message["content"]

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(64))) == [f"n{number}" for number in range(64)]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_broken_json(kimi: Emulator, body: bytes) -> None:
    """A body that is no JSON object is a 400 in Kimi's shape."""
    got = send(kimi, "POST", "/v1/chat/completions", body)
    assert (got.status, got.json["error"]["type"]) == (400, "invalid_request_error")


ANSWERED: dict[str, tuple[Fault, int, str]] = {
    "rate limit": (rate_limited(retry_after=1), 429, "application/json; charset=utf-8"),
    "html": (html(504), 504, "text/html"),
    "html 200": (html(200), 200, "text/html"),
    "error body": (error_body(), 200, "application/json; charset=utf-8"),
    "empty": (empty_body(), 200, "application/json; charset=utf-8"),
}


@pytest.mark.parametrize(("fault", "status", "kind"), ANSWERED.values(), ids=ANSWERED)
def test_answering_faults(kimi: Emulator, fault: Any, status: int, kind: str) -> None:
    """A queued fault answers one request, streaming or not; then it is normal again."""
    kimi.fail(fault, fault)
    for stream in (True, False):
        got = chat(kimi, stream=stream)
        assert (got.status, got.headers["Content-Type"], got.body) == (status, kind, fault.body)
    assert chat(kimi).status == 200


def test_retry_after_switch() -> None:
    """A 429 carries Retry-After as the fault says, unless this Kimi sends none."""
    for behaviour, wanted in ((Behaviour(), "1"), (Behaviour(retry_after=False), None)):
        with Emulator(behaviour=behaviour) as kimi:
            kimi.fail(overloaded(1))
            got = chat(kimi)
            assert (got.headers["Retry-After"], got.headers["x-retry-after"]) == (wanted, wanted)


def test_fault_by_path(kimi: Emulator) -> None:
    """A fault for a path waits for it."""
    kimi.fail(overloaded(), path="/models")
    assert chat(kimi).status == 200
    assert send(kimi, "GET", "/v1/models").status == 429
    assert send(kimi, "GET", "/v1/models").status == 200


def test_fault_by_header(kimi: Emulator) -> None:
    """Each request may choose its own fault; an unknown one is told."""
    assert chat(kimi, headers={"X_Emulator_Fault": "rate_limited=rpm"}).json == error_of("rate_rpm")[1]
    assert chat(kimi, headers={"X_Emulator_Fault": "flood"}).json["error"]["message"].startswith("emulator: ")
    assert chat(kimi).status == 200


def test_chance_is_seeded() -> None:
    """Faults by chance come as the seed has them."""

    def statuses(seed: int) -> list[int]:
        with Emulator(seed=seed, chance={overloaded(): 0.5}) as kimi:
            return [send(kimi, "GET", "/v1/models").status for _ in range(12)]

    assert statuses(1) == statuses(1)
    assert set(statuses(1)) == {200, 429}
    assert statuses(1) != statuses(2)


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
    """A stream breaks after the chunks that were announced, in the way that was announced, and nothing is logged."""
    kimi.script(think("hm"), say("one two"))
    kimi.fail(fault)
    got, how = partly(kimi)
    assert how in end
    assert (len(events(got)), got.endswith(b"[DONE]\n\n")) == (count, False)
    record = until(kimi)
    assert (record.chunks_sent, record.finished, caplog.messages) == (count, False, [])


def test_reset_in_a_character(kimi: Emulator) -> None:
    """The bytes that arrive end within a character."""
    kimi.script(say("你好"))
    kimi.fail(reset_after(nbytes=-1))
    got, _ = partly(kimi)
    assert got.endswith(b'"content":"' + "你".encode()[:1])


def test_broken_body(kimi: Emulator) -> None:
    """A body that is not streamed breaks in its middle, after honest headers."""
    kimi.fail(drop_after(5))
    got, how = partly(kimi, stream=False)
    assert how == "IncompleteRead"
    kimi.fail(reset())
    assert partly(kimi, stream=False)[0] == b"" == got[:0]


@pytest.mark.parametrize("kind", ["reset", "drop", "end"])
def test_cut_in_a_script(kimi: Emulator, kind: Any) -> None:
    """A script's own cut ends the connection where it stands."""
    kimi.script(say("one"), cut(kind), say("two"))
    got, how = partly(kimi)
    assert how == {"reset": "ConnectionResetError", "drop": "IncompleteRead", "end": ""}[kind]
    assert deltas(got)[-1] == {"content": "one"}


def test_error_steps(kimi: Emulator) -> None:
    """An error before the first word is an HTTP error, one after it an event; without streaming always the former."""
    kimi.script(error("no", type="engine_overloaded_error", status=429))
    assert chat(kimi, stream=True).status == 429
    kimi.script(say("a"), error("no"))
    assert events(chat(kimi, stream=True).body)[-1] == {"error": {"message": "no", "type": "server_error"}}
    kimi.script(say("a"), error("no", status=503))
    assert chat(kimi).status == 503


def test_additions(kimi: Emulator) -> None:
    """Comments, garbage and an error event are in the stream; plain JSON replaces it."""
    kimi.fail(comments("ping"), garbage(2), error_event(2), plain_json())
    assert chat(kimi, stream=True).body.count(b": ping\n\ndata: ") > 5
    assert b'data: {"id":"chatcmpl-\n\n' in chat(kimi, stream=True).body
    assert events(chat(kimi, stream=True).body)[2]["error"]["type"] == "unexpected_output"
    assert chat(kimi, stream=True).json["object"] == "chat.completion"


def test_waits(kimi: Emulator) -> None:
    """Pauses, slow tokens and short stalls take their time."""
    for fault, step in ((None, pause(0.1)), (slow(0.03), pause(0)), (stall(1, seconds=0.1), pause(0))):
        kimi.script(say("a"), step)
        kimi.fail(*([fault] if fault else []))
        began = time.monotonic()
        assert chat(kimi, stream=True).body.endswith(b"[DONE]\n\n")
        assert time.monotonic() - began >= 0.09


def test_leaving_client(kimi: Emulator) -> None:
    """A client that leaves a stalled stream is noticed."""
    kimi.fail(stall(2))
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {kimi.api_key}\r\n"
    body = json.dumps({"model": "kimi-k3", "messages": HELLO, "stream": True})
    with socket.create_connection(("127.0.0.1", kimi.port)) as client:
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        got = b""
        while got.count(b"data: ") < 2:
            got += client.recv(4096)
        assert not kimi.requests[-1].disconnected
    record = until(kimi)
    assert (record.disconnected, record.finished, record.chunks_sent) == (True, False, 2)


def test_stop_ends_stalled_streams() -> None:
    """Stopping does not wait for a stream that stalls for ever."""
    with Emulator() as kimi:
        kimi.fail(stall(1))
        body = json.dumps({"model": "kimi-k3", "messages": HELLO, "stream": True}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {kimi.api_key}\r\n"
        client = socket.create_connection(("127.0.0.1", kimi.port))
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        client.recv(10)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    client.close()


def test_records(kimi: Emulator) -> None:
    """A record has everything that was sent, and how the answer went."""
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
    assert (until(kimi, 0).status, until(kimi, 0).finished) == (200, True)
    assert (second.query["after"], second.json, second.body) == ("f1", None, b"")
    kimi.clear()
    assert kimi.requests == kimi.chats == []


def test_partial_mode(kimi: Emulator) -> None:
    """A resumed stream continues where the cut one ended."""
    kimi.reply = lambda _: [think("hm"), say("one two"), cut("end"), say(" three")]
    got = "".join(delta.get("content", "") for delta in deltas(chat(kimi, stream=True).body))
    rest = chat(kimi, messages=[*HELLO, {"role": "assistant", "content": got, "partial": True}])
    assert (got, rest.message["content"]) == ("one two", " three")


def test_cache(kimi: Emulator) -> None:
    """A repeated prompt is cached, a changed one is not, and a long one in blocks of 256."""
    assert "cached_tokens" not in chat(kimi).json["usage"]
    again = chat(kimi).json["usage"]
    assert again["cached_tokens"] == again["prompt_tokens"] == again["prompt_tokens_details"]["cached_tokens"]
    assert "cached_tokens" not in chat(kimi, reasoning_effort="low").json["usage"]
    long = [{"role": "system", "content": "word " * 400}, *HELLO]
    chat(kimi, messages=long)
    assert chat(kimi, messages=[*long[:1], {"role": "user", "content": "Other"}]).json["usage"]["cached_tokens"] == 256
