"""The client of a run, and what lets one coroutine use both kinds of client."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from inspect import isawaitable
from typing import Any

import openai

from kimi_openai import create_async_client, create_client

from .plans import Plan

__all__ = ["Both", "client_of", "each", "now", "outcome"]

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading the real ones for each run would keep the event loop busy."""


def client_of(plan: Plan, port: int) -> Any:
    """The client of a plan, which names its run in every request."""
    options: dict[str, Any] = dict(plan.options)
    if plan.transport != "default":
        options["http_client"] = _http_client(plan)
    make: Any = create_async_client if plan.is_async else create_client
    headers = {"x-chaos-run": str(plan.seed)}
    return make(base_url=f"http://127.0.0.1:{port}/v1", default_headers=headers, env_file=None, **options)


def _http_client(plan: Plan) -> Any:
    """The SDK's HTTP client of the plan's transport; httpx where aiohttp is not installed."""
    options: Any = {"verify": NO_CERTIFICATES}
    if not plan.is_async:
        return openai.DefaultHttpxClient(**options)
    if plan.transport == "aiohttp":
        try:
            return openai.DefaultAioHttpClient(**options)
        except RuntimeError:
            pass
    return openai.DefaultAsyncHttpxClient(**options)


def outcome(coroutine: Any) -> Any:
    """The result of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("a synchronous client had to be waited for")


async def now(value: Any) -> Any:
    """The value, awaited if it must be."""
    return await value if isawaitable(value) else value


async def each(iterable: Any) -> AsyncIterator[Any]:
    """The items of an iterator of either kind."""
    if hasattr(iterable, "__aiter__"):
        async for item in iterable:
            yield item
    else:
        for item in iterable:
            yield item


class Both:
    """A context manager of either kind, to be entered with `async with`."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager
        self.is_async = hasattr(manager, "__aenter__")

    async def __aenter__(self) -> Any:
        return await self.manager.__aenter__() if self.is_async else self.manager.__enter__()

    async def __aexit__(self, *error: Any) -> Any:
        return await self.manager.__aexit__(*error) if self.is_async else self.manager.__exit__(*error)
