"""The amounts of the last minute or day, added up exactly: a sliding window. Pure; the caller passes the time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf

__all__ = ["Bucket", "Window"]


@dataclass(slots=True)
class Bucket:
    """An amount, and the time of the last part of it. It `is_open` until it leaves the window."""

    time: float
    amount: int
    is_open: bool = True


class Window:
    """The sum of what was added in the last `span` seconds.

    Amounts that come within `grain` seconds share a bucket, which leaves the window as a whole, `span` after the last
    of them. So the sum is never too small, and a day has a bounded number of buckets.
    """

    def __init__(self, span: float, grain: float) -> None:
        self.span, self.grain = span, grain
        self.total = 0
        self._buckets: deque[Bucket] = deque()
        self._opened = -inf

    def add(self, amount: int, now: float) -> Bucket:
        """Add an amount. Returns the bucket it is in, for `correct`."""
        self.total += amount
        if self._buckets and now - self._opened < self.grain:
            last = self._buckets[-1]
            last.time = max(last.time, now)
            last.amount += amount
            return last
        self._opened = now
        self._buckets.append(Bucket(now, amount))
        return self._buckets[-1]

    def correct(self, bucket: Bucket, change: int) -> None:
        """Change an amount that was added, unless it has left the window."""
        if bucket.is_open:
            bucket.amount += change
            self.total += change

    def sum(self, now: float, slack: float = 0.0) -> int:
        """The sum, with `slack` seconds added to the span."""
        self._expire(now, slack)
        return self.total

    def wait(self, amount: int, limit: int, now: float, slack: float = 0.0) -> float:
        """The seconds until `amount` more keeps the sum within `limit`: 0 if it does so now, `inf` if it never will.

        >>> window = Window(span=60, grain=0)
        >>> bucket = window.add(7, now=0)
        >>> window.wait(3, 10, now=1), window.wait(4, 10, now=1), window.wait(11, 10, now=1)
        (0.0, 59.0, inf)
        """
        if amount > limit:
            return inf
        excess = self.sum(now, slack) + amount - limit
        if excess <= 0:
            return 0.0
        for bucket in self._buckets:
            excess -= bucket.amount
            if excess <= 0:
                return max(bucket.time + self.span + slack - now, 0.0)
        return inf

    def _expire(self, now: float, slack: float) -> None:
        end = now - self.span - slack
        while self._buckets and self._buckets[0].time <= end:
            gone = self._buckets.popleft()
            gone.is_open = False
            self.total -= gone.amount
