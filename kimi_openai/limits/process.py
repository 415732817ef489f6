"""A limiter in one process: its counts, its line, and the turn of one request, from joining the line to its grant.

`Counter` is what `Limits` needs of it. `Process` counts for itself; `shared_process.py` has the one that asks a limiter
which several processes share.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import Generic, TypeVar

from kimi_openai._internal.clock import now, real_wait
from kimi_openai.errors.exceptions import LimitsError

from .admission import Admission, Admitted, Usage
from .feedback import Feedback
from .rates import Rates
from .waiting import Line, Look, Waiter

__all__ = ["Counter", "Process", "Turn"]

Granted = TypeVar("Granted")

LOOK_AGAIN = 60.0
"""Seconds after which whoever is not the first looks again: the first may be in a loop that has ended."""

UNCERTAIN = 1.0
"""Seconds. A longer delay of the first in the line is certain, so what it does not fit into ends at once."""


class Counter(Generic[Granted]):
    """A line, and what is known of the counts."""

    line: Line[Granted]

    @property
    def open(self) -> int:
        """How many requests are open."""
        raise NotImplementedError

    def rates(self) -> Rates:
        """The limits in force."""
        raise NotImplementedError

    def usage(self) -> Usage:
        """What is in use."""
        raise NotImplementedError

    def change(self, **rates: int | None) -> None:
        """Set some of the limits anew."""
        raise NotImplementedError

    def sent(self, granted: Granted) -> None:
        """A request was written to its connection."""
        raise NotImplementedError

    def learn(self, feedback: Feedback, granted: Granted) -> None:
        """A request was refused."""
        raise NotImplementedError

    @contextmanager
    def turn(self, waiter: Waiter[Granted], timeout: float | None) -> Generator[Turn[Granted], None, None]:
        """The turn of one request. If the `with` block fails, a cancelled task and Ctrl-C too, the turn is given up."""
        self.line.join(waiter)
        try:
            yield Turn(self.line, waiter, timeout, now() + (inf if timeout is None else timeout))
        except BaseException:
            self.line.leave(waiter)
            raise


class Process(Counter[Admitted]):
    """The counts and the line. As the line's rule it is called with the line's lock held."""

    def __init__(self, rates: Rates, minute: float) -> None:
        self.admission = Admission(rates, minute=minute)
        self.line = Line(self)

    @property
    def open(self) -> int:
        return self.admission.open

    def rates(self) -> Rates:
        learnt, time = self.admission.adaptation, now()
        return Rates(*(learnt.limit(name, time) for name in ("concurrency", "rpm", "tpm", "tpd")))

    def usage(self) -> Usage:
        with self.line.lock:
            return self.admission.usage(now())

    def change(self, **rates: int | None) -> None:
        with self.line.lock:
            self.admission.change(**rates)
        self.line.look_again()

    def sent(self, granted: Admitted) -> None:
        with self.line.lock:
            self.admission.sent(granted, now())
        self.line.take_back()

    def learn(self, feedback: Feedback, granted: Admitted) -> None:
        with self.line.lock:
            self.admission.learn(feedback, granted, now())
        self.line.look_again()

    def look(self, tokens: int) -> Look[Admitted]:
        """Admit a request, or say how long it has to wait, or why it cannot be sent."""
        time = now()
        delay = self.admission.delay(tokens, time).seconds
        if delay <= 0:
            return Look(self.admission.admit(tokens, time))
        return Look(None, delay, self.admission.refusal(tokens, time))

    def end(self, grant: Admitted) -> None:
        """A request is over."""
        self.admission.end(grant)

    def withdraw(self, grant: Admitted) -> None:
        """A request was never sent."""
        self.admission.withdraw(grant)


@dataclass(frozen=True, slots=True)
class Turn(Generic[Granted]):
    """The turn of one request, which has to come until `end`."""

    line: Line[Granted]
    waiter: Waiter[Granted]
    timeout: float | None
    end: float

    def wait(self) -> float | None:
        """The seconds to wait before the next look, `None` if the turn has come.

        Raises `TimeoutError` if it will not come in time, `LimitsError` if it never will.
        """
        delay = self.line.poll(self.waiter)
        if self.waiter.refusal:
            raise LimitsError(f"{self.waiter.refusal} (not sent)")
        if self.waiter.grant is not None:
            return None
        left = self.end - now()
        if left <= 0 or (delay > max(left, UNCERTAIN) and delay < inf):
            raise TimeoutError(f"no permit came free within {self.timeout:g} s")
        return min(left, LOOK_AGAIN) if delay == inf else real_wait(min(delay, left, LOOK_AGAIN))

    @property
    def granted(self) -> Granted:
        """What was granted."""
        if self.waiter.grant is None:
            raise RuntimeError("the turn has not come")
        return self.waiter.grant
