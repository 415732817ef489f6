"""Batches for the tests: requests, a client, and a batch that has ended."""

from __future__ import annotations

from typing import Any

from kimi_openai import instant, submit_batch, wait_for_batch
from tests.conftest import Mode

MODEL = "kimi-k2.6"


def question(text: str = "Hi", **fields: Any) -> dict[str, Any]:
    """The parameters of a request."""
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **fields}


def questions(count: int) -> dict[str, dict[str, Any]]:
    """Requests by their ids: "r0", "r1", ..."""
    return {f"r{number}": question(f"Question {number}") for number in range(count)}


def ended(mode: Mode, client: Any, requests: Any) -> Any:
    """The batch of these requests when it has ended."""
    batch = mode.run(submit_batch(client, requests))
    with instant():
        return mode.run(wait_for_batch(client, batch))
