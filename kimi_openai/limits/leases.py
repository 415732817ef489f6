"""The limiter that several processes or machines share: pure, without a clock, a network, or anything of Ray.

Each worker reports what it holds and what waits there (`Report`), and is granted the requests of the next moment in one
block (`Reply`): a call of a worker is not one of a request. What a worker has is a lease: if it reports nothing for
`ttl` seconds, it is taken for dead. `holding.py` is the worker's side.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from .admission import Admission, Admitted, Usage
from .feedback import Feedback
from .rates import Rates

__all__ = ["Grant", "Held", "Leases", "Reply", "Report"]

CALLS = 200
"""Reports a second that all workers together make at most."""

LEAST_GAP, MOST_GAP = 0.02, 0.05
"""Seconds between two reports of a worker that has something to say. A block is what may be sent in two of them."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to send one request of so many tokens, `after` so many seconds."""

    id: int
    tokens: int
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """A grant that a worker has: whether its request was sent, is over, or never will be sent (`is_unused`)."""

    id: int
    tokens: int
    is_sent: bool = False
    is_over: bool = False
    is_unused: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker says.

    `wanted`: the tokens of the requests that wait there, in their order, without those that it has grants for. `held`:
    all of its grants; those that are over until a report with them was answered. `refused`: what refusals said, by
    grant. `changes`: limits to set anew. `book` and `today` are those of the last reply.
    """

    worker: str
    wanted: tuple[int, ...] = ()
    held: tuple[Held, ...] = ()
    refused: tuple[tuple[int, Feedback], ...] = ()
    changes: Mapping[str, int | None] = field(default_factory=dict[str, "int | None"])
    book: int = 0
    today: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a worker gets: new grants, and `refusals`, the reasons why requests of so many tokens never get one.

    The next report is due within `again` seconds, and not before `gap`. What is held is lost `ttl` seconds after the
    report. `book` is the limiter's number, another one after each start.
    """

    book: int
    grants: tuple[Grant, ...]
    refusals: Mapping[int, str]
    gap: float
    again: float
    ttl: float
    rates: Rates
    usage: Usage
    today: int


@dataclass(slots=True)
class _Granted:
    admitted: Admitted
    is_sent: bool = False


@dataclass(slots=True)
class _Lease:
    """What a worker has. `ready` was granted, with the time, and is not reported yet."""

    until: float
    wanted: deque[int] = field(default_factory=deque[int])
    granted: dict[int, _Granted] = field(default_factory=dict[int, _Granted])
    ready: list[tuple[float, Grant]] = field(default_factory=list[tuple[float, Grant]])
    refusals: dict[int, str] = field(default_factory=dict[int, str])


