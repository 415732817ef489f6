"""Several small connection pools in place of a large one, which costs less.

For each request the HTTP library looks at every connection of a pool, twice. At a hundred connections that takes as
much time as all the rest of a call. So each request goes to the first pool that is not in full use; later ones are
opened when they are needed, and closed when they have long been idle.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

__all__ = ["AsyncPools", "Pools"]

SHARE = 16
"""Requests at once that one pool gets. (A stream counts until it begins.)"""


@dataclass(slots=True, eq=False)
class _Pool:
    """An HTTP client with its pool, the requests that it sends just now, and when the last one ended."""

    http: Any
    sending: int = 0
    last_used: float = field(default_factory=time.monotonic)


class _AnyPools:
    def __init__(self, make: Callable[[], Any], idle_seconds: float) -> None:
        self._make, self._idle_seconds = make, idle_seconds
        self._lock = Lock()
        self._pools = [_Pool(make())]

    @property
    def clients(self) -> list[Any]:
        """The HTTP clients, that which is used first comes first."""
        return [pool.http for pool in self._pools]

    @property
    def is_closed(self) -> bool:
        """Whether the pools were closed."""
        closed: bool = self._pools[0].http.is_closed
        return closed

    def _take(self) -> _Pool:
        with self._lock:
            pool = next((pool for pool in self._pools if pool.sending < SHARE), None)
            if pool is None:
                pool = _Pool(self._make())
                self._pools.append(pool)
            pool.sending += 1
            return pool

    def _give_back(self, pool: _Pool) -> None:
        with self._lock:
            pool.sending -= 1
            pool.last_used = time.monotonic()

    def _idle(self) -> Any:
        """The last client if it has been idle for long, which is taken out; never the first one."""
        last = self._pools[-1]
        if last is self._pools[0] or last.sending or time.monotonic() - last.last_used < self._idle_seconds:
            return None
        with self._lock:
            if last is not self._pools[-1] or last.sending:
                return None
            return self._pools.pop().http


class Pools(_AnyPools):
    """Pools of one process; `make` opens the HTTP client of each."""

    def send(self, *args: Any, **options: Any) -> Any:
        """Send a request."""
        idle = self._idle()
        if idle is not None:
            idle.close()
        pool = self._take()
        try:
            return pool.http.send(*args, **options)
        finally:
            self._give_back(pool)

    def close(self) -> None:
        """Close all connections."""
        for http in self.clients:
            http.close()


class AsyncPools(_AnyPools):
    """Pools of one event loop."""

    async def send(self, *args: Any, **options: Any) -> Any:
        """Send a request."""
        idle = self._idle()
        if idle is not None:
            await idle.aclose()
        pool = self._take()
        try:
            return await pool.http.send(*args, **options)
        finally:
            self._give_back(pool)

    async def aclose(self) -> None:
        """Close all connections."""
        for http in self.clients:
            await http.aclose()
