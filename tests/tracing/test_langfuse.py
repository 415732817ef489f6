"""langfuse: `import langfuse.openai` wraps `create` and `parse` of the SDK's classes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from .comparison import Recorded, each_call, needs
from .exporters import provider_in_memory

needs("langfuse")
VOLATILE: set[str] = set()
MISSING: dict[str, set[str]] = {}


def set_up() -> Callable[[], list[Any]]:
    """Spans in memory."""
    from langfuse import Langfuse

    provider, collect = provider_in_memory()
    Langfuse(public_key="pk", secret_key="sk", base_url="http://127.0.0.1:9", tracer_provider=provider)
    importlib.import_module("langfuse.openai")
    return collect


@each_call
def test_the_trace_is_that_of_the_sdks_client(recorded: Recorded, call: str) -> None:
    """One span with messages, tools, answer and usage."""
    recorded.check(call, missing=MISSING)
