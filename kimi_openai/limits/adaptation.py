"""What a limiter learns from refusals: limits that Kimi names, pauses, and how fast to go after an overload. Pure."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from .feedback import Feedback
from .rates import Rates

__all__ = ["Adaptation"]

HOLD = 5
"""Minutes for which a named limit below the caller's own is kept: load lowers limits for a time (limits page)."""

LONGEST_PAUSE = 120.0
LEAST_SHARE = 1 / 16
SLACK = 1 / 60
"""The part of a minute by which the windows are longer than the server's: requests do not arrive as evenly as they are
sent."""

MOST_SLACK = 5 / 60
SLACK_FADES = 10
"""Minutes in which slack that was learnt goes back to the usual one."""


class Adaptation:
    """The limits in force. Times are those that the caller passes; a `minute` has so many seconds."""

    def __init__(self, rates: Rates, *, minute: float = 60.0, slack: float | None = None) -> None:
        self.rates, self._minute = rates, minute
        self.paused_until = -inf
        self._named: dict[str, tuple[int, float]] = {}
        self._slack = SLACK * minute if slack is None else slack
        self._more_slack, self._widened = 0.0, -inf
        self._share, self._cut, self._open_at_cut = 1.0, -inf, 1

    def change(self, **rates: int | None) -> None:
        """Set some of the limits anew; what Kimi named for them before is forgotten."""
        self.rates = replace(self.rates, **rates)
        for name in rates:
            self._named.pop(name, None)

    def limit(self, name: str, now: float) -> int | None:
        """The limit of this name: the caller's, or a lower one that Kimi named lately. `None` if there is none."""
        own: int | None = getattr(self.rates, name)
        named, until = self._named.get(name, (None, inf))
        if named is None or now >= until:
            return own
        return named if own is None else min(own, named)

    def lowered_until(self, name: str) -> float:
        """Until when a limit is lower than the caller's own."""
        return self._named.get(name, (None, inf))[1]

    def concurrency(self, now: float) -> int | None:
        """How many requests may be open."""
        limit, share = self.limit("concurrency", now), self.share(now)
        if share >= 1:
            return limit
        return max(1, int(share * (self._open_at_cut if limit is None else limit)))

    def share(self, now: float) -> float:
        """The share of the limits that is used: less than 1 after an overload, then rising within a minute."""
        if self._share >= 1:
            return 1.0
        return min(self._share + max(now - max(self._cut, self.paused_until), 0.0) / self._minute, 1.0)

    def slack(self, now: float) -> float:
        """The seconds by which the windows are longer than the server's."""
        if not self._more_slack:
            return self._slack
        return self._slack + self._more_slack * max(0.0, 1 - (now - self._widened) / (SLACK_FADES * self._minute))

    def learn(self, feedback: Feedback, now: float, *, admitted: float, open_requests: int) -> None:
        """Take a refusal of a request that was `admitted` at this time, when so many requests were open."""
        if feedback.dimension is None:
            self._slow_down(now, admitted, open_requests)
        elif feedback.limit is not None:
            self._name(feedback.dimension, feedback.limit, now)
        if feedback.dimension in ("rpm", "tpm"):
            least, most = SLACK * self._minute / 2, MOST_SLACK * self._minute
            self._more_slack = min(max(2 * (self.slack(now) - self._slack), least), most)
            self._widened = now
        if feedback.dimension != "tpd":  # the others wait for the day's end in vain
            self.paused_until = max(self.paused_until, now + min(feedback.wait, LONGEST_PAUSE))

    def _name(self, name: str, limit: int, now: float) -> None:
        own: int | None = getattr(self.rates, name)
        if own is None or limit < own:
            self._named[name] = (limit, inf if own is None else now + HOLD * self._minute)

    def _slow_down(self, now: float, admitted: float, open_requests: int) -> None:
        """Halve the share, once for all requests that were sent before the last time."""
        if admitted >= self._cut:
            self._open_at_cut = max(open_requests, 1)
            self._share, self._cut = max(self.share(now) / 2, LEAST_SHARE), now
