"""langsmith: `wrap_openai` replaces `create` and `parse` of one client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .comparison import Recorded, each_call, needs
from .exporters import Inbox

needs("langsmith")
VOLATILE: set[str] = set()
MISSING: dict[str, set[str]] = {}

tracing: dict[str, Any] = {}


def set_up() -> Callable[[], list[Any]]:
    """The runs that a server on loopback gets."""
    import langsmith

    server = Inbox()
    tracing["client"] = langsmith.Client(api_url=server.url, api_key="key", auto_batch_tracing=False, info={})
    tracing["enabled"] = True

    def collect() -> list[Any]:
        tracing["client"].flush()
        return server.take("/runs")

    return collect


def wrap(client: Any) -> Any:
    """The same client with other methods."""
    from langsmith.wrappers import wrap_openai

    return wrap_openai(client, tracing_extra=tracing)


@each_call
def test_the_trace_is_that_of_the_sdks_client(recorded: Recorded, call: str) -> None:
    """One run, sent at its start and at its end, with messages, tools, answer and usage."""
    recorded.check(call, missing=MISSING)
