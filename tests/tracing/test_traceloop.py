"""opentelemetry-instrumentation-openai (traceloop's OpenLLMetry) wraps `create` and `parse` of the SDK's classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .comparison import Recorded, each_call, needs
from .exporters import provider_in_memory

needs("opentelemetry-instrumentation-openai")
VOLATILE: set[str] = set()
MISSING: dict[str, set[str]] = {}


def set_up() -> Callable[[], list[Any]]:
    """Spans in memory."""
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    provider, collect = provider_in_memory()
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return collect


@each_call
def test_the_trace_is_that_of_the_sdks_client(recorded: Recorded, call: str) -> None:
    """One span with messages, tools, answer and usage."""
    recorded.check(call, missing=MISSING)
