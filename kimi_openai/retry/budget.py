"""When the retries of one answer end, which may take several requests.

Each of those requests is made with `max_retries=0`, so that the SDK does not retry as well. How long a failure makes us
wait is decided in `backoff`; nothing here sleeps.
"""

from __future__ import annotations

from random import random

import openai

from kimi_openai.errors.faults import STREAM_CUT

from .backoff import can_be_retried, wait_for
from .deadline import Deadline
from .events import OnRetry, announce
from .failure import Failure, failure_of

__all__ = ["ATTEMPTS", "RetryBudget"]

ATTEMPTS = 10
PATIENCE = 600.0
"""Seconds for a row of failures, if the caller set no patience."""

CUTS = 100
"""Cuts that one answer may have, even if every part of it brought something new."""


class RetryBudget:
    """Ends after `attempts` failures in a row that brought nothing new, and before a wait that `patience` does not
    cover.

    `patience` is seconds from now, for the whole answer. If it is `None`, each row of failures has a fixed time
    instead, which begins with its first failure. `on_retry` is called before each further request.
    """

    def __init__(
        self, attempts: int = ATTEMPTS, patience: float | None = None, on_retry: OnRetry | None = None
    ) -> None:
        self.deadline = Deadline(patience)
        self.attempts = attempts
        self._on_retry = on_retry
        self._failures = self._refusals = self._cuts = 0
        self._row = Deadline(PATIENCE)
        self._stopped = ""

    def after_cut(self, cause: Exception | None, *, progress: bool) -> float | None:
        """The seconds to wait after a stream was cut: 0 if it had brought something new (`progress`), `None` to give
        up. `cause` is what was raised, `None` if the stream just ended."""
        self._cuts += 1
        self._refusals = 0
        if progress:
            self._failures = 0
        if self._cuts > CUTS:
            self._stopped = f"an answer may be cut {CUTS} times at most"
            return None
        failure = failure_of(cause) if isinstance(cause, openai.OpenAIError) else Failure(STREAM_CUT)
        return self._next(
            failure, wait_for(failure, attempt=self._failures - 1, jitter=random()) if self._failures else 0.0
        )

    def after_refusal(self, error: Exception) -> float | None:
        """The seconds to wait after a request that got no answer, `None` to give up."""
        failure = failure_of(error)
        if not can_be_retried(failure):
            return None
        self._refusals += 1  # the wait grows with the refusals in a row; cuts before them do not count
        return self._next(failure, wait_for(failure, attempt=self._refusals - 1, jitter=random()))

    def outcome(self, requests: int) -> str:
        """How many requests were made and why there are no more, for the text of an error."""
        made = f"{requests} requests" if requests > 1 else "not retried"
        return f"{made}; {self._stopped}" if self._stopped else made

    def _next(self, failure: Failure, wait: float) -> float | None:
        if not self._failures:
            self._row = Deadline(PATIENCE)
        self._failures += 1
        deadline = self._row if self.deadline.patience is None else self.deadline
        if deadline.ends_within(wait):
            within = f" within a wait of {wait:.1f} s" if wait else ""
            self._stopped = f"patience={deadline.patience:g} ends{within}"
            return None
        if self._failures >= self.attempts:
            self._stopped = f"{self._failures} in a row brought nothing" if self._failures > 1 else ""
            return None
        announce(failure, self._on_retry, attempt=self._failures, wait=wait, elapsed=self.deadline.elapsed())
        return wait
