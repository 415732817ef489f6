"""Images behind URLs, fetched on request: what is fetched, from where, and what never is."""

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

from kimi_openai import remote_images
from kimi_openai.emulator import Emulator
from kimi_openai.errors import CompatError
from kimi_openai.remote_images import fetch, is_public

from .conftest import Mode
from .programs.vision import PIXEL

AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("images.test", "inside.test")

PUBLIC, PRIVATE = "93.184.216.34", "10.0.0.7"
HOSTS = {"images.test": [PUBLIC], "inside.test": [PRIVATE], "both.test": [PUBLIC, "::1"]}
IMAGE = f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"

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
}


class Handler(BaseHTTPRequestHandler):
    """Answers with a page, or slowly for ever."""

    def do_GET(self) -> None:
        """The page of the path without its query."""
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
        """A byte now and then, so that no single read takes long."""
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
        """Nothing."""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """An internet of the hosts above, all of one server; the addresses that were connected to."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATE.configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    connected: list[tuple[str, int]] = []
    real_look_up, real_connect = socket.getaddrinfo, socket.create_connection

    def look_up(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        if host not in HOSTS:
            return real_look_up(host, port, *rest, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in HOSTS[host]]

    def connect(address: Any, *rest: Any, **options: Any) -> socket.socket:
        if address[0] not in (PUBLIC, PRIVATE):
            return real_connect(address, *rest, **options)
        connected.append(address)
        return real_connect(server.server_address[:2], *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    monkeypatch.setattr(remote_images, "tls_context", lambda: trusting)
    yield connected
    server.shutdown()
    server.server_close()


def test_an_image_becomes_a_data_url(web: list[tuple[str, int]]) -> None:
    """Over the address that was checked, also after a redirect within the public internet."""
    assert fetch("https://images.test/ok.png?a=1") == IMAGE
    assert fetch("https://images.test:444/moved") == IMAGE
    assert web == [(PUBLIC, 443), (PUBLIC, 444), (PUBLIC, 444)]


REFUSED = {
    "http://images.test/ok.png": "only https",
    "https://user:pass@images.test/ok.png": "only https",
    "ftp://images.test/ok.png": "only https",
    "https://127.0.0.1/ok.png": "not on the public internet",
    "https://localhost/ok.png": "not on the public internet",
    "https://[::1]/ok.png": "not on the public internet",
    "https://169.254.169.254/latest/meta-data": "not on the public internet",
    "https://2130706433/ok.png": "not on the public internet",
    "https://inside.test/ok.png": "not on the public internet",
    "https://both.test/ok.png": "not on the public internet",
    "https://images.test/inside": "not on the public internet",
    "https://images.test/plain": "only https",
    "https://images.test/circle": "more than 3 redirects",
    "https://images.test/page": "no image",
    "https://images.test/lie.png": "no image",
    "https://images.test/drawing.svg": "no image",
    "https://images.test/gone": "answers 404",
    "https://images.test/large.png": "larger than",
    "https://images.test:0x/ok.png": "Port",
    "https:///ok.png": "only https",
}


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_not_fetched(web: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """No other scheme, no address that is not public, no size, type or number of redirects beyond the limits."""
    monkeypatch.setattr(remote_images, "MAX_BYTES", 4000)
    with pytest.raises((ValueError, OSError), match=REFUSED[url]):
        fetch(url)
    assert PRIVATE not in dict(web)


def test_a_slow_server_is_left_at_the_deadline(web: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is on the whole fetch, however busily the bytes drip."""
    monkeypatch.setattr(remote_images, "MAX_SECONDS", 0.3)
    with pytest.raises((ValueError, OSError)):
        fetch("https://images.test/slow.png")
    assert len(web) == 1


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.2", "0.0.0.0", "169.254.169.254", "100.64.0.1"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:0:7f00:1::"),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    """Neither the plain ones nor IPv4 wrapped in IPv6."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", PUBLIC, "2606:4700:4700::1111"])
def test_addresses_that_are_public(address: str) -> None:
    """What the internet is made of."""
    assert is_public(address)


def asking(*urls: str) -> dict[str, Any]:
    """A question about images, in both forms of the part."""
    parts: list[Any] = [{"type": "image_url", "image_url": {"url": url, "detail": "low"}} for url in urls[:1]]
    parts += [{"type": "image_url", "image_url": url} for url in urls[1:]]
    return {"model": "kimi-k3", "messages": [{"role": "user", "content": [{"type": "text", "text": "?"}, *parts]}]}


def test_a_client_that_may_fetch_puts_them_in(kimi: Emulator, mode: Mode, web: list[tuple[str, int]]) -> None:
    """Once for each URL, with nothing of the caller's touched; asked for, so no note even with strict."""
    client = mode.client(kimi, fetch_images=True, compat="strict")
    body = asking("https://images.test/ok.png", "https://images.test/ok.png")
    mode.run(client.chat.completions.create(**body))
    parts = kimi.chats[0]["messages"][0]["content"]
    assert parts[1:] == [
        {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
        {"type": "image_url", "image_url": IMAGE},
    ]
    assert body == asking("https://images.test/ok.png", "https://images.test/ok.png")
    assert len(web) == 1


def test_what_cannot_be_fetched_is_said(kimi: Emulator, mode: Mode, web: list[tuple[str, int]]) -> None:
    """With the place, the reason and the way out, without the query; without the option nothing is fetched at all."""
    body = asking("https://images.test/gone?signature=secret")
    with pytest.raises(CompatError, match="answers 404") as caught:
        mode.run(mode.client(kimi, fetch_images=True).chat.completions.create(**body))
    assert caught.value.notes[0].where == "messages.0.content.1"
    assert "secret" not in str(caught.value)
    connections = len(web)
    with pytest.raises(CompatError, match="fetch_images=True"):
        mode.run(mode.client(kimi).chat.completions.create(**body))
    assert len(web) == connections
    assert kimi.requests == []
