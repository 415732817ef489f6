"""A server with fixed answers, for wire shapes that the emulator did not make. Standard library only, on loopback."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Answer = Any
"""A JSON value, bytes sent as they are, or a function from query to JSON value."""


class Answering:
    """Answers every request with the same status, body and headers; `requests` has (method, path, body) of each.
    `ports` has the client's port of each request, `closed_ports` that of each connection that ended.

    `then` is the answer (200) for any path that does not begin with `/v1`, where a redirect may lead.
    """

    def __init__(self, status: int, answer: Answer, headers: Mapping[str, str], then: Answer) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self.ports: list[int] = []
        self.closed_ports: list[int] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                while self.headers.get("Transfer-Encoding") and (size := int(self.rfile.readline(), 16)):
                    body += self.rfile.read(size + 2)[:-2]
                url = urlsplit(self.path)
                server.requests.append((self.command, url.path, body))
                server.ports.append(self.client_address[1])
                moved = then is not None and not url.path.startswith("/v1")
                self.reply(200 if moved else status, then if moved else answer, {} if moved else headers, url.query)

            def finish(self) -> None:
                super().finish()
                server.closed_ports.append(self.client_address[1])

            def reply(self, code: int, value: Answer, extra: Mapping[str, str], query: str) -> None:
                if callable(value):
                    value = value(dict(parse_qsl(query)))
                content = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(code)
                for name, text in {"Content-Type": "application/json; charset=utf-8", **extra}.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


MakeAnswering = Callable[..., Answering]


class Scripted:
    """Answers the first request of each connection with the steps of `script`: bytes are sent, numbers are pauses in
    seconds, which end early when the server is closed. The connection is closed after the last step.

    `heads` are the heads of the requests. `reads_body=False`: the body is left in the socket, so that the client
    cannot send a large one. `is_over` is set when the steps of a connection were all played.
    """

    def __init__(self, script: Callable[[], Iterable[bytes | float]], *, reads_body: bool = True) -> None:
        self.heads: list[bytes] = []
        self.asked, self.is_over = threading.Event(), threading.Event()
        self._script, self._reads_body = script, reads_body
        self._is_closed = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def close(self) -> None:
        self._is_closed.set()
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as request, suppress(OSError):
            head = b"".join(iter(request.readline, b"\r\n"))
            length = next((line for line in head.lower().splitlines() if line.startswith(b"content-length")), b":0")
            if self._reads_body:
                request.read(int(length.partition(b":")[2]))
            self.heads.append(head)
            self.asked.set()
            for step in self._script():
                if isinstance(step, bytes):
                    connection.sendall(step)
                else:
                    self._is_closed.wait(step)
            self.is_over.set()


MakeScripted = Callable[..., Scripted]
