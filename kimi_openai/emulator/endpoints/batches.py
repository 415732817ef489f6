"""The batch endpoints below `/v1/batches`. A batch moves on by one status when it is retrieved.

Source: platform docs, batch pages.
"""

from __future__ import annotations

from typing import Any

from kimi_openai.emulator.errors import Problem, invalid_request, not_found
from kimi_openai.emulator.frames import Response, json_response
from kimi_openai.emulator.json_values import Json, is_object
from kimi_openai.emulator.recorder import Request
from kimi_openai.emulator.state.batches import CANCELLABLE, NEXT_STATUS, batch_object
from kimi_openai.emulator.state.service_state import ServiceState
from kimi_openai.emulator.validation.batches import batch_problem, batch_requests, has_batch_model

from .batch_output import write_output

__all__ = ["cancel_batch", "create_batch", "list_batches", "retrieve_batch"]

PAGE = 20
"""How many batches a page has if the request does not say it."""


def create_batch(state: ServiceState, request: Request) -> Response:
    """A new batch in status `validating`. Its input file is read at a later retrieval."""
    body: Any = request.json
    file = state.files.by_id.get(str(body.get("input_file_id"))) if is_object(body) else None
    problem = batch_problem(body, known_file=file is not None and file.purpose == "batch")
    if problem:
        return problem.response()
    if state.behaviour.batch_model == "create" and file and not has_batch_model(file.data):
        return invalid_request("the model of the input file does not support batches").response()
    batch = batch_object(f"batch_{state.id('batch', request.number)}", state.now, body)
    state.batches.by_id[batch["id"]] = batch
    return json_response(batch)


def list_batches(state: ServiceState, request: Request) -> Response:
    """A page of batches, newest first, with `has_more` and no first or last id."""
    batches, after, limit = state.batches.by_id, request.query.get("after"), request.query.get("limit", "")
    ids = list(reversed(batches))
    start = ids.index(after) + 1 if after in ids else 0
    size = int(limit) if limit.isdigit() else PAGE
    end = start + min(size, state.behaviour.batch_page_limit or size)
    return json_response({"object": "list", "data": [batches[id] for id in ids[start:end]], "has_more": end < len(ids)})


def retrieve_batch(state: ServiceState, _: Request, id: str) -> Response:
    """The batch as it is. The next retrieval finds it in its next status."""
    batch = state.batches.by_id.get(id)
    if batch is None:
        return _missing(id).response()
    response = json_response(batch)
    if state.batches.is_due(id, state.behaviour.batch_polls):
        _advance(state, batch)
    return response


def cancel_batch(state: ServiceState, _: Request, id: str) -> Response:
    """Cancel a batch that is not finished."""
    batch = state.batches.by_id.get(id)
    if batch is None:
        return _missing(id).response()
    if batch["status"] not in CANCELLABLE:
        return invalid_request(f"a batch in status {batch['status']} cannot be cancelled").response()
    batch |= {"status": "cancelling", "cancelling_at": state.now}
    return json_response(batch)


def _missing(id: str) -> Problem:
    return not_found(f"batch {id}")


def _advance(state: ServiceState, batch: Json) -> None:
    status = NEXT_STATUS.get(batch["status"])
    if status == "finalizing" and state.behaviour.batch_expires:
        status = "expired"
    if status is None:
        return
    if status == "in_progress":
        requests = _requests(state, batch)
        if requests is None:
            batch |= {"status": "failed", "failed_at": state.now}
            return
        batch["request_counts"]["total"] = len(requests)
    if status == "completed":
        write_output(state, batch, _requests(state, batch) or ())
    if status in ("cancelled", "expired") and state.behaviour.batch_keeps_partial:
        requests = _requests(state, batch) or []
        write_output(state, batch, requests[: len(requests) // 2] if batch["in_progress_at"] else ())
    batch["status"] = status
    if f"{status}_at" in batch:
        batch[f"{status}_at"] = state.now


def _requests(state: ServiceState, batch: Json) -> list[Json] | None:
    file = state.files.by_id.get(batch["input_file_id"])
    return batch_requests(file.data, state.behaviour) if file else None
