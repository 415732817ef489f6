"""The rules of `waits.py` as tenacity objects, for loops above single requests.

Never retry around an SDK retry: a loop calls the client with `max_retries=0`.

    for attempt in retrying(attempts=5, patience=60):
        with attempt:
            answer = client.with_options(max_retries=0).chat.completions.create(...)
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from random import random
from typing import Any

import openai
import tenacity

from .errors import fault_of, refusal_of_error
from .faults import Refusal
from .waits import LONGEST_WAIT, OnRetry, RetryEvent, announce, named_wait, real_wait, wait_for

__all__ = ["async_retrying", "retry_if_mendable", "retrying", "stop_after", "wait_as_asked"]


def _parts(error: BaseException | None) -> tuple[Refusal, Mapping[str, str]]:
    refusal = refusal_of_error(error) if isinstance(error, openai.APIError) else Refusal(None)
    headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", {})
    return refusal, headers


def _is_mendable(error: BaseException) -> bool:
    return fault_of(error).retry and (named_wait(*_parts(error)) or 0) <= LONGEST_WAIT


class _RetryIfMendable(tenacity.retry_if_exception):
    """True for errors that a repetition can mend: limits but the daily one, overload, 5xx, timeouts, connections; not
    for a `Retry-After` beyond 120 s. A tenacity `retry=`."""


class _WaitAsAsked(tenacity.wait.wait_base):
    """Waits what the error names, plus jitter; else exponentially, from 3 s for overload, from 0.5 s for the rest. A
    tenacity `wait=`."""

    def __call__(self, retry_state: tenacity.RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        return wait_for(*_parts(error), attempt=retry_state.attempt_number - 1, jitter=random())


retry_if_mendable = _RetryIfMendable(_is_mendable)
wait_as_asked = _WaitAsAsked()


class _StopBefore(tenacity.stop.stop_base):
    def __init__(self, patience: float) -> None:
        self.patience = patience

    def __call__(self, retry_state: tenacity.RetryCallState) -> bool:
        return _elapsed(retry_state) + retry_state.upcoming_sleep >= self.patience


def _elapsed(retry_state: tenacity.RetryCallState) -> float:
    return max(retry_state.seconds_since_start or 0.0, retry_state.idle_for)  # the latter while it is `instant`


def stop_after(attempts: int = 3, patience: float | None = None) -> tenacity.stop.stop_base:
    """Stops after so many attempts, and before a wait that would end beyond `patience` seconds from the start."""
    stop = tenacity.stop_after_attempt(attempts)
    return stop if patience is None else stop | _StopBefore(patience)


def retrying(*, attempts: int = 3, patience: float | None = None, on_retry: OnRetry | None = None) -> tenacity.Retrying:
    """A `tenacity.Retrying` by Kimi's rules: iterate over it, call it with a function, or decorate with `.wraps`.

    `attempts` are all, with the first; `patience` is seconds for all of it; `on_retry` is called before each wait. The
    last error is raised as it is. Call the client inside with `max_retries=0`.
    """
    return tenacity.Retrying(sleep=_sleep, reraise=True, **_rules(attempts, patience, on_retry))


def async_retrying(
    *, attempts: int = 3, patience: float | None = None, on_retry: OnRetry | None = None
) -> tenacity.AsyncRetrying:
    """A `tenacity.AsyncRetrying` with the rules and arguments of `retrying`."""
    return tenacity.AsyncRetrying(sleep=_sleep_async, reraise=True, **_rules(attempts, patience, on_retry))


def _rules(attempts: int, patience: float | None, on_retry: OnRetry | None) -> dict[str, Any]:
    def before_sleep(retry_state: tenacity.RetryCallState) -> None:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        event = RetryEvent(
            attempt=retry_state.attempt_number,
            wait=retry_state.upcoming_sleep,
            elapsed=_elapsed(retry_state),
            kind=fault_of(error).kind if error else "unknown",
            status=getattr(error, "status_code", None),
            request_id=getattr(error, "request_id", None),
        )
        announce(event, on_retry)

    stop = stop_after(attempts, patience)
    return {"retry": retry_if_mendable, "wait": wait_as_asked, "stop": stop, "before_sleep": before_sleep}


def _sleep(seconds: float) -> None:
    time.sleep(real_wait(seconds))


async def _sleep_async(seconds: float) -> None:
    await _portable_sleep(real_wait(seconds))


_portable_sleep: Any = tenacity.AsyncRetrying().sleep  # asyncio's or trio's
