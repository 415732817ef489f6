"""When the next request may be sent under an account's limits: pure, without a clock, locks or I/O.

`Admission` counts the requests that were admitted and says how long the next one has to wait. `adaptation.py` holds
what it learns from refusals. The caller passes the time, and lets one thread in at a time. `limiter.py` is that caller;
a limiter that several machines share can be another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from .adaptation import Adaptation
from .feedback import Feedback
from .rates import Rates
from .window import Bucket, Window

__all__ = ["Admission", "Admitted", "Delay", "Usage"]

DAY = 1440
"""Minutes."""

BURST = 0.1
"""The share of a minute over which a full minute's requests are spread at least. A burst would reach the server late
and unevenly, so that its minute is not ours."""

LEAST = 0.001
"""Seconds: the shortest delay. A shorter one may not move a clock of floating-point numbers at all."""

LONGEST_DAY_WAIT = 120.0
"""Seconds that a request waits for the day's tokens. A longer wait is reported, not waited for."""


@dataclass(frozen=True, slots=True)
class Delay:
    """The seconds until a request may be admitted, `inf` if that needs another one to end, and what it waits for."""

    seconds: float
    reason: str = ""


NOW = Delay(0.0)


@dataclass(slots=True, eq=False)
class Admitted:
    """A request that was admitted: when, its tokens, and where they are counted."""

    time: float
    tokens: int
    buckets: tuple[tuple[Window, Bucket, int], ...] = ()
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """What is in use: open requests, and the requests and reserved tokens of the last minute."""

    open: int
    requests: int
    tokens: int


