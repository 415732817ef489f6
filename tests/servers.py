"""A server with fixed answers, for wire shapes that the emulator did not make. Standard library only, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Answer = Any
"""A JSON value, bytes sent as they are, or a function from query to JSON value."""


class Answering:
    """Answers every request with the same status, body and headers; `requests` has (method, path, body) of each.

    `then` is the answer (200) for any path that does not begin with `/v1`, where a redirect may lead.
    """

    def __init__(self, status: int, answer: Answer, headers: Mapping[str, str], then: Answer) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self.ports: list[int] = []
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

            do_GET = do_POST = do_DELETE = handle_any

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
