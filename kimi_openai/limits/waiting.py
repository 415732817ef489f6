"""The threads and tasks that wait for their turn, in the order in which they came. Knows nothing of limits or of Kimi.

`Line` is the queue of one process. Whoever waits looks again when it is woken, and after the delay that `Line.poll`
returns if it is the first. What decides who may go is passed as a `Rule`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from threading import Event, Lock
from typing import Generic, Protocol, TypeVar

__all__ = ["Line", "Look", "Rule", "TaskWaiter", "ThreadWaiter", "Waiter"]

Grant = TypeVar("Grant")


class Waiter(Generic[Grant]):
    """One that waits for its turn, with the `tokens` that its request reserves."""

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self.grant: Grant | None = None
        self.refusal = ""

    def wake(self) -> None:
        """Let it look again. May be called from any thread."""
        raise NotImplementedError


class ThreadWaiter(Waiter[Grant]):
    """A thread."""

    def __init__(self, tokens: int) -> None:
        super().__init__(tokens)
        self._woken = Event()

    def wake(self) -> None:
        self._woken.set()

    def wait(self, seconds: float) -> None:
        """Until it is woken, at most so many seconds."""
        self._woken.wait(seconds)
        self._woken.clear()


class TaskWaiter(Waiter[Grant]):
    """A task of the running asyncio loop."""

    def __init__(self, tokens: int) -> None:
        super().__init__(tokens)
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def wake(self) -> None:
        with suppress(RuntimeError):  # its loop is closed
            self._loop.call_soon_threadsafe(self._woken.set)

    async def wait(self, seconds: float) -> None:
        """Until it is woken, at most so many seconds. May be cancelled."""
        timer = self._loop.call_later(seconds, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()
        self._woken.clear()


@dataclass(frozen=True, slots=True)
class Look(Generic[Grant]):
    """What is granted; or else the seconds until it is worth looking again; or else why nothing ever will be."""

    grant: Grant | None = None
    delay: float = inf
    refusal: str = ""


class Rule(Protocol[Grant]):
    """Decides whether the first in the line may go. Called by one thread at a time."""

    def look(self, tokens: int) -> Look[Grant]:
        """What is granted, or when to look again, or why it never will be."""
        ...

    def end(self, grant: Grant) -> None:
        """What was granted is given back."""
        ...

    def withdraw(self, grant: Grant) -> None:
        """What was granted was not used."""
        ...


class Line(Generic[Grant]):
    """Those who wait, and what comes back.

    A garbage collection may give something back or end a waiting task at any time, even in a thread that holds the
    lock just then. So both first go to `returned` and `leaving`, and whoever has the lock takes them from there.
    """

    def __init__(self, rule: Rule[Grant]) -> None:
        self.rule = rule
        self.lock = Lock()
        self.waiters: OrderedDict[Waiter[Grant], None] = OrderedDict()
        self.returned: deque[Grant] = deque()
        self.leaving: deque[Waiter[Grant]] = deque()

    def join(self, waiter: Waiter[Grant]) -> None:
        """Take the last place."""
        with self.lock:
            self.waiters[waiter] = None

    def poll(self, waiter: Waiter[Grant]) -> float:
        """The seconds until `waiter` should look again: 0 if its turn has come, `inf` if others are before it."""
        with self.lock:
            delay = self._serve(waiter)
            is_waiting = waiter in self.waiters
            is_first = is_waiting and next(iter(self.waiters)) is waiter
        self.take_back()
        if not is_waiting or waiter.grant is not None:
            return 0.0
        return delay if is_first else inf

    def leave(self, waiter: Waiter[Grant]) -> None:
        """Give up the place, or the grant if it has just been given."""
        self.leaving.append(waiter)
        self.take_back()

    def give_back(self, grant: Grant) -> None:
        """Give back what was granted."""
        self.returned.append(grant)
        self.take_back()

    def take_back(self) -> None:
        """Take what was given back. If another thread holds the lock, that one does it before it stops."""
        while (self.returned or self.leaving) and self.lock.acquire(blocking=False):
            try:
                self._serve(None)
            finally:
                self.lock.release()

    def look_again(self) -> None:
        """The rule has changed: the first in the line looks at it."""
        with self.lock:
            self._wake_first()
        self.take_back()

    def _serve(self, poller: Waiter[Grant] | None) -> float:
        """Let those go whose turn has come, and return the delay of the first who stays. With the lock only."""
        while self.returned:
            self.rule.end(self.returned.popleft())
        while self.leaving:
            self._remove(self.leaving.popleft())
        delay = inf
        while self.waiters:
            first = next(iter(self.waiters))
            found = self.rule.look(first.tokens)
            if found.grant is None and not found.refusal:
                delay = found.delay
                break
            first.grant, first.refusal = found.grant, found.refusal
            del self.waiters[first]
            delay = inf
            if first is not poller:
                first.wake()
        if delay < inf and next(iter(self.waiters)) is not poller:
            self._wake_first()  # it has to look again after this delay
        return delay

    def _remove(self, waiter: Waiter[Grant]) -> None:
        self.waiters.pop(waiter, None)
        if waiter.grant is not None:
            self.rule.withdraw(waiter.grant)

    def _wake_first(self) -> None:
        if self.waiters:
            next(iter(self.waiters)).wake()
