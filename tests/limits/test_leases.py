"""The shared limiter with a fake clock and no network: several workers, their deaths, its own, and lost messages."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_openai.limits.admission import Usage
from kimi_openai.limits.feedback import Feedback
from kimi_openai.limits.holding import LOST, Holding, Taken
from kimi_openai.limits.leases import Grant, Held, Leases, Report
from kimi_openai.limits.rates import Rates

MINUTE, TTL = 60.0, 10.0
PAIR = ("a", "b")


@dataclass
class Worker:
    """Sends what is in `queue` as it is granted. A request is open for `duration` seconds."""

    holding: Holding
    queue: deque[int]
    duration: float
    open: list[tuple[float, Taken, int]] = field(default_factory=list)

    def finish(self, now: float) -> None:
        for each in [each for each in self.open if each[0] <= now]:
            self.open.remove(each)
            self.holding.end(each[1])

    def send(self, now: float) -> float:
        """Send what may be sent; returns the seconds until the next can be."""
        while self.queue:
            found = self.holding.look(self.queue[0], now, len(self.queue))
            assert not found.refusal
            if found.grant is None:
                return found.delay
            tokens = self.queue.popleft()
            self.holding.sent(found.grant)
            self.open.append((now + self.duration, found.grant, tokens))
            self.sent.append((now, tokens))
        return inf

    sent: list[tuple[float, int]] = field(default_factory=list)


class Simulation:
    """Workers and a limiter whose times come from the events. `reports` counts the calls."""

    def __init__(self, rates: Rates, queues: list[list[int]], duration: float) -> None:
        self.rates, self.duration, self.now = rates, duration, 1000.0
        self.books = self.reports = self.most_open = 0
        self.sent: list[tuple[float, int]] = []
        self.workers = [self.new_worker(deque(queue)) for queue in queues]
        self.start_limiter(is_restarted=False)
        self.lose: list[str] = []

    def new_worker(self, queue: deque[int]) -> Worker:
        self.books += 1
        worker = Worker(Holding(f"worker-{self.books}", self.rates), queue, self.duration)
        worker.sent = self.sent
        return worker

    def start_limiter(self, *, is_restarted: bool) -> None:
        self.books += 1
        self.leases = Leases(
            self.rates, book=self.books * 1_000_000, now=self.now, slack=0.0, ttl=TTL, is_restarted=is_restarted
        )

    def kill(self, place: int) -> None:
        """A worker dies; what it was asking is asked again by another one."""
        place %= len(self.workers)
        dead = self.workers[place]
        self.workers[place] = self.new_worker(deque([tokens for _, _, tokens in dead.open]) + dead.queue)

    def exchange(self, worker: Worker) -> None:
        report = worker.holding.report(worker.queue, self.now)
        self.reports += 1
        lost = self.lose.pop() if self.lose else ""
        if lost == "report":
            worker.holding.fail("lost", self.now)
            return
        reply = self.leases.exchange(report, self.now)
        if lost == "reply":
            worker.holding.fail("lost", self.now)
        else:
            worker.holding.take(reply, report, self.now)

    def run(self, until: float = inf) -> None:
        """Let the time pass until all is sent and over, or until then."""
        for _ in range(200_000):
            delays = [until - self.now]
            for worker in self.workers:
                worker.finish(self.now)
                delays.append(worker.send(self.now))
                is_idle = worker.holding.is_idle and not worker.queue
                if not is_idle and worker.holding.due(self.now) <= 0:
                    self.exchange(worker)
                    delays.append(worker.send(self.now))
                delays += [] if is_idle else [max(worker.holding.due(self.now), 1e-3)]
                delays += [end - self.now for end, _, _ in worker.open]
            self.most_open = max(self.most_open, sum(len(worker.open) for worker in self.workers))
            if self.now >= until or not any(worker.queue or worker.open for worker in self.workers):
                return
            self.now += max(min(delays), 1e-3)
        raise AssertionError("starved")

    def most(self, span: float = MINUTE) -> tuple[int, int]:
        """The most requests and tokens in any window of this length."""
        window, found = deque[tuple[float, int]](), (0, 0)
        for at, tokens in sorted(self.sent):
            window.append((at, tokens))
            while window[0][0] <= at - span + 1e-6:  # the times are sums of floating-point numbers
                window.popleft()
            found = max(found[0], len(window)), max(found[1], sum(each for _, each in window))
        return found


EVENTS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.04, 1.0, 15.0, 70.0]), st.sampled_from(["kill", "restart", "report", "reply"])),
    max_size=6,
)
RATES = st.builds(
    Rates,
    concurrency=st.none() | st.integers(1, 5),
    rpm=st.none() | st.integers(1, 12),
    tpm=st.none() | st.integers(50, 300),
)
QUEUES = st.lists(st.lists(st.integers(1, 50), max_size=12), min_size=1, max_size=3)


@settings(max_examples=40, deadline=None)
@given(rates=RATES, queues=QUEUES, events=EVENTS, duration=st.sampled_from([0.0, 0.5, 30.0]))
def test_no_limit_is_exceeded_whatever_dies(
    rates: Rates, queues: list[list[int]], events: list[tuple[float, str]], duration: float
) -> None:
    """In any sliding minute and at any moment, over all workers; and all that was asked is sent."""
    simulation, killed = Simulation(rates, queues, duration), 0
    for place, (after, what) in enumerate(events):
        simulation.run(simulation.now + after)
        if what == "kill":
            killed += len(simulation.workers[place % len(simulation.workers)].open)
            simulation.kill(place)
        elif what == "restart":
            simulation.start_limiter(is_restarted=True)
        else:
            simulation.lose.append(what)
    simulation.run()
    requests, tokens = simulation.most()
    assert len(simulation.sent) == sum(map(len, queues)) + killed
    assert rates.rpm is None or requests <= rates.rpm
    assert rates.tpm is None or tokens <= rates.tpm
    assert rates.concurrency is None or simulation.most_open <= rates.concurrency


def test_grants_come_in_blocks() -> None:
    """3,000 a minute by two workers: far fewer calls than requests, and the limit is used."""
    simulation = Simulation(Rates(rpm=3_000), [[1] * 3_000, [1] * 3_000], duration=0.0)
    start = simulation.now
    simulation.run(start + MINUTE - 1)
    assert len(simulation.sent) == 3_000
    assert simulation.reports < 600
    simulation.run(start + 2 * MINUTE - 1)
    assert len(simulation.sent) >= 5_900
    assert simulation.most()[0] <= 3_000


def test_workers_share_alike() -> None:
    """One that asks for much does not keep another one from its part, and a large request is not overtaken for ever."""
    simulation = Simulation(Rates(tpm=100), [[10] * 60, [90] * 4], duration=0.0)
    simulation.run(simulation.now + 10 * MINUTE)
    assert not simulation.workers[1].queue


def leases(rates: Rates, **options: Any) -> Leases:
    return Leases(rates, **{"book": 1, "now": 0.0, "slack": 0.0, "ttl": TTL, **options})


def test_a_dead_workers_requests_are_given_to_others() -> None:
    """When its lease ends: its open requests are over, and what it was granted counts until then."""
    book = leases(Rates(concurrency=1, rpm=2))
    assert len(book.exchange(Report("a", wanted=(1, 1)), 0.0).grants) == 1
    assert book.exchange(Report("b", wanted=(1,)), TTL - 0.1).grants == ()
    assert len(book.exchange(Report("b", wanted=(1,)), TTL + 0.1).grants) == 1
    held = (Held(3, 1, is_sent=True, is_over=True),)
    assert book.exchange(Report("b", wanted=(1,), held=held), TTL + 0.2).grants == ()
    assert book.exchange(Report("b", wanted=(1,)), TTL + MINUTE - 0.2).grants == ()
    assert len(book.exchange(Report("b", wanted=(1,)), TTL + MINUTE).grants) == 1


def test_a_worker_that_was_taken_for_dead_comes_back() -> None:
    """What it still has open counts again."""
    book = leases(Rates(concurrency=2))  # without a limit by the minute they are not spread
    first = book.exchange(Report("a", wanted=(1, 1)), 0.0)
    held = tuple(Held(grant.id, 1, is_sent=True) for grant in first.grants)
    assert book.exchange(Report("b"), 30.0).usage.open == 0
    assert book.exchange(Report("a", held=held, book=first.book), 31.0).usage.open == 2
    assert book.exchange(Report("b", wanted=(1,)), 32.0).grants == ()


@pytest.mark.parametrize("is_told", [True, False])
def test_a_new_limiter_assumes_a_full_minute(is_told: bool) -> None:
    """If it is told that it is a restart, or hears of another limiter from a worker."""
    rates = Rates(concurrency=2, rpm=5, tpd=1000)
    old = leases(rates)
    reply = old.exchange(Report("a", wanted=(400,)), 0.0)
    new = leases(rates, book=100, now=20.0, is_restarted=is_told)
    held = (Held(reply.grants[0].id, 400, is_sent=True),)
    report = Report("a", wanted=(400, 400), held=held, book=reply.book, today=reply.today)
    found = new.exchange(report, 21.0)
    assert (found.grants, found.usage.open, found.usage.requests) == ((), 1, 6)
    assert found.today == 400
    start = 20.0 if is_told else 21.0
    again = Report("b", wanted=(200, 200))
    new.exchange(Report("a", book=100), start + MINUTE - 0.2)
    assert new.exchange(again, start + MINUTE - 0.2).grants == ()
    assert len(new.exchange(again, start + MINUTE).grants) == 1


def test_a_first_limiter_assumes_nothing() -> None:
    """Workers that have heard of none are served at once."""
    assert len(leases(Rates(rpm=5)).exchange(Report("a", wanted=(1,)), 0.0).grants) == 1


def test_a_lost_reply_leaks_nothing() -> None:
    """Grants that the worker does not report are over."""
    book = leases(Rates(concurrency=1))
    assert len(book.exchange(Report("a", wanted=(1,)), 0.0).grants) == 1
    assert len(book.exchange(Report("a", wanted=(1,)), 1.0).grants) == 1


def test_refusals_are_learnt_for_all() -> None:
    """A 429 at one worker pauses the others, and a limit that it names is everybody's."""
    book = leases(Rates(rpm=10))
    grant = book.exchange(Report("a", wanted=(1,)), 0.0).grants[0]
    told = Feedback(30.0, "rpm", None, 4)
    held = (Held(grant.id, 1, is_sent=True, is_over=True),)
    assert book.exchange(Report("a", held=held, refused=((grant.id, told),)), 1.0).rates.rpm == 4
    assert book.exchange(Report("b", wanted=(1,)), 2.0).grants == ()
    assert book.exchange(Report("b", wanted=(1,)), 29.0).grants == ()


