"""logfire: `instrument_openai()` wraps `request` of the SDK's clients, and makes a subclass of the stream's class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .comparison import Recorded, each_call, needs
from .exporters import logfire_spans

needs("logfire")
VOLATILE = {"duration", "logfire.msg"}
MISSING: dict[str, set[str]] = {}

ADAPTED = {"logfire.exception.fingerprint"}
"""The hash of an exception's stack."""


def set_up() -> Callable[[], list[Any]]:
    """Spans in memory."""
    import logfire

    collect = logfire_spans()
    logfire.instrument_openai()
    return collect


@each_call
def test_the_trace_is_that_of_the_sdks_client(recorded: Recorded, call: str) -> None:
    """One span with messages, tools, answer and usage; a second one when a stream ends."""
    recorded.check(call, missing=MISSING, adapted=ADAPTED)
