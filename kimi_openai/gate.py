"""How many requests may be open at once: permits, handed out first come, first served.

One gate serves threads and event loops alike, and every copy of a client. A permit is taken for each attempt and given
back when the answer is closed, dropped or failed; a wait before the next attempt holds none. `client.py` takes, the
hook in `arrivals.py` gives back. Nothing here knows Kimi or HTTP but the names `close` and `aclose`.
"""

from __future__ import annotations

import asyncio
import os
import weakref
from collections import deque
from concurrent import futures
from concurrent.futures import Future
from inspect import iscoroutinefunction
from threading import Lock
from typing import Any

__all__ = ["Gate", "Permit"]

Waiter = Future[None]
TIMEOUTS = (TimeoutError, asyncio.TimeoutError, futures.TimeoutError)  # one and the same from Python 3.11 on


class Gate:
    """Lets at most `limit` requests be open at once; the others wait in the order in which they came.

    Give one to several clients of an account (`max_concurrency=gate`) and they share the limit. A forked child starts
    with all permits. In an asynchronous client it needs asyncio, not trio.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"max_concurrency is {limit}; it is a number of requests from 1 up")
        self.limit = limit
        self._queues: dict[int, _Queue] = {}

    def enter(self, timeout: float | None = None) -> Permit:
        """A permit, as soon as one is free. Raises `TimeoutError` after `timeout` seconds."""
        queue = self._queue()
        waiter = queue.take()
        if waiter is not None:
            try:
                waiter.result(timeout)
            except TIMEOUTS:
                queue.leave(waiter)
                raise TimeoutError(f"no permit came free within {timeout:g} s") from None
            except BaseException:  # a cancelled task, Ctrl-C
                queue.leave(waiter)
                raise
        return Permit(queue)

    async def enter_async(self, timeout: float | None = None) -> Permit:
        """`enter` for a task; it may be cancelled while it waits."""
        queue = self._queue()
        waiter = queue.take()
        if waiter is not None:
            try:
                await asyncio.wait_for(asyncio.wrap_future(waiter), timeout)
            except TIMEOUTS:
                queue.leave(waiter)
                raise TimeoutError(f"no permit came free within {timeout:g} s") from None
            except BaseException:  # a cancelled task, Ctrl-C
                queue.leave(waiter)
                raise
        return Permit(queue)

    @property
    def open(self) -> int:
        """How many permits are taken."""
        return self.limit - self._queue().free

    @property
    def waiting(self) -> int:
        """How many wait for a permit."""
        return len(self._queue().waiters)

    def _queue(self) -> _Queue:
        pid = os.getpid()  # what a parent's threads hold is nothing to a forked child; setdefault is atomic
        return self._queues.get(pid) or self._queues.setdefault(pid, _Queue(self.limit))

    def __repr__(self) -> str:
        return f"Gate({self.limit})"


class Permit:
    """The right to one open request, until `release`, which may be called more than once and from anywhere."""

    def __init__(self, queue: _Queue) -> None:
        self._held = [queue]

    def release(self) -> None:
        """Give it back; the one that waits longest gets it."""
        try:
            queue = self._held.pop()  # atomic: of two callers one gives it back
        except IndexError:
            return
        queue.give_back()

    def release_with(self, response: Any, close: str) -> None:
        """Give it back when the method `close` of `response` is called, or when `response` is dropped."""
        permit, itself, original = self, weakref.ref(response), getattr(response.__class__, close)

        def close_sync() -> None:
            try:
                original(itself())
            finally:
                permit.release()

        async def close_async() -> None:
            try:
                await original(itself())
            finally:
                permit.release()

        setattr(response, close, close_async if iscoroutinefunction(original) else close_sync)
        weakref.finalize(response, self.release).atexit = False


class _Queue:
    """Free permits and those who wait. A permit can come back in a garbage collection, at any point of a thread that
    holds the lock: what is given back is noted first and dealt out by whoever has the lock."""

    def __init__(self, free: int) -> None:
        self.lock = Lock()
        self.free = free
        self.waiters: deque[Waiter] = deque()
        self.returned: deque[None] = deque()

    def take(self) -> Waiter | None:
        """A permit, at once (`None`), or a place in the queue."""
        waiter = Waiter()
        with self.lock:
            is_free = self.free > 0 and not self.waiters
            if is_free:
                self.free -= 1
            else:
                self.waiters.append(waiter)
        self.deal()
        return None if is_free else waiter

    def leave(self, waiter: Waiter) -> None:
        """Give up a place in the queue, and the permit if it has just been given."""
        if not waiter.cancel():
            self.give_back()
            return
        with self.lock:
            if waiter in self.waiters:
                self.waiters.remove(waiter)
        self.deal()

    def give_back(self) -> None:
        """Return a permit."""
        self.returned.append(None)
        self.deal()

    def deal(self) -> None:
        """Hand out what was returned, unless somebody else is at it, who then looks again."""
        while self.returned and self.lock.acquire(blocking=False):
            try:
                served = [self._next() for _ in range(len(self.returned))]
            finally:
                self.lock.release()
            for waiter in served:
                if waiter is not None:
                    waiter.set_result(None)

    def _next(self) -> Waiter | None:
        self.returned.pop()
        while self.waiters:
            waiter = self.waiters.popleft()
            if waiter.set_running_or_notify_cancel():
                return waiter
        self.free += 1
        return None
