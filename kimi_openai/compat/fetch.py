"""Downloads an image from an https URL, for `images`.

Whoever writes the prompt chooses where this machine connects to. So: https only, public addresses only, and the
connection goes to the very address that was checked, also after a redirect. Size, time and redirects are limited, only
images are accepted, and no proxy is used. No error contains the URL or a part of it: it may hold a password or a
signature.
"""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import lru_cache
from threading import Timer
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from kimi_openai.messages.media import IMAGE_TYPES, media_type_of

from .addresses import is_public

__all__ = ["fetch_image"]

MAX_BYTES = 20 * 1024 * 1024
MAX_SECONDS = 30.0
MAX_REDIRECTS = 3

REDIRECTS = (301, 302, 303, 307, 308)

URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
"""Reserved characters, which stay as they are in a path. All others are percent-encoded, such as spaces."""


def fetch_image(url: str) -> str:
    """The image at `url` as a data URL.

    At most 20 MB, 30 s and 3 redirects. Raises `ValueError` if the URL or the answer is not accepted, `OSError` or
    `http.client.HTTPException` if the connection fails.
    """
    deadline = time.monotonic() + MAX_SECONDS
    for _ in range(MAX_REDIRECTS + 1):
        connection = _connection(url, deadline)
        try:
            with _response(connection, url) as response:
                if response.status not in REDIRECTS:
                    return _image(response, deadline)
                url = _joined(url, response.headers.get("location", ""))
        finally:
            connection.finish()
    raise ValueError(f"more than {MAX_REDIRECTS} redirects")


def _connection(url: str, deadline: float) -> _Connection:
    parts, port = _parts(url)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise ValueError("only https URLs without a user name are fetched")
    return _Connection(parts.hostname, port, _address(parts.hostname, port), deadline)


def _parts(url: str) -> tuple[SplitResult, int]:
    """The parts of the URL and its port. Python's own errors would quote what is wrong in it."""
    with _no_url_in_errors():
        parts = urlsplit(url)
        return parts, parts.port or 443


def _joined(url: str, location: str) -> str:
    with _no_url_in_errors():
        return urljoin(url, location)


@contextmanager
def _no_url_in_errors() -> Generator[None, None, None]:
    try:
        yield
    except ValueError:
        raise ValueError("it has a URL that cannot be read") from None


def _response(connection: http.client.HTTPConnection, url: str) -> http.client.HTTPResponse:
    parts, _ = _parts(url)
    path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=URL_CHARACTERS)
    connection.request("GET", path, headers={"Accept": "image/*", "User-Agent": "kimi-openai"})
    return connection.getresponse()


def _image(response: http.client.HTTPResponse, deadline: float) -> str:
    """The data URL. Both the content type and the first bytes must be those of an image that Kimi reads."""
    if response.status != http.client.OK:
        raise ValueError(f"its server answers {response.status}")
    content = response.read(MAX_BYTES + 1)
    if time.monotonic() > deadline:
        raise TimeoutError(f"it takes longer than {MAX_SECONDS:g} s")
    if len(content) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES // 1024 // 1024} MB")
    declared, found = response.headers.get_content_type(), media_type_of(content, "")
    if declared not in IMAGE_TYPES or found not in IMAGE_TYPES:
        raise ValueError(f"it is no image that Kimi reads ({declared})")
    return f"data:{found};base64,{base64.b64encode(content).decode('ascii')}"


class _Connection(http.client.HTTPSConnection):
    """A connection to a checked address that is shut down at the deadline, even while the server still sends."""

    def __init__(self, host: str, port: int, address: str, deadline: float) -> None:
        left = max(deadline - time.monotonic(), 0.001)
        super().__init__(host, port, timeout=left)
        self._address = address
        self._timer = Timer(left, self._shut_down)
        self._timer.daemon = True
        self._secure: socket.socket | None = None

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self._timer.start()
        self._secure = self.sock = tls_context().wrap_socket(plain, server_hostname=self.host)

    def finish(self) -> None:
        """Stops the timer and closes the connection. `close` cannot do it: `http.client` calls it before the body is
        read."""
        self._timer.cancel()
        self.close()

    def _shut_down(self) -> None:
        if self._secure is not None:
            with suppress(OSError):
                self._secure.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """The system's certificates."""
    return ssl.create_default_context()


def _address(host: str, port: int) -> str:
    """The address to connect to. Raises `ValueError` if any address of the host is not public."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found or not all(map(is_public, found)):
        raise ValueError("its host is not on the public internet")
    return found[0]
