"""`Limits` and `Gate`: limiters for threads and event loops alike, shared by every client that is given the same one.

When a request may go is decided in `admission.py`, who is next in `waiting.py`; here are the clock and the waits. The
clients call `enter_all` for each attempt.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from kimi_openai._internal.clock import now
from kimi_openai._internal.secrets import shown
from kimi_openai.models.tiers import TIERS

from .admission import Usage
from .feedback import Feedback
from .permit import Permit
from .process import Counter, Process
from .prompt_size import Estimator
from .rates import Rates, rates_of
from .waiting import TaskWaiter, ThreadWaiter

__all__ = ["Gate", "Limits", "enter_all", "enter_all_async"]

NAMES = ("concurrency", "rpm", "tpm", "tpd")


class Limits:
    """A limiter for the rate limits of an account: a request waits its turn before it is sent.

    `tier` is a name such as "tier1" (see `kimi_openai.models.TIERS`); the other arguments replace its numbers.
    `concurrency` is the number of open requests, `rpm` requests and `tpm` tokens in a minute, `tpd` tokens in a day;
    `None` means no limit. A request counts in advance with its prompt plus its `max_completion_tokens`, as Kimi counts
    it; the prompt is estimated offline, or by `estimate_tokens` with `estimate="server"` (one more request
    for each; the input of Responses is always estimated offline).

    Requests are served in the order in which they come. A 429 that names a limit or a count corrects the numbers, and
    after an overload all wait, then requests are sent slowly at first, and faster again later. Without numbers
    (`Limits()`) it only learns.

    Give one object to several clients of an account (`limits=limits`) and they share it, synchronous and asynchronous
    ones alike. After a fork, the child counts for itself. In an asynchronous client it needs asyncio, not trio. Another
    `minute`, in seconds, is for tests against an emulator whose minute is shorter too. Raises `ValueError` for a limit
    below 1 or an unknown tier. Source: platform docs, limits page.
    """

    def __init__(
        self,
        tier: str | None = None,
        *,
        concurrency: int | None = None,
        rpm: int | None = None,
        tpm: int | None = None,
        tpd: int | None = None,
        estimate: str = "offline",
        minute: float = 60.0,
    ) -> None:
        if estimate not in ("offline", "server"):
            raise ValueError(f"estimate is {shown(estimate)}; write 'offline' or 'server'")
        if not minute > 0:
            raise ValueError(f"minute is {shown(minute)}; it is a number of seconds above 0")
        given = {"concurrency": concurrency, "rpm": rpm, "tpm": tpm, "tpd": tpd}
        self._rates = _checked_rates(tier, {name: value for name, value in given.items() if value is not None})
        self.estimate = estimate
        self.minute = minute
        self.estimator = Estimator()
        self.warned: set[str] = set()
        self._processes: dict[int, Counter[Any]] = {}

    @property
    def rates(self) -> Rates:
        """The numbers now, with what Kimi has named."""
        return self._process.rates()

    @property
    def counts_tokens(self) -> bool:
        """Whether what a request reserves matters."""
        return self.rates.tpm is not None or self.rates.tpd is not None

    @property
    def open(self) -> int:
        """How many requests are open."""
        return self._process.open

    @property
    def waiting(self) -> int:
        """How many threads and tasks wait for their turn."""
        return len(self._process.line.waiters)

    def usage(self) -> Usage:
        """The open requests, and the requests and reserved tokens of the last minute."""
        return self._process.usage()

    def change(self, **rates: int | None) -> None:
        """Set some of the limits anew while requests run: `change(rpm=200)`."""
        self._rates = _checked_rates(None, {**asdict(self._rates), **rates})
        self._process.change(**rates)

    def enter(self, timeout: float | None = None, *, tokens: int = 0) -> Permit:
        """A permit for a request that reserves so many tokens, as soon as its turn comes.

        Raises `TimeoutError` if that is later than in `timeout` seconds, and `LimitsError` if it is never.
        """
        waiter, process = ThreadWaiter[Any](tokens), self._process
        with process.turn(waiter, timeout) as turn:
            while (seconds := turn.wait()) is not None:
                waiter.wait(seconds)
        return Permit(_Grant(self, process, turn.granted))

    async def enter_async(self, timeout: float | None = None, *, tokens: int = 0) -> Permit:
        """Like `enter`, for a task, which may be cancelled while it waits."""
        waiter, process = TaskWaiter[Any](tokens), self._process
        with process.turn(waiter, timeout) as turn:
            while (seconds := turn.wait()) is not None:
                await waiter.wait(seconds)
        return Permit(_Grant(self, process, turn.granted))

    @property
    def _process(self) -> Counter[Any]:
        pid = os.getpid()  # a forked child never gets back what the threads of its parent hold; setdefault is atomic
        return self._processes.get(pid) or self._processes.setdefault(pid, self._new_process())

    def _new_process(self) -> Counter[Any]:
        return Process(self._rates, self.minute)

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), self._rates, self.estimate, self.minute)

    def __repr__(self) -> str:
        given = [f"{name}={value}" for name, value in asdict(self._rates).items() if value is not None]
        return f"{type(self).__name__}({', '.join(given)})"


class Gate(Limits):
    """A limiter for open requests only: at most `limit` at once; the others wait in the order in which they came.

    Give one `Gate` to several clients of an account (`max_concurrency=gate`) and they share the limit. Raises
    `ValueError` for a limit below 1.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"max_concurrency is {limit}; it is a number of requests from 1 up")
        super().__init__(concurrency=limit)
        self.limit = limit

    def __reduce__(self) -> tuple[Any, ...]:
        return Gate, (self.limit,)

    def __repr__(self) -> str:
        return f"Gate({self.limit})"


