"""weave wraps `create` and `parse` of the SDK's classes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from .comparison import Recorded, each_call, needs
from .exporters import Inbox

needs("weave")
VOLATILE = {"_weave_stream_start_time", "time_to_first_token"}
MISSING = {"stream without usage": {"usage"}}
"""It takes the usage from chunks without choices only."""

ADAPTED = {"request_id"}
"""Kimi names it in a header of its own, which the SDK does not read."""


def set_up() -> Callable[[], list[Any]]:
    """The calls that a server on loopback gets."""
    server = Inbox(
        {
            "data": {"project": {"name": "test"}, "viewer": {"username": "someone"}},
            "digest": "digest",
            "min_required_weave_python_version": "0.0.1",
            "trace_server_version": "9.9.9",
        }
    )
    os.environ["WF_TRACE_SERVER_URL"] = os.environ["WANDB_BASE_URL"] = server.url
    os.environ["WANDB_API_KEY"] = "0" * 40
    os.environ["WANDB_ERROR_REPORTING"] = "false"
    import weave

    client = weave.init("someone/test")
    for processor in (client.server.get_call_processor(), client.server.get_feedback_processor()):
        processor.min_batch_interval = 0.01  # how long `flush` waits

    def collect() -> list[Any]:
        client.flush()
        return [each for sent in server.take("/calls/") for each in sent["batch"]]

    return collect


@each_call
def test_the_trace_is_that_of_the_sdks_client(recorded: Recorded, call: str) -> None:
    """One call with messages, tools, answer and usage."""
    recorded.check(call, missing=MISSING, adapted=ADAPTED)
