"""braintrust: `auto_instrument` wraps `create` and `parse` of the SDK's classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .comparison import Recorded, each_call, needs
from .exporters import braintrust_rows

needs("braintrust")
VOLATILE = {"start", "end", "time_to_first_token", "exec_counter", "span_id", "root_span_id"}
MISSING = {"refused": {"error"}}
"""It records that a call was made and failed, but no error."""

CALLER = {"caller_filename", "caller_functionname", "caller_lineno"}
"""The first frame outside of braintrust. With our client that is the method in client/completions.py."""


def set_up() -> Callable[[], list[Any]]:
    """The rows for one log."""
    import braintrust

    collect = braintrust_rows()
    assert braintrust.auto_instrument()["openai"]
    return collect


@each_call
def test_the_trace_is_that_of_the_sdks_client(recorded: Recorded, call: str) -> None:
    """One row with messages, tools, answer and usage; only the caller differs."""
    recorded.check(call, missing=MISSING, adapted=CALLER)