@dataclass(frozen=True, slots=True)
class _Grant:
    """What a limiter has granted to one request."""

    limits: Limits
    process: Counter[Any]
    granted: Any

    def give_back(self) -> None:
        self.process.line.give_back(self.granted)

    def sent(self) -> None:
        self.process.sent(self.granted)

    def learn(self, feedback: Feedback) -> None:
        self.process.learn(feedback, self.granted)

    def settle(self, prompt_tokens: int, estimated: int) -> None:
        self.limits.estimator.learn(prompt_tokens, estimated)


def enter_all(limiters: Iterable[Limits], *, tokens: int = 0, timeout: float | None = None) -> Permit:
    """One permit of several limiters, taken in their order. Raises as `Limits.enter` does, and then holds none."""
    end, permit = None if timeout is None else now() + timeout, Permit()
    try:
        for limiter in limiters:
            permit.and_also(limiter.enter(_left(end), tokens=tokens))
    except BaseException:
        permit.release()
        raise
    return permit


async def enter_all_async(limiters: Iterable[Limits], *, tokens: int = 0, timeout: float | None = None) -> Permit:
    """Like `enter_all`, for a task."""
    end, permit = None if timeout is None else now() + timeout, Permit()
    try:
        for limiter in limiters:
            permit.and_also(await limiter.enter_async(_left(end), tokens=tokens))
    except BaseException:
        permit.release()
        raise
    return permit


def _left(end: float | None) -> float | None:
    return None if end is None else max(end - now(), 0.0)


def _checked_rates(tier: str | None, given: Mapping[str, Any]) -> Rates:
    if tier is not None and tier not in TIERS:
        raise ValueError(f"limits are {shown(tier)}; the tiers are {', '.join(TIERS)}")
    for name, value in given.items():
        if name not in NAMES:
            raise ValueError(f"{shown(name)} is no limit; the limits are {', '.join(NAMES)}")
        if value is not None and (type(value) is not int or value < 1):
            raise ValueError(f"{name} is {shown(value)}; it is a number from 1 up, or None")
    return replace(rates_of(tier) if tier is not None else Rates(), **given)


def _remade(kind: type[Limits], rates: Rates, estimate: str, minute: float) -> Limits:
    """A copy for another process (`pickle`), which counts for itself."""
    return kind(**asdict(rates), estimate=estimate, minute=minute)
