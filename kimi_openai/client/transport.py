"""HTTP clients with one connection pool per process and event loop, on the HTTP library of the installed SDK.

They are the SDK's own default HTTP clients, except that `send` uses the pool of the process and loop it is called in: a
child that was forked after the first request and a second `asyncio.run()` get a new pool, and an event loop that ends
closes its own. A pool is several small ones (`pools.py`). All of a process share one TLS context. Nothing here is about
Kimi.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import weakref
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import anyio
import openai

from .http_library import http_library
from .network import limit_waits
from .pools import AsyncPools, Pools
from .proxies import bypass_proxies_for_loopback

__all__ = ["AsyncPooledClient", "PooledClient"]

KEEPALIVE_SECONDS = 120.0
"""How long an idle connection is kept, for users who pause. If the server closes it earlier, the library notices."""


def _pool_options() -> dict[str, Any]:
    make_limits = http_library().Limits
    return {
        "limits": make_limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=KEEPALIVE_SECONDS),
        "verify": _certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
    }


@lru_cache(maxsize=4)
def _certificates(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """The library's default context. Loading it takes 17 of the 18.6 ms that a client costs, so it is done once for
    each value of the variables that name the certificates."""
    context: ssl.SSLContext = http_library().create_ssl_context()
    return context


@lru_cache(maxsize=1)
def _empty_tls_context() -> ssl.SSLContext:
    """For the outer client, which never connects: without certificates it costs nothing."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class PooledClient(openai.DefaultHttpxClient):
    """The SDK's default HTTP client with one pool per process."""

    def __init__(self) -> None:
        super().__init__(verify=_empty_tls_context())
        self._kimi_pools: dict[int, Pools] = {}

    def send(self, *args: Any, **options: Any) -> Any:
        """Send a request over this process's pool."""
        if self.is_closed:
            return super().send(*args, **options)  # raises the library's error
        return self._kimi_pool().send(*args, **options)

    def close(self) -> None:
        """Close this process's connections. Those of a parent process belong to the parent."""
        super().close()
        pool = self._kimi_pools.get(os.getpid())
        if pool is not None:
            pool.close()

    def _kimi_pool(self) -> Pools:
        pid = os.getpid()
        pool = self._kimi_pools.get(pid)
        if pool is None:
            # setdefault is atomic: if two threads are first at the same time, both use the pool that was stored.
            new = Pools(partial(_client, self.event_hooks), KEEPALIVE_SECONDS)
            pool = self._kimi_pools.setdefault(pid, new)
            weakref.finalize(self, _close_in_process, pid, pool)
        return pool


def _client(event_hooks: Any) -> openai.DefaultHttpxClient:
    http = openai.DefaultHttpxClient(event_hooks=event_hooks, **_pool_options())
    bypass_proxies_for_loopback(http)
    limit_waits(http)
    return http


def _close_in_process(pid: int, pool: Pools) -> None:
    """Close a pool when its client is dropped, or at exit, if this process opened it.

    The finaliser refers to the pool, so the garbage collector does not find it first and warn about open sockets. (The
    SDK has a finaliser too, on a class that it uses only if it builds the HTTP client itself.)
    """
    if pid == os.getpid():
        pool.close()


@dataclass(frozen=True, slots=True)
class _Pool:
    """The pool of one event loop, what closes it with the loop, and the finaliser that closes it with the client."""

    http: AsyncPools
    closer: _Closer
    finalizer: weakref.finalize[Any, Any]


class AsyncPooledClient(openai.DefaultAsyncHttpxClient):
    """The SDK's default asynchronous HTTP client with one pool per event loop."""

    def __init__(self) -> None:
        super().__init__(verify=_empty_tls_context())
        self._kimi_pools: dict[Any, _Pool] = {}

    async def send(self, *args: Any, **options: Any) -> Any:
        """Send a request over the running loop's pool."""
        if self.is_closed:
            return await super().send(*args, **options)  # raises the library's error
        loop = _running_loop()
        pool = self._kimi_pools.get(loop)
        if pool is None or pool.http.is_closed:
            pool = self._kimi_open(loop)
        return await pool.http.send(*args, **options)

    async def aclose(self) -> None:
        """Close all connections, each in its own event loop."""
        await super().aclose()
        own = self._kimi_pools.pop(_running_loop(), None)
        if own is not None:
            own.finalizer.detach()
            await own.closer.aclose()
        for loop in tuple(self._kimi_pools):
            pool = self._kimi_pools.pop(loop, None)
            if pool is not None:
                pool.finalizer()

    def _kimi_open(self, loop: Any) -> _Pool:
        self._kimi_forget_ended_loops()
        http = AsyncPools(partial(_async_client, self.event_hooks), KEEPALIVE_SECONDS)
        closer = _Closer(http)
        closer.close_with_loop()
        finalizer = weakref.finalize(self, _close_in_loop, loop, closer)
        finalizer.atexit = False
        pool = self._kimi_pools[loop] = _Pool(http, closer, finalizer)
        return pool

    def _kimi_forget_ended_loops(self) -> None:
        for loop in tuple(self._kimi_pools):  # other threads may change the dict at the same time
            ended = self._kimi_pools.pop(loop, None) if loop.is_closed() else None
            if ended is not None:
                ended.finalizer.detach()


def _async_client(event_hooks: Any) -> openai.DefaultAsyncHttpxClient:
    http = openai.DefaultAsyncHttpxClient(event_hooks=event_hooks, **_pool_options())
    bypass_proxies_for_loopback(http)
    return http


class _Closer:
    """Closes a pool in the event loop that it belongs to, however often and from how many tasks it is asked to."""

    def __init__(self, http: AsyncPools) -> None:
        self._http = http
        self._lock = anyio.Lock()

    def close_with_loop(self) -> None:
        """Let the running loop call `aclose` when it shuts down.

        A loop does so for every asynchronous generator that its hook has seen, and looks at nothing else of it. A
        generator would not do: to close it twice at once is an error, and so is to drop it, where no hook is set.
        """
        hook: Any = sys.get_asyncgen_hooks().firstiter
        if hook is not None:
            hook(self)

    async def aclose(self) -> None:
        """Close the pool. Returns when it is closed, also if another task closes it."""
        with anyio.CancelScope(shield=True):
            async with self._lock:
                await self._http.aclose()


def _close_in_loop(loop: Any, closer: _Closer) -> None:
    """Close a pool in its own loop when its client is dropped, if the loop still runs."""
    if loop is not NO_LOOP and not loop.is_closed():
        loop.call_soon_threadsafe(_start_closing, loop, closer)


def _start_closing(loop: Any, closer: _Closer) -> None:
    loop.create_task(closer.aclose())


class _NoLoop:
    """Stands for "no asyncio loop is running", as in trio."""

    def is_closed(self) -> bool:
        return False


NO_LOOP = _NoLoop()


def _running_loop() -> Any:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return NO_LOOP
