"""A worker's share of a limiter that several processes share: its line, and a thread that exchanges reports.

The limiter may be anywhere: `Exchange` is all that is known of the way to it. The thread ends when nothing is held.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

from kimi_openai._internal.clock import now

from .admission import Usage
from .feedback import Feedback
from .holding import Holding, Taken
from .leases import Reply, Report
from .limiter import Limits
from .process import Counter
from .rates import Rates
from .waiting import Line, Look

__all__ = ["Exchange", "SharedLimits"]

Exchange = Callable[[Report], Reply]
"""Brings a report to the limiter (`Leases.exchange` there) and the reply back. It raises if the limiter cannot be
reached; the report is repeated then."""

LINGER = 5.0
"""Seconds for which the thread waits for more to do."""


class SharedLimits(Limits):
    """`Limits` that the clients of several processes or machines share, for `create_client(limits=...)`.

    `exchange` is the way to the limiter; it must be picklable for this object to be. `rates` are those of the
    limiter, until it says others. If the limiter does not answer, requests wait for it, at most two minutes; then
    they fail with `LimitsError`. Those that were granted before are sent. `usage` and `rates` are those of the last
    answer; `open` and `waiting` are this process's.
    """

    def __init__(self, exchange: Exchange, rates: Rates, *, minute: float = 60.0) -> None:
        super().__init__(concurrency=rates.concurrency, rpm=rates.rpm, tpm=rates.tpm, tpd=rates.tpd, minute=minute)
        self._exchange = exchange

    def _new_process(self) -> Counter[Any]:
        return _SharedProcess(self._exchange, self._rates)

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (self._exchange, self._rates, self.minute)


def _remade(exchange: Exchange, rates: Rates, minute: float) -> SharedLimits:
    return SharedLimits(exchange, rates, minute=minute)


class _SharedProcess(Counter[Taken]):
    """The line of a process, whose rule is what the process holds."""

    def __init__(self, exchange: Exchange, rates: Rates) -> None:
        self.holding = Holding(uuid.uuid4().hex, rates)
        self.line = Line(self)
        self._exchange = exchange
        self._news = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def open(self) -> int:
        with self.line.lock:
            found = self.holding.open
        self.line.take_back()
        return found

    def rates(self) -> Rates:
        return self.holding.rates

    def usage(self) -> Usage:
        return self.holding.usage

    def change(self, **rates: int | None) -> None:
        with self.line.lock:
            self.holding.change(**rates)
            self._tell()
        self.line.take_back()

    def sent(self, granted: Taken) -> None:
        with self.line.lock:
            self.holding.sent(granted)
        self.line.take_back()

    def learn(self, feedback: Feedback, granted: Taken) -> None:
        with self.line.lock:
            self.holding.learn(feedback, granted)
            self._tell()
        self.line.take_back()

    def look(self, tokens: int) -> Look[Taken]:
        """As the line's rule, with its lock held: what is granted already, or else ask for it."""
        found = self.holding.look(tokens, now(), len(self.line.waiters))
        if self.holding.is_changed:
            self._tell()
        return found

    def end(self, grant: Taken) -> None:
        """A request is over."""
        self.holding.end(grant)
        self._tell()

    def withdraw(self, grant: Taken) -> None:
        """A request was never sent."""
        grant.is_used = False
        self.end(grant)

    def _tell(self) -> None:
        """Let the thread look at what there is to report. With the lock only."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="kimi-limits", daemon=True)
            self._thread.start()
        self._news.set()

    def _run(self) -> None:
        while True:
            self._news.clear()
            with self.line.lock:
                due = self.holding.due(now())
                is_idle = self.holding.is_idle and not self.line.waiters
            self.line.take_back()
            if due <= 0:
                self._report()
            elif not self._news.wait(min(due, LINGER)) and is_idle and self._ended():
                return

    def _report(self) -> None:
        with self.line.lock:
            report = self.holding.report([each.tokens for each in self.line.waiters], now())
        try:
            reply = self._exchange(report)
        except Exception as error:  # whatever the way to the limiter raises
            with self.line.lock:
                self.holding.fail(f"{type(error).__name__}: {error}", now())
        else:
            with self.line.lock:
                self.holding.take(reply, report, now())
        self.line.look_again()

    def _ended(self) -> bool:
        """Whether the thread ends, because there is still nothing to do."""
        with self.line.lock:
            if self._news.is_set() or not self.holding.is_idle or self.line.waiters:
                return False
            self._thread = None
            return True
