"""sentry-sdk: its OpenAIIntegration wraps `create` of the SDK's classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .comparison import Recorded, each_call, needs

needs("sentry-sdk")
VOLATILE = {
    "end_timestamp",
    "gen_ai.response.time_to_first_token",
    "parent_span_id",
    "sentry.segment.id",
    "span_id",
    "start_timestamp",
    "trace_id",
}
MISSING = {
    "parse": {"model", "messages", "parsed", "usage"},
    "stream": {"tool call"},
    "stream without usage": {"tool call"},
    "helper": {"tool call"},
    "raw": {"answer", "tool call", "usage"},
    "left early": {"model", "messages", "tools"},
    "refused": {"error"},
}
"""It does not wrap `parse`, and records of streams only the text, if they are read to their end, of raw responses only
the question."""


def set_up() -> Callable[[], list[Any]]:
    """The spans of one transaction for each call."""
    import sentry_sdk
    from sentry_sdk.integrations.openai import OpenAIIntegration
    from sentry_sdk.transport import Transport

    spans: list[Any] = []

    class Kept(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            spans.extend(span for item in envelope.items if item.type == "span" for span in item.payload.json["items"])

    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        transport=Kept,
        traces_sample_rate=1.0,
        send_default_pii=True,
        integrations=[OpenAIIntegration()],
        default_integrations=False,
    )
    transaction = sentry_sdk.start_transaction().__enter__()

    def collect() -> list[Any]:
        nonlocal transaction
        transaction.__exit__(None, None, None)
        transaction = sentry_sdk.start_transaction().__enter__()
        found = list(spans)
        spans.clear()
        return found

    return collect


@each_call
def test_the_trace_is_that_of_the_sdks_client(recorded: Recorded, call: str) -> None:
    """One span with messages, tools, answer and usage."""
    recorded.check(call, missing=MISSING)
