"""What follows an attempt of a call: the wait before the next one, and what its answer tells the limiters."""

from __future__ import annotations

import sys
from typing import Any

from kimi_openai._internal.clock import real_wait
from kimi_openai.retry.events import announce
from kimi_openai.retry.failure import failure_of

from .call import Call
from .foreign_errors import connection_error

__all__ = ["settle", "wait_before_retry"]


def settle(response: Any, usage: Any) -> None:
    """Tell the limiters of the call that a response belongs to how large its prompt was."""
    call = Call.of(response)
    if call is not None:
        call.permits.settle(usage)


def wait_before_retry(client: Any, sdk_wait: float) -> float:
    """The seconds that the SDK's retry loop sleeps before the next attempt; `sdk_wait` is its own choice.

    Called in the `except` block of the failed attempt. Raises that attempt's error if the wait would exceed `patience`.
    """
    call, error = Call.current(), sys.exc_info()[1]
    if call is None:
        return sdk_wait
    call.permits.release()
    wait = sdk_wait if call.wait is None else call.wait
    unanswered = None if call.failure else connection_error(error, call.request)
    if call.deadline.ends_within(wait):
        call.stop_reason = f"the next wait, {wait:.1f} s, would end beyond patience={call.options.patience:g}"
        if unanswered is not None:
            raise unanswered from unanswered.__cause__
        raise client._make_status_error_from_response(call.response) from None
    failure = call.failure or failure_of(unanswered)
    announce(failure, call.options.on_retry, attempt=call.attempts, wait=wait, elapsed=call.deadline.elapsed())
    return real_wait(wait)
