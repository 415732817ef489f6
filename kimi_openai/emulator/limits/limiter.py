"""Which requests the limits refuse: concurrency, requests and tokens a minute, tokens a day, as Kimi counts them.

A request reserves its prompt and its limit on the output when it arrives, whatever is then produced. Source: platform
docs of 2026-09-03 (introduction, pricing--limits). `Behaviour` has the switches for what they leave open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from threading import Lock

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.errors import Problem, RateLimit, rate_limit_reached

from .account_limits import AccountLimits
from .history import History
from .report import LimitReport
from .windows import Entry, FixedWindow, SlidingWindow, Window

__all__ = ["Limiter"]

MINUTES_OF_A_DAY = 1440
TOKEN_LIMITS: tuple[RateLimit, ...] = ("tpm", "project_tpm", "tpd")


class Limiter:
    """The limits of one organization. All methods may be called from any thread.

    `minute` is how many seconds of the clock a minute lasts; a day has 1,440 of them.
    """

    def __init__(
        self, limits: AccountLimits, behaviour: Behaviour, clock: Callable[[], float], minute: float = 60.0
    ) -> None:
        self._limits, self._behaviour, self._clock, self._minute = limits, behaviour, clock, minute
        self._lock = Lock()
        self._reset()

    def _reset(self) -> None:
        make = SlidingWindow if self._behaviour.limit_window == "sliding" else FixedWindow
        self._windows: dict[RateLimit, Window] = {
            "rpm": make(self._minute),
            "tpm": make(self._minute),
            "project_tpm": make(self._minute),
            "tpd": FixedWindow(self._minute * MINUTES_OF_A_DAY),
        }
        self._running: dict[int, dict[RateLimit, Entry]] = {}
        self._refused: Counter[str] = Counter()
        self._history = History(self._minute)
        self._most_running = self._used_tokens = 0

    def change(self, limits: AccountLimits) -> None:
        """Other limits from now on. What was used still counts for the limits that were set before."""
        with self._lock:
            self._limits = limits

    def clear(self) -> None:
        """Forget what was used. Requests that are under way no longer count."""
        with self._lock:
            self._reset()

    def is_within_budget(self, spent: Decimal) -> bool:
        """Whether the project may spend more."""
        budget = self._limits.project_budget
        return budget is None or spent < Decimal(str(budget))

    def admit(self, number: int, tokens: int) -> tuple[Problem, float] | None:
        """None if request `number` may reserve `tokens`, else the 429 and the seconds that it tells to wait."""
        with self._lock:
            now = self._clock()
            reached = self._reached(now, tokens)
            if reached is not None:
                kind, limit, current = reached
                self._refused[kind] += 1
                self._history.at(now).refused += 1
                self._count(now, "rpm", int(self._behaviour.refused_count))
                return self._refusal(now, kind, limit, current, tokens)
            minute = self._history.at(now)
            minute.admitted, minute.tokens = minute.admitted + 1, minute.tokens + tokens
            self._history.admitted, self._history.tokens = self._history.admitted + 1, self._history.tokens + tokens
            self._count(now, "rpm", 1)
            entries: dict[RateLimit, Entry] = {}
            for kind in TOKEN_LIMITS:
                entry = self._count(now, kind, tokens)
                if entry is not None:
                    entries[kind] = entry
            self._running[number] = entries
            self._most_running = max(self._most_running, len(self._running))
            return None

    def count_failure(self) -> None:
        """Count a request that got an error before it reached the limits, such as one of a queued fault."""
        with self._lock:
            self._count(self._clock(), "rpm", int(self._behaviour.refused_count))

    def settle(self, number: int, tokens: int) -> None:
        """The tokens that the answer really had; `Behaviour.refunds` gives back the rest of what was reserved."""
        with self._lock:
            self._used_tokens += tokens
            for kind, entry in self._running.get(number, {}).items() if self._behaviour.refunds else ():
                self._windows[kind].change(self._clock(), entry, tokens)

    def release(self, number: int) -> None:
        """The response to request `number` has ended, so it no longer counts as running."""
        with self._lock:
            self._running.pop(number, None)

    def report(self) -> LimitReport:
        """What was used and refused so far."""
        with self._lock:
            now = self._clock()
            return LimitReport(
                limits=self._limits,
                admitted=self._history.admitted,
                refused=dict(self._refused),
                running=len(self._running),
                most_running=self._most_running,
                reserved_tokens=self._history.tokens,
                used_tokens=self._used_tokens,
                requests_now=self._windows["rpm"].used(now),
                tokens_now=self._windows["tpm"].used(now),
                tokens_today=self._windows["tpd"].used(now),
                minutes=self._history.report(),
            )

    def _limit_of(self, kind: RateLimit) -> int | None:
        limit: int | None = getattr(self._limits, kind)
        return limit

    def _reached(self, now: float, tokens: int) -> tuple[RateLimit, int, int] | None:
        """The first limit that the request would pass: its kind, the limit, and what would then be used."""
        amounts: dict[RateLimit, int] = {"rpm": 1, **dict.fromkeys(TOKEN_LIMITS, tokens)}
        most = self._limits.concurrency
        if most is not None and len(self._running) >= most:
            return "concurrency", most, len(self._running) + 1
        for kind, amount in amounts.items():
            limit = self._limit_of(kind)
            if limit is not None and (current := self._windows[kind].used(now) + amount) > limit:
                return kind, limit, current
        return None

    def _count(self, now: float, kind: RateLimit, amount: int) -> Entry | None:
        """Add to a window whose limit is set."""
        return self._windows[kind].add(now, amount) if amount and self._limit_of(kind) is not None else None

    def _refusal(self, now: float, kind: RateLimit, limit: int, current: int, tokens: int) -> tuple[Problem, float]:
        wait = self._minute / 60
        if self._behaviour.exact_retry_after and kind in self._windows:
            wait = self._windows[kind].wait(now, 1 if kind == "rpm" else tokens, limit=limit)
        return rate_limit_reached(kind, limit=limit, current=current, seconds=wait), wait
