"""Each response on its way in, before the SDK sees it.

A hook on the HTTP client, which may be the caller's own and shared with others: it touches only responses to requests
that `client.py` marked with their `Call`. Pure decisions live elsewhere; here they become headers that the SDK obeys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from .options import Options

__all__ = ["CALL", "Call", "arrived", "arrived_async", "watch"]

CALL = "kimi_openai"
"""The name of the mark in `request.extensions`."""

REQUEST_ID_HEADERS = ("msh-request-id", "x-msh-trace-id", "x-trace-id")
"""Where Kimi names a request, best first; the SDK reads `x-request-id` (which is guaranteed is not documented)."""


@dataclass(slots=True)
class Call:
    """One call of the SDK's, through all its attempts."""

    options: Options

    @staticmethod
    @contextmanager
    def begin(options: Options) -> Iterator[Call]:
        """Make a call current for what runs inside: the attempts that the SDK makes for it."""
        call = Call(options)
        token = _current.set(call)
        try:
            yield call
        finally:
            _current.reset(token)

    @staticmethod
    def current() -> Call | None:
        """The call that is being made in this thread or task."""
        return _current.get()


_current: ContextVar[Call | None] = ContextVar("kimi_openai_call", default=None)


def watch(http: Any, hook: Callable[[Any], Any]) -> None:
    """Have `hook` called for every response of an HTTP client, once however many clients share it."""
    hooks = http.event_hooks["response"]
    if hook not in hooks:
        hooks.append(hook)


def arrived(response: Any) -> None:
    """The hook of a synchronous HTTP client; redirects come through here one by one."""
    if response.request.extensions.get(CALL) is not None:
        _name_request(response)
        _stay_at_origin(response)


async def arrived_async(response: Any) -> None:
    """The hook of an asynchronous HTTP client."""
    arrived(response)


def _name_request(response: Any) -> None:
    headers = response.headers
    found = next((headers[name] for name in REQUEST_ID_HEADERS if name in headers), None)
    if found is not None:
        headers.setdefault("x-request-id", found)


def _stay_at_origin(response: Any) -> None:
    """A redirect to another origin would carry the prompt there; without its `location` it is an error instead."""
    if response.has_redirect_location:
        here, there = response.url, response.url.join(response.headers["location"])
        if (here.scheme, here.host, here.port) != (there.scheme, there.host, there.port):
            del response.headers["location"]
