"""How long to wait and when to stop: pure rules over the fault table, and the clock that they are measured by.

The SDK's own loop obeys `advice` as response headers (see `arrivals.py`), our own loops go by `wait_for`; `retries.py`
makes tenacity objects of the same rules. No sleep happens here.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from threading import Lock

from .errors import fault_of
from .faults import Backoff, Kind, Refusal

__all__ = ["LONGEST_WAIT", "OnRetry", "RetryEvent", "advice", "announce", "instant", "named_wait", "now", "real_wait"]
__all__ += ["wait_for"]

log = logging.getLogger("kimi_openai")

LONGEST_WAIT = 120.0
"""Seconds. What asks for more is reported, not waited for (the SDK's own limit, from openai 2 on)."""

LIKE_THE_SDK = Backoff(0.5, 8)
WIDEST_SPREAD = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryEvent:
    """One wait before another attempt: after which `attempt` (from 1) and how many seconds of `wait`, why (`kind` of
    the fault, HTTP `status` if an answer came, its `request_id`), and the seconds that `elapsed` since the first."""

    attempt: int
    wait: float
    elapsed: float
    kind: Kind
    status: int | None = None
    request_id: str | None = None


def advice(refusal: Refusal, headers: Mapping[str, str], *, attempt: int = 0, jitter: float = 0.0) -> dict[str, str]:
    """Response headers that make the SDK's retry loop do what `refusal` calls for; none where it does so by itself.

    `headers` are the response's, their names lower-case or case-insensitive; `attempt` counts from 0; `jitter` is a
    random number from 0 to 1.

    >>> advice(Refusal(429, "rate_limit_reached_error", "please try again after 1 seconds"), {})
    {'x-should-retry': 'true', 'retry-after-ms': '1000'}
    >>> advice(Refusal(429, "exceeded_current_quota_error"), {})
    {'x-should-retry': 'false'}
    """
    fault = fault_of(refusal)
    if fault.kind == "unknown":
        return {}
    named = named_wait(refusal, headers)
    if not fault.retry or (named or 0) > LONGEST_WAIT:
        return {"x-should-retry": "false"}
    if named is None and fault.wait is None:
        return {}
    wait = wait_for(refusal, headers, attempt=attempt, jitter=jitter)
    return {"x-should-retry": "true", "retry-after-ms": f"{wait * 1000:.0f}"}


def wait_for(refusal: Refusal, headers: Mapping[str, str], *, attempt: int = 0, jitter: float = 0.0) -> float:
    """The seconds to wait: what is named plus up to 1, 2, 4, ... seconds of jitter, so that many workers that were
    told the same do not return at once; else the fault's own backoff, else one like the SDK's."""
    named = named_wait(refusal, headers)
    if named is not None:
        return min(named + jitter * min(2.0**attempt, WIDEST_SPREAD), max(named, LONGEST_WAIT))
    return (fault_of(refusal).wait or LIKE_THE_SDK).seconds(attempt, jitter)


def named_wait(refusal: Refusal, headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer itself names, in a header or else in its message; `None` if it does not.

    >>> named_wait(Refusal(429, message="please try again after 6 seconds"), {"retry-after": "2"})
    2.0
    """
    said = re.search(r"try again after (\d+(?:\.\d+)?) second", refusal.message)
    for text in (headers.get("retry-after"), headers.get("x-retry-after"), said and said[1]):
        try:
            seconds = float(text or "")
        except ValueError:
            continue
        if isfinite(seconds) and seconds > 0:
            return seconds
    return None


class _Clock:
    """Time as this package sees it: while it is `instant`, a wait is over at once and the clock is set forward."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.depth = 0
        self.skipped = 0.0


_clock = _Clock()


@contextmanager
def instant() -> Generator[None, None, None]:
    """For tests: nothing waits inside, neither the SDK's loop of our clients nor any loop of this package, in any
    thread. The waits are computed, logged and handed to `on_retry`, and count against `patience`, as if they had been
    slept. Nests; the outermost exit restores."""
    with _clock.lock:
        _clock.depth += 1
    try:
        yield
    finally:
        with _clock.lock:
            _clock.depth -= 1


def now() -> float:
    """A monotonic clock that includes the waits that `instant` skipped."""
    return time.monotonic() + _clock.skipped


def real_wait(seconds: float) -> float:
    """How long to sleep for a wait of so many seconds: all of it, or nothing while it is `instant`."""
    with _clock.lock:
        if not _clock.depth:
            return seconds
        _clock.skipped += seconds
        return 0.0


OnRetry = Callable[[RetryEvent], object]


def announce(event: RetryEvent, on_retry: OnRetry | None) -> None:
    """Log a wait and hand it to the callback."""
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
