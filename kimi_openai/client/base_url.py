"""The base URLs of Kimi's two regions, and the check of a base URL before a client uses it.

Pure functions. `settings.py` decides which base URL is used. No message contains a user name, a password or a key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from kimi_openai._internal.secrets import shown, shown_url
from kimi_openai.errors.exceptions import SettingsError

__all__ = [
    "BASE_URLS",
    "Region",
    "check_base_url",
    "check_destination",
    "has_loopback_host",
    "is_loopback",
    "is_moonshots",
    "is_openais",
    "region_of",
]

Region = Literal["ai", "cn"]

BASE_URLS: Mapping[Region, str] = {"ai": "https://api.moonshot.ai/v1", "cn": "https://api.moonshot.cn/v1"}
"""The two regions of the Open Platform. They do not share keys, accounts and balances (platform docs, overview)."""


def region_of(base_url: str) -> Region | None:
    """The region whose host is in `base_url`, `None` if it is another host.

    >>> region_of("https://api.moonshot.cn/v1")
    'cn'
    """
    host = _host_of(base_url)
    return next((region for region, url in BASE_URLS.items() if urlsplit(url).hostname == host), None)


def is_moonshots(base_url: str) -> bool:
    """Whether it is exactly the base URL of one of the two regions.

    >>> is_moonshots("https://api.moonshot.ai/v1/"), is_moonshots("https://api.moonshot.ai.example/v1")
    (True, False)
    """
    return base_url.strip().rstrip("/") in BASE_URLS.values()


@lru_cache(maxsize=64)
def is_openais(base_url: str) -> bool:
    """Whether a base URL is at OpenAI's API, with any scheme, port and path, or with none.

    >>> is_openais("https://api.openai.com/v1"), is_openais("api.openai.com"), is_openais("https://api.moonshot.ai/v1")
    (True, True, False)
    """
    text = base_url.strip()
    host = (_host_of(text if "//" in text else f"//{text}") or "").rstrip(".")
    return host == "api.openai.com" or host.endswith(".api.openai.com")


@lru_cache(maxsize=64)  # asked for each request
def is_loopback(host: str) -> bool:
    """Whether a host name or an address is this machine's own.

    >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("127.0.0.1.example.com")
    (True, True, True, False)
    """
    host = host.lower()
    if re.fullmatch(r"(?:[a-z0-9-]+\.)*localhost", host):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def has_loopback_host(base_url: str) -> bool:
    """`is_loopback` of the host of a URL.

    >>> has_loopback_host("http://127.0.0.1:8765/v1")
    True
    """
    return is_loopback(_host_of(base_url) or "")


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def check_base_url(url: str, *, allow_http: bool = False) -> None:
    """Raises `SettingsError` if requests to `url` cannot work, would send the key unencrypted, or would go to OpenAI.

    >>> check_base_url("https://api.moonshot.ai")
    Traceback (most recent call last):
    ...
    kimi_openai.errors.SettingsError: base URL 'https://api.moonshot.ai' has no /v1; write 'https://api.moonshot.ai/v1'
    """
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:  # its text may quote a password
        raise SettingsError(f"base URL is not a URL; write '{BASE_URLS['ai']}'") from None
    problem = (
        _form_problem(url, parts)
        or _path_problem(parts.path, shown_url(url))
        or _http_problem(parts, shown_url(url), allow_http)
    )
    if problem:
        raise SettingsError(f"base URL {problem}")


def check_destination(scheme: str, host: str, *, allow_http: bool) -> None:
    """Raises `SettingsError` if a request that is about to be sent would go to OpenAI, or unencrypted to another host.

    >>> check_destination("https", "api.moonshot.ai", allow_http=False)
    """
    if is_openais(host):
        raise SettingsError("the request is for OpenAI's API and was not sent: the key is Kimi's")
    if scheme == "http" and not allow_http and not is_loopback(host):
        raise SettingsError(f"the request would send the key in the clear to {shown_url(host)}; use https")


def _form_problem(url: str, parts: SplitResult) -> str | None:
    if re.search(r"[\s\\]", url) or parts.scheme not in ("http", "https") or not parts.hostname:
        return f"{shown(url)} is not an http(s) URL; write '{BASE_URLS['ai']}'"
    if "${" in url:
        return f"{shown(url)} has ${{...}} in it, which a .env file does not replace here; write the URL itself"
    if parts.username is not None or parts.query or parts.fragment:
        origin = shown_url(f"{parts.scheme}://{parts.netloc}")
        return f"{origin!r} carries a user name, a query or a fragment; leave them out (the key is a separate setting)"
    if is_openais(url):
        return f"{shown(url)} is OpenAI's; write '{BASE_URLS['ai']}'"
    return None


def _path_problem(path: str, url: str) -> str | None:
    region = region_of(url)
    if "v1" not in path.split("/"):
        return f"{url!r} has no /v1; write '{BASE_URLS[region] if region else url.rstrip('/') + '/v1'}'"
    if region and path.rstrip("/") != "/v1":
        return f"{url!r} is not the one of the platform's OpenAI API; write '{BASE_URLS[region]}'"
    if path.rstrip("/").endswith("/chat/completions"):
        return f"{url!r} is an endpoint; write {url.partition('/chat/completions')[0]!r}"
    return None


def _http_problem(parts: SplitResult, url: str, allow_http: bool) -> str | None:
    if parts.scheme == "https" or allow_http or is_loopback(parts.hostname or ""):
        return None
    https = url.replace("http:", "https:", 1)
    return f"{url!r} would send the key in the clear; write {https!r}, or pass allow_http=True if that is meant"
