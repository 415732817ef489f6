"""Whether to try again after a failure, and after how many seconds: pure rules over the fault table.

The SDK's own loop gets them as response headers (`advice`); the loops of this package call `wait_for`. `policies` makes
tenacity objects of the same rules. Nothing here sleeps.
"""

from __future__ import annotations

from kimi_openai.errors.faults import Backoff

from .failure import Failure

__all__ = ["LONGEST_WAIT", "advice", "can_be_retried", "wait_for"]

LONGEST_WAIT = 120.0
"""Seconds. A longer wait is reported, not waited for (the SDK has the same limit, from openai 2 on)."""

LIKE_THE_SDK = Backoff(0.5, 8)
"""For faults that have no backoff in the fault table."""

WIDEST_JITTER = 30.0
"""Seconds that jitter adds at most to a wait that the server named."""


def can_be_retried(failure: Failure) -> bool:
    """Whether another attempt may succeed, after a wait that is not too long.

    >>> from kimi_openai.retry.failure import Refusal, failure_of
    >>> can_be_retried(failure_of(Refusal(503))), can_be_retried(failure_of(Refusal(503), {"retry-after": "3600"}))
    (True, False)
    """
    return failure.fault.retry and (failure.named_wait or 0) <= LONGEST_WAIT


def wait_for(failure: Failure, *, attempt: int = 0, jitter: float = 0.0) -> float:
    """The seconds to wait before the next attempt.

    That is the time that the server names, plus jitter that grows with each attempt: workers that were told the same
    time do not all return at once. If it names none, the fault's own backoff decides, or else one like the SDK's.
    `attempt` counts from 0; `jitter` is a random number from 0 to 1.

    >>> from kimi_openai.retry.failure import Refusal, failure_of
    >>> wait_for(failure_of(Refusal(429), {"retry-after": "5"}), attempt=1, jitter=0.5)
    6.0
    """
    named = failure.named_wait
    if named is not None:
        return min(named + jitter * min(2.0**attempt, WIDEST_JITTER), max(named, LONGEST_WAIT))
    return (failure.fault.wait or LIKE_THE_SDK).seconds(attempt, jitter)


def advice(failure: Failure, *, attempt: int = 0, jitter: float = 0.0) -> dict[str, str]:
    """Response headers that make the SDK's retry loop follow these rules; empty where it does so without them.

    The arguments are those of `wait_for`.

    >>> from kimi_openai.retry.failure import Refusal, failure_of
    >>> advice(failure_of(Refusal(429, "rate_limit_reached_error", "please try again after 1 seconds")))
    {'x-should-retry': 'true', 'retry-after-ms': '1000'}
    >>> advice(failure_of(Refusal(429, "exceeded_current_quota_error")))
    {'x-should-retry': 'false'}
    """
    is_known, named = failure.fault.kind != "unknown", failure.named_wait
    if (named or 0) > LONGEST_WAIT or (is_known and not failure.fault.retry):
        return {"x-should-retry": "false"}
    if named is None and failure.fault.wait is None:
        return {}
    wait = {"retry-after-ms": f"{wait_for(failure, attempt=attempt, jitter=jitter) * 1000:.0f}"}
    return {"x-should-retry": "true", **wait} if is_known else wait  # else the SDK decides by the status
