"""Images behind https URLs, fetched and put into the request, for clients made with `fetch_images=True`.

Kimi fetches nothing itself. Fetching what a prompt names means that whoever writes the prompt chooses where this
machine connects to, so: https only, public addresses only, and the connection goes to the very address that was
checked, also after a redirect; limits on size, time and redirects; nothing but images. No proxy is used. Next stop:
`compat`.
"""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Timer
from typing import Any
from urllib.parse import urljoin, urlsplit

import anyio.to_thread
import openai

from .changes import as_dict, as_list, fatal, is_object
from .errors import CompatError
from .flows import AnyClient, Flow
from .messages import IMAGE_TYPES, media_type_of

__all__ = ["fetch", "inlined"]

MAX_BYTES = 20 * 1024 * 1024
MAX_SECONDS = 30.0
MAX_REDIRECTS = 3

NAT64 = IPv6Network("64:ff9b::/96")

REDIRECTS = (301, 302, 303, 307, 308)


def inlined(client: AnyClient, body: dict[str, Any]) -> Flow[dict[str, Any]]:
    """The body with its remote images as data URLs, as a flow; a new one if there are any.

    Raises `CompatError` for an image that cannot be had. An image is fetched again for every request that names it.
    """
    places = {url: where for where, url in _remote(body)}
    if not places:
        return body
    work = partial(_fetch_all, places)
    fetched = yield anyio.to_thread.run_sync(work) if isinstance(client, openai.AsyncOpenAI) else work()
    return {**body, "messages": [_with_images(message, fetched) for message in body["messages"]]}


def _fetch_all(places: Mapping[str, str]) -> dict[str, str]:
    return {url: _fetched(url, where) for url, where in places.items()}


def _fetched(url: str, where: str) -> str:
    try:
        return fetch(url)
    except (OSError, ValueError, http.client.HTTPException) as problem:
        shown = url.partition("?")[0][:100]
        why = f"the image {shown} could not be fetched: {problem or type(problem).__name__}"
        note = fatal("remote_image", where, why, "pass the image itself: kimi_openai.image_part(path or bytes)")
        raise CompatError((note,)) from problem


def _remote(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for place, message in enumerate(as_list(body.get("messages"))):
        for number, part in enumerate(as_list(as_dict(message).get("content"))):
            url = _url(part)
            if url:
                yield f"messages.{place}.content.{number}", url


def _url(part: Any) -> str | None:
    """The http(s) URL of an image part."""
    image = as_dict(part).get("image_url") if as_dict(part).get("type") == "image_url" else None
    url = as_dict(image).get("url") if is_object(image) else image
    return url if isinstance(url, str) and url[:8].lower().startswith(("http://", "https://")) else None


def _with_images(message: Any, fetched: Mapping[str, str]) -> Any:
    content = as_dict(message).get("content")
    if not any(map(_url, as_list(content))):
        return message
    return {**message, "content": [_with_image(part, fetched) for part in as_list(content)]}


def _with_image(part: Any, fetched: Mapping[str, str]) -> Any:
    url = _url(part)
    if url is None:
        return part
    image = part["image_url"]
    return {**part, "image_url": {**image, "url": fetched[url]} if is_object(image) else fetched[url]}


def fetch(url: str) -> str:
    """The image at `url` as a data URL.

    At most 20 MB, 30 s and 3 redirects. Raises `ValueError` for what is not fetched, `OSError` and
    `http.client.HTTPException` for what goes wrong on the way.
    """
    deadline = time.monotonic() + MAX_SECONDS
    for _ in range(MAX_REDIRECTS + 1):
        connection = _connection(url, deadline)
        try:
            with _response(connection, url) as response:
                if response.status not in REDIRECTS:
                    return _image(response, deadline)
                url = urljoin(url, response.headers.get("location", ""))
        finally:
            connection.finish()
    raise ValueError(f"more than {MAX_REDIRECTS} redirects")


def _connection(url: str, deadline: float) -> _Connection:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise ValueError("only https URLs without a user name are fetched")
    port = parts.port or 443
    return _Connection(parts.hostname, port, _address(parts.hostname, port), deadline)


def _response(connection: http.client.HTTPConnection, url: str) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request("GET", path, headers={"Accept": "image/*", "User-Agent": "kimi-openai"})
    return connection.getresponse()


def _image(response: http.client.HTTPResponse, deadline: float) -> str:
    """The data URL; both the server and the first bytes must say that it is an image which Kimi reads."""
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
    """A connection to an address that was checked, cut at the deadline whatever the other side does."""

    def __init__(self, host: str, port: int, address: str, deadline: float) -> None:
        left = max(deadline - time.monotonic(), 0.001)
        super().__init__(host, port, timeout=left)
        self._address = address
        self._timer = Timer(left, self._cut)
        self._timer.daemon = True
        self._wire: socket.socket | None = None

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self._timer.start()
        self._wire = self.sock = tls_context().wrap_socket(plain, server_hostname=self.host)

    def finish(self) -> None:
        """Close it. (`close` is not the end: the response still reads then.)"""
        self._timer.cancel()
        self.close()

    def _cut(self) -> None:
        if self._wire is not None:
            with suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """What certificates are checked against: the system's."""
    return ssl.create_default_context()


def _address(host: str, port: int) -> str:
    """The address to connect to. A name of which any address is not public is refused."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found or not all(map(is_public, found)):
        raise ValueError("its host is not on the public internet")
    return found[0]


def is_public(address: str) -> bool:
    """Whether an address is on the public internet: not loopback, private, link-local, multicast or a way around that.

    >>> [is_public(a) for a in ("8.8.8.8", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::7f00:1")]
    [True, False, False, False, False]
    """
    parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if parsed.sixtofour is not None or parsed.teredo is not None or parsed in NAT64:
            return False  # each of these carries an IPv4 address on to a gateway
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved
