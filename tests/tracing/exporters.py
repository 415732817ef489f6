"""Where the tools leave what they recorded: OpenTelemetry spans in memory, requests at a loopback server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kimi_openai
from tests.servers import Answering

__all__ = ["Inbox", "braintrust_rows", "logfire_spans", "provider_in_memory", "spans_in_memory"]


def spans_in_memory() -> tuple[Any, Callable[[], list[Any]]]:
    """A span processor of OpenTelemetry, and a function that returns the spans it has got since it was last called."""
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()

    def collect() -> list[Any]:
        spans = [as_json(span) for span in exporter.get_finished_spans()]
        exporter.clear()
        return spans

    return SimpleSpanProcessor(exporter), collect


def provider_in_memory() -> tuple[Any, Callable[[], list[Any]]]:
    """A tracer provider with `spans_in_memory`."""
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider()
    processor, collect = spans_in_memory()
    provider.add_span_processor(processor)
    return provider, collect


def as_json(span: Any) -> dict[str, Any]:
    """What a span says, without ids and times."""
    return {
        "name": span.name,
        "kind": span.kind.name,
        "status": span.status.status_code.name,
        "attributes": dict(span.attributes),
        "events": [{"name": event.name, **event.attributes} for event in span.events],
    }


def logfire_spans() -> Callable[[], list[Any]]:
    """logfire with `spans_in_memory`. A client that is not in site-packages would count as the user's code."""
    import logfire

    processor, collect = spans_in_memory()
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[processor])
    logfire.add_non_user_code_prefix(Path(kimi_openai.__file__).parent)
    return collect


def braintrust_rows() -> Callable[[], list[Any]]:
    """A log of braintrust in memory, as the current one; returns the rows it has got since it was last called."""
    from braintrust import logger, test_helpers

    test_helpers.simulate_login()
    test_helpers.init_test_logger("test")
    rows = logger._MemoryBackgroundLogger()
    logger._state._override_bg_logger.logger = rows
    return rows.pop


class Inbox:
    """A loopback server that gives each request the same answer and keeps its body."""

    def __init__(self, answer: Any = None) -> None:
        self._server = Answering(200, answer or {}, {}, None)
        self.url = self._server.base_url.removesuffix("/v1")

    def take(self, path: str = "") -> list[Any]:
        """The JSON bodies that were sent to paths with `path` in them since it was last called."""
        sent = list(self._server.requests)
        self._server.requests.clear()
        return [json.loads(body) for _, where, body in sent if path in where]
