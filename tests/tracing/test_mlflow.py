"""mlflow: `openai.autolog()` wraps `create` and `parse` of the SDK's classes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from .comparison import Recorded, each_call, needs
from .exporters import Inbox, provider_in_memory

needs("mlflow-tracing")
VOLATILE = {"mlflow.traceRequestId"}
MISSING = {"left early": {"model", "messages", "tools"}}
"""A stream that is not read to its end is not recorded."""


def set_up() -> Callable[[], list[Any]]:
    """Spans in memory. mlflow exports them as well, to a server on loopback."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_USE_DEFAULT_TRACER_PROVIDER"] = "false"
    os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = os.environ["MLFLOW_TRACKING_URI"] = Inbox().url
    os.environ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf"
    import mlflow
    from opentelemetry import trace

    provider, collect = provider_in_memory()
    trace.set_tracer_provider(provider)
    mlflow.openai.autolog()
    return collect


@each_call
def test_the_trace_is_that_of_the_sdks_client(recorded: Recorded, call: str) -> None:
    """One span with messages, tools, answer and usage."""
    recorded.check(call, missing=MISSING)
