"""Counting within a time: in the last so many seconds, or since the last full minute or day."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

__all__ = ["Entry", "FixedWindow", "SlidingWindow", "Window"]


@dataclass(slots=True)
class Entry:
    """An amount and the time at which it was added."""

    time: float
    amount: int


@dataclass(slots=True)
class SlidingWindow:
    """Amounts of the last `length` seconds.

    >>> window = SlidingWindow(60)
    >>> _ = window.add(0, 3), window.add(50, 4)
    >>> window.used(59), window.wait(59, 5, limit=9), window.used(60)
    (7, 1, 4)
    """

    length: float
    _entries: deque[Entry] = field(default_factory=deque[Entry])
    _total: int = 0

    def used(self, now: float) -> int:
        """The sum of the amounts."""
        while self._entries and self._entries[0].time <= now - self.length:
            self._total -= self._entries.popleft().amount
        return self._total

    def add(self, now: float, amount: int) -> Entry:
        """Add an amount."""
        self._total += amount
        self._entries.append(Entry(now, amount))
        return self._entries[-1]

    def change(self, now: float, entry: Entry, amount: int) -> None:
        """Correct the amount of an entry, if it still counts."""
        self.used(now)
        if entry.time > now - self.length:
            self._total += amount - entry.amount
            entry.amount = amount

    def wait(self, now: float, amount: int, *, limit: int) -> float:
        """Seconds until `amount` can be added within the limit; the whole length if it never can."""
        excess = self.used(now) + amount - limit
        for entry in self._entries if amount <= limit else ():
            excess -= entry.amount
            if excess <= 0:
                return entry.time + self.length - now
        return self.length


@dataclass(slots=True)
class FixedWindow:
    """Amounts since the last multiple of `length` seconds, counted from the first amount.

    >>> window = FixedWindow(60)
    >>> _ = window.add(0, 3), window.add(50, 4)
    >>> window.used(59), window.wait(59, 5, limit=9), window.used(60)
    (7, 1, 0)
    """

    length: float
    _start: float | None = None
    _total: int = 0

    def used(self, now: float) -> int:
        """The sum of the amounts."""
        if self._start is not None and now - self._start >= self.length:
            self._start += (now - self._start) // self.length * self.length
            self._total = 0
        return self._total

    def add(self, now: float, amount: int) -> Entry:
        """Add an amount."""
        self.used(now)
        self._start = now if self._start is None else self._start
        self._total += amount
        return Entry(now, amount)

    def change(self, now: float, entry: Entry, amount: int) -> None:
        """Correct the amount of an entry, if it still counts."""
        self.used(now)
        if self._start is not None and entry.time >= self._start:
            self._total += amount - entry.amount
            entry.amount = amount

    def wait(self, now: float, amount: int, *, limit: int) -> float:
        """Seconds until the next window; the whole length if `amount` can never be added within the limit."""
        self.used(now)
        return self.length if self._start is None or amount > limit else self._start + self.length - now


Window = SlidingWindow | FixedWindow
