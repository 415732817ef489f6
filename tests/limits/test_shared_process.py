"""Limits whose counts are elsewhere, used by clients over sockets; the way to them is a function of this process."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from typing import Any

import openai
import pytest

from kimi_openai import Limits, LimitsError
from kimi_openai.emulator import AccountLimits, Emulator
from kimi_openai.limits.leases import Leases, Reply, Report
from kimi_openai.limits.rates import Rates
from kimi_openai.limits.shared_process import SharedLimits
from tests.conftest import MakeAnswering, Mode
from tests.limits.test_gate import until

ASK: dict[str, Any] = {
    "model": "kimi-k3",
    "messages": [{"role": "user", "content": "hi"}],
    "max_completion_tokens": 1000,
}


class Service:
    """The limiter, as a service that can be out of reach. `workers` are those that reported."""

    def __init__(self, rates: Rates, minute: float = 60.0) -> None:
        self.leases = Leases(rates, book=1, now=time.monotonic(), minute=minute, ttl=3.0)
        self.lock, self.workers, self.is_down = threading.Lock(), set[str](), False
        self.reports: list[Report] = []

    def __call__(self, report: Report) -> Reply:
        if self.is_down:
            raise ConnectionError("no route")
        with self.lock:
            self.workers.add(report.worker)
            self.reports.append(report)
            return self.leases.exchange(report, time.monotonic())

    def limits(self) -> SharedLimits:
        """What another process would have."""
        return SharedLimits(self, self.leases.admission.adaptation.rates)


def test_clients_of_two_processes_count_together(mode: Mode) -> None:
    """Three a minute for both; the fourth waits for the next minute. The emulator refuses none."""
    service = Service(Rates(rpm=3), minute=2.0)
    start = time.monotonic()
    with Emulator(limits=AccountLimits(rpm=3), minute=2.0) as kimi:
        for _ in range(2):
            client = mode.client(kimi, limits=service.limits())
            for _ in range(2):
                mode.run(client.chat.completions.create(**ASK))
        assert kimi.limits.refused == {}
    assert time.monotonic() - start >= 2
    assert len(service.workers) == 2


def test_tokens_and_open_requests_are_reported(mode: Mode, kimi: Emulator) -> None:
    """What a request reserves, when it was sent and when it was over."""
    service = Service(Rates(tpm=100_000))
    limits = service.limits()
    mode.run(mode.client(kimi, limits=limits).chat.completions.create(**ASK))
    until(lambda: service.leases.admission.open == 0)
    assert 1000 < service.leases.admission.usage(time.monotonic()).tokens < 1200
    assert any(held.is_sent for report in service.reports for held in report.held)
    assert limits.open == 0
    assert limits.usage().requests == 1


def test_a_refusal_is_told(mode: Mode, answering: MakeAnswering) -> None:
    """A 429 of one client lowers the limit of all."""
    error = {"message": "organization max RPM: 2, please try again after 1 seconds", "type": "rate_limit_reached_error"}
    server = answering(429, {"error": error})
    service = Service(Rates(rpm=100))
    client = mode.client(api_key="sk-x", base_url=server.base_url, limits=service.limits(), max_retries=0)
    with pytest.raises(openai.RateLimitError):
        mode.run(client.chat.completions.create(**ASK))
    until(lambda: service.leases.admission.adaptation.limit("rpm", time.monotonic()) == 2)


def test_what_never_fits_is_refused(mode: Mode, kimi: Emulator) -> None:
    """Before it is sent, with the reason."""
    client = mode.client(kimi, limits=Service(Rates(tpm=500)).limits())
    with pytest.raises(LimitsError, match="reserves 1,0"):
        mode.run(client.chat.completions.create(**ASK))
    assert kimi.requests == []


def test_patience_ends_the_wait(mode: Mode, kimi: Emulator) -> None:
    """For a limiter that cannot be reached too; what was waited for is not asked for any more."""
    service = Service(Rates(rpm=10))
    service.is_down = True
    limits = service.limits()
    with pytest.raises(openai.APITimeoutError, match="no permit"):
        mode.run(mode.client(kimi, limits=limits, patience=0.3).chat.completions.create(**ASK))
    service.is_down = False
    mode.run(mode.client(kimi, limits=limits, patience=5).chat.completions.create(**ASK))
    assert len(kimi.requests) == 1


def test_a_cancelled_task_gives_its_place_back(kimi: Emulator) -> None:
    """And nothing of it stays counted."""
    mode, service = Mode("async"), Service(Rates(concurrency=1))
    limits = service.limits()
    client = mode.client(kimi, limits=limits)

    async def cancelled() -> None:
        permit = await limits.enter_async()
        task = asyncio.ensure_future(client.chat.completions.create(**ASK))
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        permit.release()

    mode.run(cancelled())
    until(lambda: service.leases.admission.open == 0)
    assert limits.waiting == 0
    mode.run(client.chat.completions.create(**ASK))
    mode.close()
    assert len(kimi.requests) == 1


def test_limits_are_changed_for_all() -> None:
    """By any of the processes."""
    service = Service(Rates(rpm=10))
    service.limits().change(rpm=20)
    until(lambda: service.leases.admission.adaptation.rates.rpm == 20)


def test_the_thread_ends_when_nothing_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """And starts again when something is wanted."""
    monkeypatch.setattr("kimi_openai.limits.shared_process.LINGER", 0.1)
    limits = Service(Rates(rpm=10)).limits()
    for _ in range(2):
        limits.enter().release()
        until(lambda: not [each for each in threading.enumerate() if each.name == "kimi-limits"])


def exchange(report: Report) -> Reply:
    """A way to the limiter that can be pickled."""
    raise ConnectionError(report)


def test_they_can_be_sent_to_another_process() -> None:
    """With the way to the limiter."""
    limits: Any = pickle.loads(pickle.dumps(SharedLimits(exchange, Rates(rpm=7), minute=6.0)))
    assert (limits.rates.rpm, limits.minute) == (7, 6.0)
    assert isinstance(limits, Limits)
