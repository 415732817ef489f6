"""What was admitted and refused minute by minute. Only the limiter uses it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from .report import MinuteOfUse

__all__ = ["History"]

KEPT = 1440


@dataclass(slots=True)
class _Minute:
    number: int
    admitted: int = 0
    refused: int = 0
    tokens: int = 0


@dataclass(slots=True)
class History:
    """Totals, and the last 1,440 minutes, counted from the first request."""

    minute: float
    admitted: int = 0
    tokens: int = 0
    _start: float | None = None
    _minutes: deque[_Minute] = field(default_factory=lambda: deque[_Minute](maxlen=KEPT))

    def at(self, now: float) -> _Minute:
        """The minute of this time, to be counted in."""
        self._start = now if self._start is None else self._start
        number = int((now - self._start) // self.minute)
        if not self._minutes or self._minutes[-1].number < number:
            self._minutes.append(_Minute(number))
        return self._minutes[-1]

    def report(self) -> tuple[MinuteOfUse, ...]:
        """The minutes, with those between them in which nothing happened."""
        found: list[MinuteOfUse] = []
        last = self._minutes[0].number - 1 if self._minutes else 0
        for each in self._minutes:
            found += [MinuteOfUse()] * min(each.number - last - 1, KEPT)
            last = each.number
            found.append(MinuteOfUse(each.admitted, each.refused, each.tokens))
        return tuple(found[-KEPT:])
