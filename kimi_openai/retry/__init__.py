"""Retries and waits: when a request is tried again, and after how long.

Single requests are retried by the SDK's own loop, which the client steers by what an error means: an empty account or a
daily limit is asked once, "try again after 1 seconds" waits a second, overload backs off longer; `on_retry=` is called
before each wait. `retrying` and `async_retrying` are the same rules for functions of your own; in `instant()` nothing
waits.

`backoff` decides the wait after a `failure`; `policies` are the same rules as tenacity objects; `budget` limits the
retries of one answer. `deadline` is the time that a call may take, and `events` reports each wait. (`Gate` is from
`kimi_openai.limits`.)
"""

from typing import TYPE_CHECKING, Any

from kimi_openai._internal.clock import instant
from kimi_openai.limits.limiter import Gate

from .events import RetryEvent

if TYPE_CHECKING:
    from .policies import async_retrying, retry_if_mendable, retrying, stop_after, wait_as_asked

__all__ = [
    "Gate",
    "RetryEvent",
    "async_retrying",
    "instant",
    "retry_if_mendable",
    "retrying",
    "stop_after",
    "wait_as_asked",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import policies  # imported at first use: tenacity costs as much as the rest of this package together

    return getattr(policies, name)
