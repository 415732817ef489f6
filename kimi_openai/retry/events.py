"""What is reported before each wait: one log line, and one `RetryEvent` for the caller's `on_retry`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from kimi_openai.errors.faults import Kind

from .failure import Failure

__all__ = ["OnRetry", "RetryEvent", "announce"]

log = logging.getLogger("kimi_openai")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryEvent:
    """One wait before another attempt.

    `attempt` is the number of the attempt that failed, from 1. `wait` is the seconds until the next one, `elapsed` the
    seconds since the first one began. `kind` is the kind of the fault; `status` (HTTP) and `request_id` are `None` if
    no answer came.
    """

    attempt: int
    wait: float
    elapsed: float
    kind: Kind
    status: int | None = None
    request_id: str | None = None


OnRetry = Callable[[RetryEvent], object]


def announce(failure: Failure, on_retry: OnRetry | None, *, attempt: int, wait: float, elapsed: float) -> None:
    """Log the wait after a failed attempt and call `on_retry`, if there is one."""
    event = RetryEvent(
        attempt=attempt,
        wait=wait,
        elapsed=elapsed,
        kind=failure.fault.kind,
        status=failure.refusal.status,
        request_id=failure.request_id,
    )
    log.info(
        "attempt %d failed (%s, status %s, request %s); the next one follows in %.1f s",
        event.attempt,
        event.kind,
        event.status,
        event.request_id,
        event.wait,
    )
    if on_retry is not None:
        on_retry(event)
