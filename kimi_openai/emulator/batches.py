"""Batches as values: what a create body must be, what an input file must be, and the states a batch walks through.

Pure but for the dictionary of batches. A batch goes on by one state when it is retrieved, so tests decide the pace.
Sources: platform docs, batch pages; the texts of the refusals are not captured and are the emulator's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kimi_openai.models import facts

from .wire import Json, Problem, is_object

__all__ = ["CANCELLABLE", "Batches", "batch_lines", "batch_object", "create_problem", "output_line"]

ENDPOINT = "/v1/chat/completions"
WINDOW = re.compile(r"(\d+)([hd])", re.ASCII)
SAMPLING = ("temperature", "top_p", "n", "presence_penalty", "frequency_penalty")
CANCELLABLE = ("validating", "in_progress", "finalizing")
NEXT: Mapping[str, str] = {
    "validating": "in_progress",
    "in_progress": "finalizing",
    "finalizing": "completed",
    "cancelling": "cancelled",
}
"""The state that follows; the others are final."""


@dataclass(slots=True)
class Batches:
    """BatchObjects by id, oldest first, and how often each was retrieved in its state."""

    by_id: dict[str, Json] = field(default_factory=dict[str, Json])
    polls: dict[str, int] = field(default_factory=dict[str, int])

    def is_due(self, id: str, polls: int) -> bool:
        """Count a retrieval; whether the batch has been in its state for long enough."""
        self.polls[id] = self.polls.get(id, 0) + 1
        if self.polls[id] < polls:
            return False
        self.polls[id] = 0
        return True

    def page(self, after: str | None, limit: int) -> Json:
        """The list body: newest first, with `has_more` and no first or last id."""
        ids = list(reversed(self.by_id))
        start = ids.index(after) + 1 if after in ids else 0
        shown = ids[start : start + limit]
        return {"object": "list", "data": [self.by_id[id] for id in shown], "has_more": start + limit < len(ids)}


def batch_object(id: str, created: int, body: Json) -> Json:
    """A new BatchObject."""
    times = (
        "in_progress_at",
        "expires_at",
        "finalizing_at",
        "completed_at",
        "failed_at",
        "cancelling_at",
        "cancelled_at",
    )
    return {
        "id": id,
        "object": "batch",
        "endpoint": body["endpoint"],
        "input_file_id": body["input_file_id"],
        "completion_window": body["completion_window"],
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": created,
        **dict.fromkeys(times),
        "request_counts": {"completed": 0, "failed": 0, "total": 0},
        "metadata": body.get("metadata"),
    }


def create_problem(body: Any, *, known_file: bool) -> Problem | None:
    """What is wrong with a create body, if anything."""
    if not is_object(body):
        return Problem("Invalid request: the request body is not a JSON object")
    for name in ("input_file_id", "endpoint", "completion_window"):
        if not isinstance(body.get(name), str):
            return Problem(f"missing required parameter: {name}")
    if body["endpoint"] != ENDPOINT:
        return Problem(f"Invalid request: endpoint must be {ENDPOINT}")
    window = WINDOW.fullmatch(body["completion_window"])
    if not window or not 12 <= int(window[1]) * (24 if window[2] == "d" else 1) <= 7 * 24:
        return Problem("Invalid request: completion_window must be between 12h and 7d")
    if not _is_metadata(body.get("metadata")):
        return Problem("Invalid request: metadata takes up to 16 pairs of strings (keys up to 64, values up to 512)")
    return None if known_file else Problem(f"Invalid request: no batch file {body['input_file_id']}")


def _is_metadata(value: Any) -> bool:
    if value is None:
        return True
    return (
        is_object(value)
        and len(value) <= 16
        and all(len(key) <= 64 and isinstance(text, str) and len(text) <= 512 for key, text in value.items())
    )


def batch_lines(data: bytes) -> list[Json] | None:
    """The requests of an input file, or `None` for a file that fails validation.

    Every line names the endpoint, a `custom_id` of its own and a body without sampling parameters; one model per file,
    and one that is listed for batches (kimi-k2.6, kimi-k2.7-code; not the highspeed one, not K3).
    """
    try:
        lines = [json.loads(line) for line in data.decode().splitlines() if line.strip()]
    except ValueError:
        return None
    requests = [line for line in lines if is_object(line) and _is_request(line)]
    models = {str(request["body"].get("model")) for request in requests}
    distinct = len({request["custom_id"] for request in requests}) == len(lines) > 0
    return requests if distinct and len(models) == 1 and all(map(_takes_batches, models)) else None


def _is_request(line: Json) -> bool:
    body = line.get("body")
    return (
        isinstance(line.get("custom_id"), str)
        and line.get("method") == "POST"
        and line.get("url") == ENDPOINT
        and is_object(body)
        and not any(name in body for name in SAMPLING)
    )


def _takes_batches(model: str) -> bool:
    known = facts(model)
    return bool(known.batch) and known.family == model


def output_line(custom_id: str, status: int, body: Json) -> str:
    """A line of an output file; `request_id` is empty and `id` repeats `custom_id`, as in the docs."""
    response = {"status_code": status, "request_id": "", "body": body}
    return json.dumps(
        {"id": custom_id, "custom_id": custom_id, "response": response, "error": None}, ensure_ascii=False
    )


def next_states(batch: Json) -> Iterator[str]:
    """The states still ahead of a batch."""
    state = str(batch["status"])
    while state in NEXT:
        state = NEXT[state]
        yield state
