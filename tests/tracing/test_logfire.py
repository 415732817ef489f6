"""logfire: `instrument_openai()` wraps `request` of the SDK's clients, and makes a subclass of the stream's class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import kimi_openai

from .comparison import Recorded, each_call, needs
from .exporters import spans_in_memory

needs("logfire")
VOLATILE = {"duration", "logfire.msg"}
MISSING: dict[str, set[str]] = {}

ADAPTED = {"logfire.exception.fingerprint"}
"""The hash of an exception's stack."""


def set_up() -> Callable[[], list[Any]]:
    """Spans in memory."""
    import logfire

    collect = configure()
    logfire.instrument_openai()
    return collect


def configure() -> Callable[[], list[Any]]:
    """Spans in memory. A client that is not in site-packages would count as the user's code."""
    import logfire

    processor, collect = spans_in_memory()
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[processor])
    logfire.add_non_user_code_prefix(Path(kimi_openai.__file__).parent)
    return collect


@each_call
def test_the_trace_is_that_of_the_sdks_client(recorded: Recorded, call: str) -> None:
    """One span with messages, tools, answer and usage; a second one when a stream ends."""
    recorded.check(call, missing=MISSING, adapted=ADAPTED)