def test_what_never_fits_is_refused() -> None:
    """With the reason, and what comes after it is granted."""
    reply = leases(Rates(tpm=100)).exchange(Report("a", wanted=(101, 50)), 0.0)
    assert "reserves 101 tokens" in reply.refusals[101]
    assert [grant.tokens for grant in reply.grants] == [50]
    holding = Holding("a", Rates())
    holding.take(reply, holding.report([101, 50], 0.0), 0.0)
    assert "reserves 101 tokens" in holding.look(101, 0.1).refusal
    assert holding.look(50, 0.1).grant is not None


def test_limits_can_be_changed_by_a_worker() -> None:
    """For all, once."""
    book, holding = leases(Rates(rpm=1)), Holding("a", Rates(rpm=1))
    holding.change(rpm=7)
    report = holding.report([], 0.0)
    holding.take(book.exchange(report, 0.0), report, 0.0)
    assert holding.rates.rpm == 7
    assert holding.report([], 1.0).changes == {}


def held_by(book: Leases, waiting: list[int], now: float = 0.0) -> Holding:
    holding = Holding("a", Rates())
    report = holding.report(waiting, now)
    holding.take(book.exchange(report, now), report, now)
    return holding


def test_grants_that_nobody_waits_for_go_back() -> None:
    """Such as that of a cancelled task; and then the tokens are free."""
    book = leases(Rates(concurrency=2))
    holding = held_by(book, [60, 30])
    report = holding.report([30], 1.0)
    assert [each.is_unused for each in report.held] == [False, True]
    assert book.exchange(report, 1.0).usage == Usage(open=1, requests=1, tokens=60)


