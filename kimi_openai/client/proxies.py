"""Keeps requests to this machine out of the proxies of the environment, which would see the key and the prompt.

`HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY` are for the network; the HTTP library uses them for loopback addresses too,
unless `NO_PROXY` names each. Private name of the HTTP library in use, with a test that names it: `_mounts`.
"""

from __future__ import annotations

from typing import Any
from urllib.request import getproxies

from .base_url import is_loopback

__all__ = ["bypass_proxies_for_loopback"]


class _LoopbackPattern:
    """A key of the table in which an HTTP client looks up the proxy for a URL. It matches every loopback address."""

    def matches(self, url: Any) -> bool:
        """Whether the URL is one of this machine."""
        return is_loopback(url.host)


LOOPBACK = _LoopbackPattern()


def bypass_proxies_for_loopback(http: Any) -> None:
    """Make an HTTP client, which may be the caller's own, connect to loopback addresses itself.

    Only proxies that it took from the environment are bypassed. One that was passed to it, as `proxy=` or `mounts=`,
    stays in use, unless the environment names one for the same scheme.
    """
    mounts: dict[Any, Any] = getattr(http, "_mounts", None) or {}
    if not getattr(http, "trust_env", False):
        return
    proxies = getproxies()
    from_environment = {f"{scheme}://" for scheme in ("http", "https", "all") if proxies.get(scheme)}
    rows = list(mounts.items())
    general = [number for number, (key, _) in enumerate(rows) if getattr(key, "pattern", None) in from_environment]
    if general:
        first = general[0]  # more special ones, of the caller or of NO_PROXY, stand before it
        http._mounts = dict([*rows[:first], (LOOPBACK, None), *rows[first:]])
