"""What one worker has of a shared limiter: the grants of the last blocks, and what it has to report. Pure.

It is the rule of the worker's line: the first in the line goes if there is a grant for it. `shared_process.py` sends
the reports and has the clock; `leases.py` is the other side.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from .admission import Usage
from .feedback import Feedback
from .leases import Grant, Held, Reply, Report
from .rates import Rates
from .waiting import Look

__all__ = ["Holding", "Taken"]

MOST_WANTED = 256
"""Requests of a report: more than a block ever grants."""

LOST = 120.0
"""Seconds without an answer of the limiter after which the requests that wait for it fail."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
"""Seconds until a report that failed is repeated."""


@dataclass(slots=True, eq=False)
class Taken:
    """A grant that a worker has. It may be used from `time` on; `is_used` once a request has it."""

    grant: Grant
    time: float
    is_used: bool = False
    is_sent: bool = False
    is_over: bool = False

    def as_held(self) -> Held:
        """What is reported of it."""
        return Held(self.grant.id, self.grant.tokens, self.is_sent, self.is_over, self.is_over and not self.is_used)


class Holding:
    """The grants of a worker. Times are those that the caller passes; only their differences matter."""

    def __init__(self, worker: str, rates: Rates) -> None:
        self.worker, self.rates = worker, rates
        self.usage = Usage(0, 0, 0)
        self._taken: dict[int, Taken] = {}
        self._refused: list[tuple[int, Feedback]] = []
        self._changes: dict[str, int | None] = {}
        self._refusals: dict[int, str] = {}
        self._book = self._today = 0
        self._valid_until = -inf
        self._reported, self._gap, self._again = -inf, 0.0, inf
        self._asked = 0.0  # of those that wait, how many the limiter knows
        self._failures, self._failing_since, self._lost = 0, inf, ""
        self.is_changed = False

    @property
    def open(self) -> int:
        """How many requests have a grant."""
        return sum(each.is_used and not each.is_over for each in self._taken.values())

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to keep and nothing to report."""
        return not (self._taken or self._refused or self._changes)

    def look(self, tokens: int, now: float, waiting: int = 1) -> Look[Taken]:
        """A grant for the first of so many in the line, or when there will be one, or why there never will be."""
        refusal = self._refusals.get(tokens) or self._lost
        if refusal:
            return Look(refusal=refusal)
        if now >= self._valid_until:
            self._drop()
        stock = self._stock()
        fit = next((each for each in stock if each.grant.tokens >= tokens), None)
        if fit is None:
            self.is_changed = self.is_changed or waiting - len(stock) > self._asked
            return Look()
        if fit.time > now:
            return Look(None, fit.time - now)
        fit.is_used = True
        return Look(fit)

    def end(self, taken: Taken) -> None:
        """A request is over, or (without `is_used`) was never sent."""
        taken.is_over = self.is_changed = True

    def sent(self, taken: Taken) -> None:
        """A request was written to its connection."""
        taken.is_sent = self.is_changed = True

    def learn(self, feedback: Feedback, taken: Taken) -> None:
        """A request was refused."""
        self._refused.append((taken.grant.id, feedback))
        self.is_changed = True

    def change(self, **rates: int | None) -> None:
        """Set some of the limits anew."""
        self._changes.update(rates)
        self.is_changed = True

    def due(self, now: float) -> float:
        """The seconds until the next report."""
        if self._failures:
            wait = min(FIRST_PAUSE * 2.0**self._failures, LONGEST_PAUSE)
        else:
            wait = self._gap if self.is_changed else self._again
        return self._reported + wait - now

    def report(self, waiting: Iterable[int], now: float) -> Report:
        """What to tell the limiter, if requests of so many tokens wait. The grants that none of them fits go back."""
        if now >= self._valid_until:
            self._drop()
        self._reported, self.is_changed = now, False
        free, wanted = self._stock(), list[int]()
        for tokens in waiting:
            fit = next((each for each in free if each.grant.tokens >= tokens), None)
            if fit is not None:
                free.remove(fit)
            elif len(wanted) == MOST_WANTED:
                break
            elif tokens not in self._refusals:
                wanted.append(tokens)
        for each in free:
            each.is_over = True
        held = tuple(each.as_held() for each in self._taken.values())
        self._asked = inf if len(wanted) == MOST_WANTED else len(wanted)
        changes, refused = dict(self._changes), tuple(self._refused)
        return Report(self.worker, tuple(wanted), held, refused, changes, self._book, self._today)

    def take(self, reply: Reply, report: Report, now: float) -> None:
        """Take what the limiter said to this report."""
        for each in report.held:
            if each.is_over:
                self._taken.pop(each.id, None)
        del self._refused[: len(report.refused)]
        for name in [name for name, value in report.changes.items() if self._changes.get(name) == value]:
            del self._changes[name]
        for grant in reply.grants:
            self._taken[grant.id] = Taken(grant, now + grant.after)
        self._refusals = dict(reply.refusals)
        self._asked -= len(reply.grants) + len(reply.refusals)
        self._book, self._today, self.rates, self.usage = reply.book, reply.today, reply.rates, reply.usage
        self._valid_until = self._reported + reply.ttl
        self._gap, self._again = reply.gap, reply.again
        self._failures, self._failing_since, self._lost = 0, inf, ""

    def fail(self, reason: str, now: float) -> None:
        """A report had no answer."""
        self._failures += 1
        self._asked = 0
        self._failing_since = min(self._failing_since, now)
        self._refusals = {}
        if now - self._failing_since >= LOST:
            self._lost = f"the shared limiter has not answered for {now - self._failing_since:.0f} s: {reason}"

    def _stock(self) -> list[Taken]:
        return [each for each in self._taken.values() if not each.is_used and not each.is_over]

    def _drop(self) -> None:
        """Forget the unused grants of a lease that has ended: the limiter gives what they stood for to others."""
        for each in self._stock():
            del self._taken[each.grant.id]