class Admission:
    """Admits requests so that no limit of `rates` is exceeded in any minute or day, wherever it begins.

    A request counts from its admission, and then from when it was `sent`; one that was refused too: retries count
    toward RPM, and it is not documented that refused tokens do not count. The windows are `slack` seconds longer than
    the server's.
    """

    def __init__(self, rates: Rates, *, minute: float = 60.0, slack: float | None = None) -> None:
        self.adaptation = Adaptation(rates, minute=minute, slack=slack)
        self.open = 0
        self._minute = minute
        self._requests = Window(minute, minute / 1000)
        self._tokens = Window(minute, minute / 1000)
        self._day = Window(DAY * minute, minute)
        self._next = -inf

    def change(self, **rates: int | None) -> None:
        """Set some of the limits anew."""
        self.adaptation.change(**rates)
        self._next = -inf

    def delay(self, tokens: int, now: float) -> Delay:
        """How long a request that reserves so many tokens has to wait from now on."""
        learnt = self.adaptation
        waits = [
            Delay(learnt.paused_until - now, "a pause that Kimi asked for"),
            Delay(self._next - now, "its place in the minute"),
            self._concurrency_delay(now),
            self._window_delay(self._requests, "rpm", 1, now),
            self._window_delay(self._tokens, "tpm", tokens, now),
            self._window_delay(self._day, "tpd", tokens, now),
        ]
        longest = max(waits, key=lambda each: each.seconds)
        return Delay(max(longest.seconds, LEAST), longest.reason) if longest.seconds > 0 else NOW

    def admit(self, tokens: int, now: float) -> Admitted:
        """Count a request whose delay is over."""
        self._next = now + self._spacing(tokens, now)
        return self.adopt(tokens, now)

    def sent(self, request: Admitted, now: float) -> None:
        """The request left only now: until here it waited for a connection, or for its turn in a busy event loop."""
        for window, bucket, amount in request.buckets:
            window.correct(bucket, -amount)
        request.buckets = tuple((window, window.add(amount, now), amount) for window, _, amount in request.buckets)

    def adopt(self, tokens: int, now: float) -> Admitted:
        """Count a request that something else has admitted, now: when it was sent is not known."""
        self.open += 1
        parts = [(self._requests, 1), (self._tokens, tokens)]
        if self.adaptation.limit("tpd", now) is not None:
            parts.append((self._day, tokens))
        return Admitted(
            now, tokens, tuple((window, window.add(amount, now), amount) for window, amount in parts if amount)
        )

    def assume_full(self, now: float, pause: float) -> None:
        """Take the minute as used up, because nothing is known of it, and admit nothing for `pause` seconds.

        The pause is for the open requests of others: whoever has some reports them in that time.
        """
        for name, window in (("rpm", self._requests), ("tpm", self._tokens)):
            limit = self.adaptation.limit(name, now)
            if limit is not None:
                window.add(max(limit - window.sum(now), 0), now)
        self.adaptation.paused_until = max(self.adaptation.paused_until, now + pause)

    def assume_today(self, tokens: int, now: float) -> None:
        """Take at least so many tokens of the day as used."""
        missing = tokens - self._day.sum(now)
        if missing > 0:
            self._day.add(missing, now)

    def today(self, now: float) -> int:
        """The tokens of the last day; 0 if the account has no daily limit."""
        return self._day.sum(now)

    def end(self, request: Admitted) -> None:
        """The request is over: its answer was read, or it failed."""
        if not request.is_over:
            request.is_over = True
            self.open -= 1

    def withdraw(self, request: Admitted) -> None:
        """The request was never sent."""
        self.end(request)
        for window, bucket, amount in request.buckets:
            window.correct(bucket, -amount)
        request.buckets = ()

    def learn(self, feedback: Feedback, request: Admitted, now: float) -> None:
        """Take what a refusal says about the limits."""
        window = {"rpm": self._requests, "tpm": self._tokens}.get(feedback.dimension or "")
        self.adaptation.learn(feedback, now, admitted=request.time, open_requests=self.open)
        if window is None:
            return
        counted = window.sum(now, self.adaptation.slack(now))
        limit = feedback.limit or self.adaptation.limit(feedback.dimension or "", now) or 0
        missing = min(limit if feedback.current is None else feedback.current, limit) - counted
        if missing > 0:  # used by others with the same account, or counted at another time
            window.add(missing, now)

    def refusal(self, tokens: int, now: float) -> str:
        """Why a request of so many tokens can never be sent, or not today; "" if it can."""
        rates = self.adaptation.rates
        for name in ("tpm", "tpd"):
            limit = getattr(rates, name)
            if limit is not None and tokens > limit:
                return (
                    f"the request reserves {tokens:,} tokens (prompt and output limit), and the account's "
                    f"{name} is {limit:,}; set a smaller max_completion_tokens (max_output_tokens in Responses), or "
                    f"shorten the prompt"
                )
        day = self._window_delay(self._day, "tpd", tokens, now)
        if day.seconds > LONGEST_DAY_WAIT:
            hours = day.seconds / 3600
            return f"the day's tokens (tpd={rates.tpd:,}) are used up; go on in {hours:.1f} hours, or raise the tier"
        return ""

    def usage(self, now: float) -> Usage:
        """What is in use now."""
        slack = self.adaptation.slack(now)
        return Usage(self.open, self._requests.sum(now, slack), self._tokens.sum(now, slack))

    def _concurrency_delay(self, now: float) -> Delay:
        most = self.adaptation.concurrency(now)
        if most is None or self.open < most:
            return NOW
        return Delay(1.0 if self.adaptation.share(now) < 1 else inf, "an open request to end (concurrency)")

    def _window_delay(self, window: Window, name: str, amount: int, now: float) -> Delay:
        limit = self.adaptation.limit(name, now)
        if limit is None or not amount:
            return NOW
        wait = window.wait(amount, limit, now, self.adaptation.slack(now))
        if wait == inf:  # the limit is lower for a time
            wait = self.adaptation.lowered_until(name) - now
        return Delay(wait, name)

    def _spacing(self, tokens: int, now: float) -> float:
        share = self.adaptation.share(now)
        rpm, tpm = self.adaptation.limit("rpm", now), self.adaptation.limit("tpm", now)
        even = self._minute * max(1 / rpm if rpm else 0.0, tokens / tpm if tpm else 0.0)
        return even * (BURST if share >= 1 else 1 / share)
