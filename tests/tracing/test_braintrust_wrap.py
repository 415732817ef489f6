"""braintrust: `wrap_openai` wraps `create` and `parse` of one client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .comparison import Recorded, each_call, needs
from .exporters import braintrust_rows

needs("braintrust")
VOLATILE = {"start", "end", "time_to_first_token", "exec_counter", "span_id", "root_span_id"}
MISSING = {"refused": {"error"}}
"""It records that a call was made and failed, but no error."""


def set_up() -> Callable[[], list[Any]]:
    """The rows for one log."""
    return braintrust_rows()


def wrap(client: Any) -> Any:
    """The client that braintrust returns."""
    import braintrust

    return braintrust.wrap_openai(client)


@each_call
def test_the_trace_is_that_of_the_sdks_client(recorded: Recorded, call: str) -> None:
    """One row with messages, tools, answer and usage."""
    recorded.check(call, missing=MISSING)
