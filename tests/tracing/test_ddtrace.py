"""ddtrace: its LLM Observability wraps `create` and `parse` of the SDK's classes, and methods of its clients."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from .comparison import Recorded, each_call, needs
from .exporters import Inbox

needs("ddtrace")
VOLATILE = {"_dd", "duration", "span_id", "trace_id", "start_ns"}
MISSING: dict[str, set[str]] = {}


def set_up() -> Callable[[], list[Any]]:
    """The events that an agent on loopback gets."""
    agent = Inbox({"endpoints": ["/evp_proxy/v2/"]})
    os.environ["DD_TRACE_AGENT_URL"] = agent.url
    for name in ("APM_TRACING", "INSTRUMENTATION_TELEMETRY", "REMOTE_CONFIGURATION"):
        os.environ[f"DD_{name}_ENABLED"] = "false"
    os.environ["_DD_LLMOBS_WRITER_INTERVAL"] = "3600"  # sent by `flush` only
    from ddtrace.llmobs import LLMObs

    LLMObs.enable(agent_service="test", agentless_enabled=False)

    def collect() -> list[Any]:
        LLMObs.flush()
        return [event for sent in agent.take("llmobs") for each in sent for event in each["spans"]]

    return collect


@each_call
def test_the_trace_is_that_of_the_sdks_client(recorded: Recorded, call: str) -> None:
    """One event with messages, tools, answer and usage."""
    recorded.check(call, missing=MISSING)
