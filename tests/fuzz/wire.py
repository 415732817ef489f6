"""How damaged answers reach a client: a transport in memory, and a server on loopback. Both ask one `Exchange`."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Any

from kimi_openai.client.http_library import http_library

from .answers import Answer, Values, damaged

__all__ = ["Exchange", "Server", "Transport"]

LIBRARY = http_library()
PATHS = {
    "/chat/completions": "completion",
    "/responses": "response",
    "/models": "models",
    "/files": "files",
    "/batches": "batches",
    "/users/me/balance": "balance",
    "/tokenizers/estimate-token-count": "estimate",
}


STREAMS = {"completion": "stream", "response": "response_stream"}


class Exchange:
    """The answers to the requests of one run: each is damaged in its own way, decided by the seed and its number."""

    def __init__(self, good: Mapping[str, Sequence[Values]]) -> None:
        self.good = good
        self.begin("")

    def begin(self, seed: str) -> None:
        """The next run."""
        self.seed, self.requests = seed, 0
        self.damage = Random(seed).choice(("each", "each", "each", "first"))

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        self.requests += 1
        kind = kind_of(method, path.partition("?")[0].partition("/v1")[2], body)
        random = Random(f"{self.seed} {self.requests}")
        if self.requests > 1 and self.damage == "first":
            return whole(self.good[kind][self.requests % len(self.good[kind])], kind)
        return damaged(random, kind, self.good)


def kind_of(method: str, path: str, body: bytes) -> str:
    """The kind of answer that a request asks for."""
    if path.endswith("/content"):
        return "content"
    if method == "DELETE":
        return "file_deleted"
    kind = PATHS.get(path) or {"models": "model", "files": "file"}.get(path.strip("/").partition("/")[0], "completion")
    if kind in STREAMS and (b'"stream":true' in body or b'"stream": true' in body):
        return STREAMS[kind]
    return {"files": "file", "batches": "batch"}.get(kind, kind) if method == "POST" else kind


def whole(values: Values, kind: str) -> Answer:
    if not kind.endswith("stream"):
        return Answer(200, {"content-type": "application/json"}, (json.dumps(values[0]).encode(),))
    events = b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values)
    return Answer(200, {"content-type": "text/event-stream"}, (events + b"data: [DONE]\n\n",))


class Body(LIBRARY.SyncByteStream, LIBRARY.AsyncByteStream):  # type: ignore[misc]
    """The body of an answer, which may break."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self.answer.pieces
        if self.answer.breaks:
            raise getattr(LIBRARY, self.answer.breaks)("broken")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


class Transport(LIBRARY.BaseTransport, LIBRARY.AsyncBaseTransport):  # type: ignore[misc]
    """Brings the answers of an exchange from memory."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def handle_request(self, request: Any) -> Any:
        answer = self.exchange.answer(request.method, request.url.raw_path.decode(), request.read())
        headers = [(name, value.encode("latin-1", "replace")) for name, value in answer.headers.items()]
        return LIBRARY.Response(answer.status, headers=headers, stream=Body(answer), request=request)

    async def handle_async_request(self, request: Any) -> Any:
        await request.aread()
        return self.handle_request(request)

    def client(self, is_async: bool) -> Any:
        kind = LIBRARY.AsyncClient if is_async else LIBRARY.Client
        return kind(transport=self, follow_redirects=True)


class Server:
    """Brings the answers of an exchange over sockets. Every connection ends with its answer."""

    def __init__(self, answer: Callable[[str, str, bytes], Answer]) -> None:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                method, path, _ = self.rfile.readline().decode().split(" ", 2)
                length, line = 0, b""
                while line := self.rfile.readline().strip().lower():
                    if line.startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                with suppress(ConnectionError):  # the client may have had enough
                    send(self.connection, answer(method, path, self.rfile.read(length)))

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def send(connection: socket.socket, answer: Answer) -> None:
    """The answer as bytes; one that breaks says that it is longer than it is."""
    headers = {"content-length": str(len(answer.body) + bool(answer.breaks)), "connection": "close", **answer.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    bodiless = answer.status in (204, 304)
    connection.sendall(f"HTTP/1.1 {answer.status} X\r\n{head}\r\n".encode("latin-1", "replace"))
    for piece in () if bodiless else answer.pieces:
        connection.sendall(piece)
