"""openinference-instrumentation-openai wraps `request` of the SDK's clients: it sees what is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .comparison import Recorded, each_call, needs
from .exporters import provider_in_memory

needs("openinference-instrumentation-openai")
VOLATILE: set[str] = set()
MISSING: dict[str, set[str]] = {}

ADAPTED = {"title"}
"""Kimi's schemas have no titles, pydantic's do."""


def set_up() -> Callable[[], list[Any]]:
    """Spans in memory."""
    from openinference.instrumentation.openai import OpenAIInstrumentor

    provider, collect = provider_in_memory()
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return collect


@each_call
def test_the_trace_is_that_of_the_sdks_client(recorded: Recorded, call: str) -> None:
    """One span with messages, tools, answer and usage."""
    recorded.check(call, missing=MISSING, adapted=ADAPTED)
