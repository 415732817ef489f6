"""opentelemetry-instrumentation-genai-openai, the successor of openai-v2, wraps `create` and `parse` of the SDK's
classes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from .comparison import Recorded, each_call, needs
from .exporters import provider_in_memory

needs("opentelemetry-instrumentation-genai-openai")
VOLATILE = {"server.port", "gen_ai.response.time_to_first_chunk"}
MISSING = {"refused": {"error"}}
"""It records only the class of an error."""


def set_up() -> Callable[[], list[Any]]:
    """Spans in memory, with the messages as attributes."""
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "span_only"
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    provider, collect = provider_in_memory()
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return collect


@each_call
def test_the_trace_is_that_of_the_sdks_client(recorded: Recorded, call: str) -> None:
    """One span with messages, tools, answer and usage."""
    recorded.check(call, missing=MISSING)
