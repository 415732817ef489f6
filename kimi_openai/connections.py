"""One HTTP connection pool per process and event loop, whichever HTTP library the installed SDK stands on.

The clients below are the SDK's own default HTTP clients whose `send` goes to a pool that fits where the call is made: a
child forked after the first request and a second `asyncio.run()` get a fresh pool, an event loop that ends closes its
own. They share one TLS context per process and keep connections warm. Nothing here knows Kimi; `client.py` uses them.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import weakref
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import openai

__all__ = ["async_http_client", "sync_http_client"]

KEEPALIVE_SECONDS = 120.0
"""How long an idle connection stays warm: a human's pause. A server that closes earlier is noticed before reuse."""


def sync_http_client() -> PooledClient:
    """An HTTP client for `openai.OpenAI(http_client=...)`."""
    return PooledClient(verify=_no_certificates())


def async_http_client() -> AsyncPooledClient:
    """An HTTP client for `openai.AsyncOpenAI(http_client=...)`, on aiohttp where the SDK's aiohttp transport is
    installed."""
    return AsyncPooledClient(verify=_no_certificates())


def _library() -> Any:
    """The SDK's HTTP library (httpx or httpx2), found through its default client's base class instead of by name."""
    names = (base.__module__.partition(".")[0] for base in openai.DefaultHttpxClient.__mro__)
    return sys.modules[next(name for name in names if name != "openai")]


def _pool_options() -> dict[str, Any]:
    limits = _library().Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=KEEPALIVE_SECONDS)
    return {"limits": limits, "verify": _certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))}


@lru_cache(maxsize=4)
def _certificates(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """The library's default context, loaded once (17 of the 18.6 ms that a client costs); the arguments are what it
    reads."""
    context: ssl.SSLContext = _library().create_ssl_context()
    return context


@lru_cache(maxsize=1)
def _no_certificates() -> ssl.SSLContext:
    """For the outer client, which never connects."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class PooledClient(openai.DefaultHttpxClient):
    """The SDK's default HTTP client with one pool per process."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._kimi_pools: dict[int, openai.DefaultHttpxClient] = {}

    def send(self, *args: Any, **options: Any) -> Any:
        """Send from this process's pool."""
        if self.is_closed:
            return super().send(*args, **options)  # raises what the library raises
        return self._kimi_pool().send(*args, **options)

    def close(self) -> None:
        """Close this process's connections; a parent's are left to the parent."""
        super().close()
        pool = self._kimi_pools.get(os.getpid())
        if pool is not None:
            pool.close()

    def _kimi_pool(self) -> openai.DefaultHttpxClient:
        pid = os.getpid()
        pool = self._kimi_pools.get(pid)
        if pool is None:
            new = openai.DefaultHttpxClient(event_hooks=self.event_hooks, **_pool_options())
            # setdefault is atomic: of two threads that come first together, both use the one that was stored.
            pool = self._kimi_pools.setdefault(pid, new)
            weakref.finalize(self, _close_in_process, pid, pool)
        return pool


def _close_in_process(pid: int, pool: openai.DefaultHttpxClient) -> None:
    """When its client is dropped, or at exit, a pool is closed by the process that opened it.

    Being an argument of a finaliser keeps the pool out of reach of the garbage collector, which would warn of open
    sockets. (The SDK's own finaliser is on a class that it uses only when it builds the HTTP client itself.)
    """
    if pid == os.getpid():
        pool.close()


@dataclass(frozen=True, slots=True)
class _Pool:
    http: openai.DefaultAsyncHttpxClient
    guard: AsyncGenerator[None, None]
    finalizer: weakref.finalize[Any, Any]


class AsyncPooledClient(openai.DefaultAsyncHttpxClient):
    """The SDK's default asynchronous HTTP client with one pool per event loop."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._kimi_pools: dict[Any, _Pool] = {}

    async def send(self, *args: Any, **options: Any) -> Any:
        """Send from the running loop's pool."""
        if self.is_closed:
            return await super().send(*args, **options)  # raises what the library raises
        loop = _running_loop()
        pool = self._kimi_pools.get(loop)
        if pool is None or pool.http.is_closed:
            pool = await self._kimi_open(loop)
        return await pool.http.send(*args, **options)

    async def aclose(self) -> None:
        """Close all connections, those of other loops in their loops."""
        await super().aclose()
        own = self._kimi_pools.pop(_running_loop(), None)
        if own is not None:
            own.finalizer.detach()
            await own.guard.aclose()
        for loop in tuple(self._kimi_pools):
            pool = self._kimi_pools.pop(loop, None)
            if pool is not None:
                pool.finalizer()

    async def _kimi_open(self, loop: Any) -> _Pool:
        for other in tuple(self._kimi_pools):  # other threads' loops come and go meanwhile
            ended = self._kimi_pools.pop(other, None) if other.is_closed() else None
            if ended is not None:
                ended.finalizer.detach()
        http = _async_pool_client(self.event_hooks)
        guard = _closed_with_its_loop(http)
        finalizer = weakref.finalize(self, _close_in_loop, loop, guard)
        finalizer.atexit = False
        pool = _Pool(http, guard, finalizer)
        self._kimi_pools[loop] = pool  # before the first await: no other task of this loop opens a second one
        await anext(guard)
        return pool


def _async_pool_client(event_hooks: Any) -> openai.DefaultAsyncHttpxClient:
    options = {"event_hooks": event_hooks, **_pool_options()}
    if _running_loop() is not NO_LOOP:  # aiohttp runs on asyncio only
        try:
            return openai.DefaultAioHttpClient(**options)
        except RuntimeError:  # the SDK's words for "the aiohttp extra is not installed"
            pass
    return openai.DefaultAsyncHttpxClient(**options)


async def _closed_with_its_loop(http: openai.DefaultAsyncHttpxClient) -> AsyncGenerator[None, None]:
    """Held open beside its pool: an event loop that shuts down closes the asynchronous generators started in it, and so
    the connections are closed in the loop that they belong to."""
    try:
        yield
    finally:
        await http.aclose()


def _close_in_loop(loop: Any, guard: AsyncGenerator[None, None]) -> None:
    """When its client is dropped, a pool is closed in its own loop, if that still runs."""
    if loop is not NO_LOOP and not loop.is_closed():
        loop.call_soon_threadsafe(loop.create_task, guard.aclose())


class _NoLoop:
    """Stands for "no asyncio loop is running" (trio)."""

    def is_closed(self) -> bool:
        return False


NO_LOOP = _NoLoop()


def _running_loop() -> Any:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return NO_LOOP
