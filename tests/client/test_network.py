"""network.py: the private names it needs, and how another thread ends what waits. `test_limits.py` has the time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from typing import Any

import openai
import pytest
import trustme

from kimi_openai import StreamCutError, create_client
from kimi_openai.client.network import Limit, _Backend, limit_waits, waiting_under
from kimi_openai.emulator import Emulator, say, slow, stall
from kimi_openai.retry.deadline import Deadline
from tests.servers import MakeScripted

ASK: Any = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}


def test_the_private_names_of_the_http_library_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a new library renames them, patience is weaker and this fails. Each proxy has a pool of its own."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "example.com")
    http: Any = openai.DefaultHttpxClient()
    assert limit_waits(http)
    assert isinstance(http._transport._pool._network_backend, _Backend)
    mounted = [each._pool._network_backend for each in http._mounts.values() if each is not None]
    assert mounted
    assert all(isinstance(each, _Backend) for each in mounted)
    inner = http._transport._pool._network_backend._inner
    assert limit_waits(http)
    assert http._transport._pool._network_backend._inner is inner


def test_without_them_nothing_changes() -> None:
    """Neither for a client of another library."""

    class Other:
        _transport = object()

    assert not limit_waits(Other())


def test_a_connection_that_comes_too_late_is_closed(kimi: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that connects outlives the call."""
    may_connect, made = threading.Event(), threading.Event()
    connect, connections = socket.create_connection, []

    def late(*args: Any, **options: Any) -> socket.socket:
        may_connect.wait(20)
        connections.append(connect(*args, **options))
        made.set()
        return connections[0]

    monkeypatch.setattr(socket, "create_connection", late)
    client = create_client(base_url=kimi.base_url, api_key=kimi.api_key, patience=0.2)
    with pytest.raises(openai.APITimeoutError, match=r"patience=0\.2"):
        client.models.list()
    may_connect.set()
    assert made.wait(20)
    for _ in range(500):
        if connections[0].fileno() == -1:
            break
        threading.Event().wait(0.01)
    assert connections[0].fileno() == -1
    assert kimi.requests == []
    client.close()


def in_thread(work: Any) -> tuple[threading.Thread, list[Any]]:
    """The thread that does `work`, and a list that gets its result or its exception."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, results


def silent() -> Iterable[bytes | float]:
    return [20.0]


def test_stop_ends_the_wait_of_another_thread(scripted: MakeScripted) -> None:
    """The head of an answer is waited for; what follows fails at once."""
    server = scripted(silent)
    http = openai.DefaultHttpxClient()
    limit_waits(http)
    limit = Limit()

    def ask() -> Any:
        with waiting_under(limit):
            return http.get(server.base_url)

    thread, results = in_thread(ask)
    assert server.asked.wait(20)
    limit.stop()
    thread.join(20)
    assert isinstance(results[0], Exception)
    assert not server.is_over.is_set()
    thread, results = in_thread(ask)
    thread.join(20)
    assert "ended by close()" in str(results[0])
    http.close()


def test_stop_leaves_the_connection_of_the_next_call(kimi: Emulator) -> None:
    """Connections are used again, and belong to whoever wrote last."""
    http = openai.DefaultHttpxClient()
    limit_waits(http)
    first, second = Limit(), Limit()
    url = f"{kimi.base_url}/models"
    headers = {"authorization": f"Bearer {kimi.api_key}"}
    for limit in (first, second):
        with waiting_under(limit):
            assert http.get(url, headers=headers).status_code == 200
    first.stop()
    with waiting_under(second):
        assert http.get(url, headers=headers).status_code == 200
    assert len({id(each) for each in http._transport._pool.connections}) == 1  # type: ignore[attr-defined]
    http.close()


def test_a_deadline_that_has_passed_ends_a_read_with_data(kimi: Emulator) -> None:
    """Not only a wait."""
    http = openai.DefaultHttpxClient()
    limit_waits(http)
    limit = Limit()
    limit.deadline = Deadline(1e-9)
    with waiting_under(limit), pytest.raises(Exception, match="no time") as caught:
        http.get(kimi.base_url)
    assert "Timeout" in type(caught.value).__name__
    http.close()


@pytest.mark.parametrize("kind", ["ours", "callers"])
@pytest.mark.parametrize("how", ["typed", "helper", "raw"])
def test_close_ends_a_stream_that_another_thread_reads(kimi: Emulator, how: str, kind: str) -> None:
    """The SDK's streams too. The reader gets `StreamCutError`, an `APIConnectionError` as in the SDK."""
    kimi.fail(stall(4))
    kimi.script(say("one two three four five"))
    http = openai.DefaultHttpxClient() if kind == "callers" else None
    client = create_client(base_url=kimi.base_url, api_key=kimi.api_key, http_client=http)
    begun = threading.Event()
    completions = client.chat.completions
    if how == "helper":
        manager = completions.stream(**ASK)
        stream: Any = manager.__enter__()
    elif how == "raw":
        stream = completions.with_raw_response.create(**ASK, stream=True).parse()
    else:
        stream = completions.create(**ASK, stream=True)

    def read() -> None:
        for _ in stream:
            begun.set()

    thread, results = in_thread(read)
    assert begun.wait(20)
    threading.Event().wait(0.1)  # until it waits for the next chunk
    stream.close()
    thread.join(20)
    assert isinstance(results[0], StreamCutError)
    client.close()


