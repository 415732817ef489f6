"""The files of a batch that has ended: answers in one, errors in another, in the forms that `Behaviour` chooses.

The docs show a successful line only. Matching by position is wrong, so the order is not that of the input by default.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from kimi_openai.emulator.errors import Problem, invalid_request
from kimi_openai.emulator.json_values import Json
from kimi_openai.emulator.state.files import Upload
from kimi_openai.emulator.state.service_state import ServiceState
from kimi_openai.emulator.validation.batches import line_problem

from .chat import complete

__all__ = ["write_output"]

PRICE_SHARE = Decimal("0.6")
"""A batch costs 60 % of the real-time price (platform docs, batch pricing)."""


def write_output(state: ServiceState, batch: Json, requests: Sequence[Json]) -> None:
    """Answer the requests, pay for them, and store the output file and the error file."""
    completed: list[str] = []
    failed: list[str] = []
    for line, has_failed in _lines(state, requests):
        (failed if has_failed else completed).append(line)
    if state.behaviour.batch_order == "shuffled":
        completed.sort(key=lambda line: hashlib.sha256(line.encode()).digest())
    batch["request_counts"] |= {"completed": len(completed), "failed": len(failed)}
    is_both = state.behaviour.batch_errors_in == "both"
    batch["output_file_id"] = _store(state, batch, "output", [*completed, *(failed if is_both else ())])
    batch["error_file_id"] = _store(state, batch, "error", failed, keep_empty=state.behaviour.batch_empty_error_file)


def _lines(state: ServiceState, requests: Sequence[Json]) -> Iterator[tuple[str, bool]]:
    """The line of each request, and whether it is an error."""
    for number, request in enumerate(requests):
        problem = line_problem(request, state.behaviour)
        status, body = _error(problem) if problem else complete(state, request["body"], number)
        if status == 200:
            state.account.charge(str(body["model"]), body["usage"], share=PRICE_SHARE)
        yield _line(state, request["custom_id"], status, body), status != 200


def _error(problem: str) -> tuple[int, Json]:
    refusal: Problem = invalid_request(problem)
    return refusal.status, {"error": {"message": refusal.message, "type": refusal.type}}


def _line(state: ServiceState, custom_id: str, status: int, body: Json) -> str:
    """A line; `request_id` is empty and `id` repeats `custom_id`, as in the docs."""
    response: Any = {"status_code": status, "request_id": "", "body": body}
    error: Json | None = None
    if status != 200 and state.behaviour.batch_error_line == "error":
        response, error = None, {"code": body["error"]["type"], "message": body["error"]["message"]}
    line = {"id": custom_id, "custom_id": custom_id, "response": response, "error": error}
    return json.dumps(line, ensure_ascii=False)


def _store(
    state: ServiceState, batch: Json, kind: str, lines: Sequence[str], *, keep_empty: bool = False
) -> str | None:
    """The id of a new file with these lines; None without lines."""
    if not lines and not keep_empty:
        return None
    id = f"file_{state.id(batch['id'], int(kind == 'output'))}"
    upload = Upload("".join(f"{line}\n" for line in lines).encode(), f"{batch['id']}_{kind}.jsonl", "application/jsonl")
    state.files.add(id, state.now, upload, "batch_output")
    return id
