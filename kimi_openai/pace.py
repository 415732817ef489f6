"""When a lasting exchange asks again, and when it gives up.

Above single requests, which it therefore makes with `max_retries=0`; what an error means and how long it asks to wait
is decided in `waits.py`, and no sleep happens here.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import random
from typing import Any

import openai

from .errors import fault_of, refusal_of_error
from .faults import Refusal
from .waits import LONGEST_WAIT, OnRetry, RetryEvent, announce, named_wait, now, wait_for

__all__ = ["ATTEMPTS", "Pace", "can_be_mended"]

ATTEMPTS = 10
PATIENCE = 600.0
"""Seconds, where the caller gave none."""

CUTS = 100
"""Cuts of one answer that are mended, whatever progress each part brought."""


class Pace:
    """Gives up after so many `attempts` in a row that brought nothing, and before a wait that would end beyond the
    `patience`: seconds from the beginning, or, where `None` is given, some minutes from the first of those attempts."""

    def __init__(
        self, attempts: int = ATTEMPTS, patience: float | None = None, on_retry: OnRetry | None = None
    ) -> None:
        self._attempts = attempts
        self._patience = patience
        self._on_retry = on_retry
        self._failures = self._refusals = self._cuts = 0
        self._started = self._since = now()
        self._stopped = ""

    def left(self) -> float | None:
        """The seconds that are left of a patience that was given."""
        return None if self._patience is None else max(self._started + self._patience - now(), 0.001)

    def after_cut(self, cause: Exception | None, *, progress: bool) -> float | None:
        """Seconds to wait after a stream that broke off, `None` to give up; none where it had brought something new."""
        self._cuts += 1
        self._refusals = 0
        if progress:
            self._failures = 0
        if self._cuts > CUTS:
            self._stopped = f"{CUTS} cuts are mended at most"
            return None
        parts = _parts(cause)
        return self._again(
            cause, wait_for(*parts, attempt=self._failures - 1, jitter=random()) if self._failures else 0
        )

    def after_refusal(self, error: Exception) -> float | None:
        """Seconds to wait after a request that brought no answer, `None` to give up."""
        if not can_be_mended(error):
            return None
        self._refusals += 1  # a wait grows with those in a row, not with the cuts before them
        return self._again(error, wait_for(*_parts(error), attempt=self._refusals - 1, jitter=random()))

    def outcome(self, requests: int) -> str:
        """How often it was asked, and why no more."""
        asked = f"{requests} requests" if requests > 1 else "not retried"
        return f"{asked}; {self._stopped}" if self._stopped else asked

    def _again(self, error: Exception | None, wait: float) -> float | None:
        if not self._failures:
            self._since = now()
        self._failures += 1
        left = self._since + PATIENCE - now() if self._patience is None else self._started + self._patience - now()
        if self._failures >= self._attempts:
            self._stopped = f"{self._failures} in a row brought nothing" if self._failures > 1 else ""
            return None
        if wait >= left:
            self._stopped = f"patience={self._patience or PATIENCE:g} ends" + (
                f" within a wait of {wait:.1f} s" * (wait > 0)
            )
            return None
        event = RetryEvent(
            attempt=self._failures,
            wait=wait,
            elapsed=now() - self._started,
            kind=fault_of(error).kind if isinstance(error, openai.OpenAIError) else "stream_cut",
            status=getattr(error, "status_code", None),
            request_id=getattr(error, "request_id", None),
        )
        announce(event, self._on_retry)
        return wait


def can_be_mended(error: Exception) -> bool:
    """Whether asking again may help, within a wait that is worth it."""
    return fault_of(error).retry and (named_wait(*_parts(error)) or 0) <= LONGEST_WAIT


def _parts(error: Exception | None) -> tuple[Refusal, Mapping[str, str]]:
    headers: Any = getattr(getattr(error, "response", None), "headers", {})
    return refusal_of_error(error) if isinstance(error, openai.APIError) else Refusal(None), headers
