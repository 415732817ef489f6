"""The rules of `backoff` as tenacity objects, for loops around single requests.

A loop calls the client with `max_retries=0`, so that the SDK does not retry as well:

    for attempt in retrying(attempts=5, patience=60):
        with attempt:
            answer = client.with_options(max_retries=0).chat.completions.create(...)
"""

from __future__ import annotations

import time
from random import random
from typing import Any

import tenacity

from kimi_openai._internal.clock import now, real_wait

from .backoff import can_be_retried, wait_for
from .deadline import Deadline
from .events import OnRetry, announce
from .failure import Failure, failure_of

__all__ = ["async_retrying", "retry_if_mendable", "retrying", "stop_after", "wait_as_asked"]


class _RetryIfMendable(tenacity.retry_if_exception):
    """True for errors after which another attempt may succeed: limits (not the daily one), overload, 5xx, timeouts,
    connections; false if the server names a wait that is too long. A tenacity `retry=`."""


class _WaitAsAsked(tenacity.wait.wait_base):
    """Waits as long as the error says, plus jitter; if it names no time, exponentially, as the fault table says for
    its kind. A tenacity `wait=`."""

    def __call__(self, retry_state: tenacity.RetryCallState) -> float:
        return wait_for(_failure(retry_state), attempt=retry_state.attempt_number - 1, jitter=random())


retry_if_mendable = _RetryIfMendable(lambda error: can_be_retried(failure_of(error)))
wait_as_asked = _WaitAsAsked()


class _StopBefore(tenacity.stop.stop_base):
    def __init__(self, patience: float) -> None:
        self.patience = patience

    def __call__(self, retry_state: tenacity.RetryCallState) -> bool:
        return _deadline(retry_state, self.patience).ends_within(retry_state.upcoming_sleep)


def _failure(retry_state: tenacity.RetryCallState) -> Failure:
    return failure_of(retry_state.outcome.exception() if retry_state.outcome else None)


def _deadline(retry_state: tenacity.RetryCallState, patience: float | None = None) -> Deadline:
    """The deadline of a loop that tenacity times: its own clock does not see the waits that `instant` skips."""
    elapsed = max(retry_state.seconds_since_start or 0.0, retry_state.idle_for)
    return Deadline(patience, started=now() - elapsed)


def stop_after(attempts: int = 3, patience: float | None = None) -> tenacity.stop.stop_base:
    """A tenacity `stop=`: stops after so many attempts, and before a wait that would end more than `patience` seconds
    after the start."""
    stop = tenacity.stop_after_attempt(attempts)
    return stop if patience is None else stop | _StopBefore(patience)


def retrying(*, attempts: int = 3, patience: float | None = None, on_retry: OnRetry | None = None) -> tenacity.Retrying:
    """A `tenacity.Retrying` with the rules for Kimi: iterate over it, call it with a function, or decorate by `.wraps`.

    `attempts` counts the first one too; `patience` is the seconds for all attempts and waits; `on_retry` is called with
    a `RetryEvent` before each wait. The last error is raised unchanged. Call the client inside with `max_retries=0`.
    """
    return tenacity.Retrying(sleep=_sleep, reraise=True, **_rules(attempts, patience, on_retry))


def async_retrying(
    *, attempts: int = 3, patience: float | None = None, on_retry: OnRetry | None = None
) -> tenacity.AsyncRetrying:
    """A `tenacity.AsyncRetrying` with the rules and arguments of `retrying`."""
    return tenacity.AsyncRetrying(sleep=_sleep_async, reraise=True, **_rules(attempts, patience, on_retry))


def _rules(attempts: int, patience: float | None, on_retry: OnRetry | None) -> dict[str, Any]:
    def before_sleep(retry_state: tenacity.RetryCallState) -> None:
        announce(
            _failure(retry_state),
            on_retry,
            attempt=retry_state.attempt_number,
            wait=retry_state.upcoming_sleep,
            elapsed=_deadline(retry_state).elapsed(),
        )

    stop = stop_after(attempts, patience)
    return {"retry": retry_if_mendable, "wait": wait_as_asked, "stop": stop, "before_sleep": before_sleep}


def _sleep(seconds: float) -> None:
    time.sleep(real_wait(seconds))


async def _sleep_async(seconds: float) -> None:
    await _portable_sleep(real_wait(seconds))


_portable_sleep: Any = tenacity.AsyncRetrying().sleep  # asyncio's or trio's
