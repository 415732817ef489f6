"""`web`: an HTTPS server that stands for the hosts of the tests, so that no test reaches the internet."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trustme

from kimi_openai.compat import fetch
from tests.programs.vision import PIXEL

pytest.register_assert_rewrite("tests.compat.bodies")

AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("images.test", "inside.test")

PUBLIC, PRIVATE = "93.184.216.34", "10.0.0.7"
HOSTS = {"images.test": [PUBLIC], "inside.test": [PRIVATE], "both.test": [PUBLIC, "::1"]}

IMAGE = f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
"""The image at /ok.png as a data URL."""

PAGES: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/ok.png": (200, {"Content-Type": "image/png"}, PIXEL),
    "/moved": (302, {"Location": "/ok.png"}, b""),
    "/inside": (307, {"Location": "https://inside.test/ok.png"}, b""),
    "/plain": (301, {"Location": "http://images.test/ok.png"}, b""),
    "/circle": (302, {"Location": "/circle"}, b""),
    "/page": (200, {"Content-Type": "text/html"}, b"<html>"),
    "/lie.png": (200, {"Content-Type": "image/png"}, b"<html>"),
    "/drawing.svg": (200, {"Content-Type": "image/svg+xml"}, b"<svg/>"),
    "/large.png": (200, {"Content-Type": "image/png"}, PIXEL + bytes(5000)),
    "/gone": (404, {}, b""),
    "/bad-location": (302, {"Location": "https://me:[secret]@images.test/"}, b""),
}


class Handler(BaseHTTPRequestHandler):
    """Answers with one of the pages; /slow.png never ends."""

    def do_GET(self) -> None:
        """Finds the page by its path without the query."""
        if self.path == "/slow.png":
            self.drip()
            return
        status, headers, content = PAGES[self.path.partition("?")[0]]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def drip(self) -> None:
        """Sends one byte at a time, so that no single read takes long."""
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        try:
            for _ in range(200):
                self.wfile.write(b"x")
                time.sleep(0.02)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        """Prints nothing."""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """Makes the server answer for all hosts; the value lists the addresses that were connected to."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATE.configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    connected: list[tuple[str, int]] = []
    real_getaddrinfo, real_connect = socket.getaddrinfo, socket.create_connection

    def getaddrinfo(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        if host not in HOSTS:
            return real_getaddrinfo(host, port, *rest, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in HOSTS[host]]

    def connect(address: Any, *rest: Any, **options: Any) -> socket.socket:
        if address[0] not in (PUBLIC, PRIVATE):
            return real_connect(address, *rest, **options)
        connected.append(address)
        return real_connect(server.server_address[:2], *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", connect)
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    monkeypatch.setattr(fetch, "tls_context", lambda: trusting)
    yield connected
    server.shutdown()
    server.server_close()