def test_the_client_may_be_closed_while_a_stream_is_read(kimi: Emulator) -> None:
    """As by a program that ends."""
    kimi.fail(stall(4))
    kimi.script(say("one two three four five"))
    client = create_client(base_url=kimi.base_url, api_key=kimi.api_key)
    chunks = client.chat.completions.create(**ASK, stream=True)
    begun = threading.Event()

    def read() -> None:
        for _ in chunks:
            begun.set()

    thread, results = in_thread(read)
    assert begun.wait(20)
    threading.Event().wait(0.1)
    client.close()
    thread.join(20)
    assert isinstance(results[0], StreamCutError)


@pytest.mark.parametrize("patience", [None, 20])
def test_it_all_works_over_tls(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, patience: float | None) -> None:
    """The handshake, large bodies in both directions, and the end of a read by another thread."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    sent = tls_server(authority.issue_cert("localhost"))
    client = create_client(base_url=f"https://localhost:{sent.port}/v1", api_key="sk-1", patience=patience)
    content = b"x" * 3_000_000
    assert client.files.create(file=("a.txt", content), purpose="file-extract").id == "f"
    assert content in sent.body
    chunks = client.chat.completions.create(**ASK, stream=True)
    thread, results = in_thread(lambda: list(chunks))
    assert sent.is_streaming.wait(20)
    threading.Event().wait(0.1)
    chunks.close()
    thread.join(20)
    assert isinstance(results[0], StreamCutError)
    client.close()


class tls_server:
    """Answers an upload with a file and a chat with a stream that never ends."""

    def __init__(self, certificate: Any) -> None:
        import ssl

        self.body, self.is_streaming = b"", threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._context = context
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        plain, _ = self._listener.accept()
        with self._context.wrap_socket(plain, server_side=True) as connection, connection.makefile("rb") as request:
            self.body = self._read(request)
            answer = b'{"id": "f", "object": "file"}'
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
            connection.sendall(b"content-length: %d\r\n\r\n%s" % (len(answer), answer))
            self._read(request)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: hello\n\n")
            self.is_streaming.set()
            connection.settimeout(20)
            connection.recv(1)
        self._listener.close()

    @staticmethod
    def _read(request: Any) -> bytes:
        head = b"".join(iter(request.readline, b"\r\n")).lower()
        length = next(line for line in head.splitlines() if line.startswith(b"content-length"))
        body: bytes = request.read(int(length.partition(b":")[2]))
        return body


def test_a_slow_answer_is_read_to_its_end(kimi: Emulator) -> None:
    """Without patience there is no limit but the SDK's."""
    kimi.fail(slow(0.02))
    client = create_client(base_url=kimi.base_url, api_key=kimi.api_key)
    chunks = list(client.chat.completions.create(**ASK, stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"
    client.close()