class Leases:
    """Grants requests to workers so that they keep the limits of one account together.

    `book` is a number that no other limiter of the account has had. One that `is_restarted` knows nothing of what was
    sent: it takes the minute as used up, admits nothing until the workers had `ttl` seconds to report what they hold,
    and takes the day's tokens from them. So does one that hears of another `book` from a worker. Workers are served in
    turn, and a request that has to wait is not overtaken. The caller lets one thread in at a time.
    """

    def __init__(
        self,
        rates: Rates,
        *,
        book: int,
        now: float,
        minute: float = 60.0,
        slack: float | None = None,
        ttl: float = 10.0,
        is_restarted: bool = False,
    ) -> None:
        self.admission = Admission(rates, minute=minute, slack=slack)
        self._book, self._next_id, self._ttl = book, book, ttl
        self._gap = min(max(minute / 1200, LEAST_GAP), MOST_GAP)
        self._leases: OrderedDict[str, _Lease] = OrderedDict()
        self._is_restarted = is_restarted
        if is_restarted:
            self.admission.assume_full(now, ttl)

    def exchange(self, report: Report, now: float) -> Reply:
        """Take a report, and grant what can be granted now."""
        self._end_leases(now)
        is_of_another = report.book not in (0, self._book)
        if is_of_another and not self._is_restarted:
            self._is_restarted = True
            self.admission.assume_full(now, self._ttl)
        lease = self._leases.setdefault(report.worker, _Lease(now))
        lease.until = now + self._ttl
        if report.changes:
            self.admission.change(**report.changes)
        self._settle(lease, report, now)
        if is_of_another:
            self.admission.assume_today(report.today, now)
        lease.wanted = deque(report.wanted[len(lease.ready) :])
        delay = self._serve(now)
        grants = tuple(Grant(each.id, each.tokens, max(time - now, 0.0)) for time, each in lease.ready)
        lease.ready = []
        refusals, lease.refusals = lease.refusals, {}
        return Reply(
            book=self._book,
            grants=grants,
            refusals=refusals,
            gap=self.gap,
            again=self._again(lease, delay),
            ttl=self._ttl,
            rates=Rates(*(self.admission.adaptation.limit(name, now) for name in ("concurrency", "rpm", "tpm", "tpd"))),
            usage=self.admission.usage(now),
            today=self.admission.today(now),
        )

    @property
    def gap(self) -> float:
        """The seconds between two reports of a worker."""
        return max(self._gap, len(self._leases) / CALLS)

    def _end_leases(self, now: float) -> None:
        """End the leases of workers that died. What they did not send they may have sent until the end."""
        for worker, lease in [each for each in self._leases.items() if each[1].until <= now]:
            del self._leases[worker]
            for granted in lease.granted.values():
                if not granted.is_sent:
                    self.admission.sent(granted.admitted, lease.until)
                self.admission.end(granted.admitted)

    def _settle(self, lease: _Lease, report: Report, now: float) -> None:
        """Bring the grants up to date with what the worker says."""
        for each in report.held:
            if each.id not in lease.granted:  # of the time before the lease ended, or before the limiter's start
                lease.granted[each.id] = _Granted(self.admission.adopt(each.tokens, now), is_sent=True)
            granted = lease.granted[each.id]
            if each.is_sent and not granted.is_sent:
                granted.is_sent = True
                self.admission.sent(granted.admitted, now)
        for id, feedback in report.refused:
            found = lease.granted.get(id)
            self.admission.learn(feedback, Admitted(now, 0) if found is None else found.admitted, now)
        for each in report.held:
            if each.is_unused:
                self.admission.withdraw(lease.granted.pop(each.id).admitted)
            elif each.is_over:
                self.admission.end(lease.granted.pop(each.id).admitted)
        self._end_lost(lease, {each.id for each in report.held})

    def _end_lost(self, lease: _Lease, held: set[int]) -> None:
        """End the grants that the worker does not have: the reply with them was lost."""
        told = held.union(grant.id for _, grant in lease.ready)
        for id in [each for each in lease.granted if each not in told]:
            self.admission.end(lease.granted.pop(id).admitted)

    def _serve(self, now: float) -> float:
        """Grant what may be sent before the next reports. Returns the seconds until more can be granted."""
        ahead = 2 * self.gap
        while True:
            worker = next((name for name, lease in self._leases.items() if lease.wanted), None)
            if worker is None:
                return inf
            lease = self._leases[worker]
            tokens = lease.wanted[0]
            delay = self.admission.delay(tokens, now).seconds
            refusal = self.admission.refusal(tokens, now) if delay > ahead else ""
            if delay > ahead and not refusal:
                return delay
            lease.wanted.popleft()
            if refusal:
                lease.refusals[tokens] = refusal
            else:
                self._grant(lease, tokens, now + delay)
                self._leases.move_to_end(worker)

    def _grant(self, lease: _Lease, tokens: int, time: float) -> None:
        self._next_id += 1
        lease.granted[self._next_id] = _Granted(self.admission.admit(tokens, time))
        lease.ready.append((time, Grant(self._next_id, tokens)))

    def _again(self, lease: _Lease, delay: float) -> float:
        """When a worker has to report: to keep its lease, or because something waits there."""
        most = self._ttl / 4
        if not lease.wanted:
            return most
        return min(max(delay - self.gap, self.gap) if delay < inf else self.gap, most)