def test_grants_end_with_the_lease() -> None:
    """A worker that cannot reach the limiter uses them until then only, by its own clock."""
    assert held_by(leases(Rates(rpm=1)), [1]).look(1, TTL - 0.1).grant is not None
    assert held_by(leases(Rates(rpm=1)), [1]).look(1, TTL).grant is None


def test_a_limiter_that_does_not_answer_is_not_waited_for_for_ever() -> None:
    """Its requests fail with the reason; when it answers again, all is well."""
    book, holding = leases(Rates(rpm=5)), Holding("a", Rates())
    holding.fail("no route", 0.0)
    assert holding.look(1, 1.0).refusal == ""
    holding.fail("no route", LOST)
    assert "has not answered for 120 s: no route" in holding.look(1, LOST).refusal
    report = holding.report([1], LOST + 1)
    holding.take(book.exchange(report, LOST + 1), report, LOST + 1)
    assert holding.look(1, LOST + 2).grant is not None


def test_a_block_is_spread() -> None:
    """A grant of the near future is not used before its time."""
    book = leases(Rates(rpm=600), minute=MINUTE)
    first, second, *_ = book.exchange(Report("a", wanted=(1,) * 20), 0.0).grants
    assert (first.after, first.tokens) == (0.0, 1)
    assert 0 < second.after < 0.1
    assert isinstance(second, Grant)
