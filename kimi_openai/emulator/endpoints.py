"""All endpoints but chat: models, token estimate, balance, files, batches, signatures.

Each is a function from the world and a request to an answer; the table at the end is the map.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from kimi_openai.models import facts

from .batches import CANCELLABLE, NEXT, batch_lines, batch_object, create_problem, output_line
from .completions import complete
from .files import Upload, form_fields
from .reading import prompt_tokens
from .record import Request
from .rules import broken_rule
from .shapes import shape_problem
from .wire import CLOSED_API, Answer, Json, Problem, is_object, json_answer, not_found
from .world import World

__all__ = ["ROUTES"]

MODELS_CREATED = 1788143653
BATCH_SHARE = Decimal("0.6")
"""A batch costs 60 % of the real-time price (platform docs, batch pricing)."""


def models(world: World, _: Request) -> Answer:
    """The ids the key may use, with every field that was measured."""
    return json_answer({"object": "list", "data": [model_entry(id) for id in world.behaviour.models]})


def model_entry(id: str) -> Json:
    """An entry of `/v1/models` as measured on 2026-09-03; K3.1's is a copy of K3's, since none was captured."""
    known = facts(id)
    permission = {
        "created": 0,
        "id": "",
        "object": "",
        "organization": "moonshot",
        "group": "moonshot",
        "is_blocking": False,
    }
    entry: Json = {
        "created": MODELS_CREATED,
        "id": id,
        "object": "model",
        "owned_by": "moonshot",
        "permission": [permission],
        "root": "",
        "parent": "",
        "supports_image_in": bool(known.images),
        "supports_video_in": bool(known.videos),
        "supports_reasoning": True,
    }
    if known.control == "reasoning_effort":
        efforts: Json = {"support": True, "valid_efforts": list(known.efforts), "default_effort": known.default_effort}
        entry |= {"supports_dynamic_tools": True, "think_efforts": efforts, "reasoning_efforts": dict(efforts)}
        entry["supports_thinking_type"] = "only"
    return {**entry, "context_length": known.context_length}


def estimate(world: World, request: Request) -> Answer:
    """`{"data":{"total_tokens":n}}`, of the messages alone unless the behaviour counts tools."""
    body: Any = request.json
    problem = shape_problem(body) or broken_rule(body, world.behaviour, estimate=True)
    if problem:
        return problem.answer()
    counted = {**body, "tools": body.get("tools") if world.behaviour.estimate_counts_tools else None}
    return json_answer({"data": {"total_tokens": prompt_tokens(counted, world.behaviour, preamble=False)}})


def balance(world: World, _: Request) -> Answer:
    """What is left: available, voucher, cash."""
    return json_answer(world.account.body())


def upload_file(world: World, request: Request) -> Answer:
    """A new file from the form fields `file` and `purpose`."""
    fields = form_fields(request.headers.get("Content-Type", ""), request.body)
    for name in ("file", "purpose"):
        if name not in fields:
            return Problem(f"missing required parameter: {name}").answer()
    upload, purpose = fields["file"], fields["purpose"].data.decode(errors="replace")
    problem = world.files.problem_with(upload.data, purpose)
    if problem:
        return problem.answer()
    return json_answer(world.files.add(f"file_{world.id('file', request.number)}", world.now, upload, purpose))


def list_files(world: World, request: Request) -> Answer:
    """All files."""
    return json_answer(world.files.list(request.query.get("after")))


def retrieve_file(world: World, _: Request, id: str) -> Answer:
    """One FileObject."""
    return world.files.retrieve(id)


def delete_file(world: World, _: Request, id: str) -> Answer:
    """Delete a file."""
    return world.files.delete(id)


def file_content(world: World, _: Request, id: str) -> Answer:
    """The text of a file, or the lines of a batch output."""
    return world.files.content(id)


def create_batch(world: World, request: Request) -> Answer:
    """A new batch in `validating`; its input file is looked at later."""
    body: Any = request.json
    file = world.files.by_id.get(str(body.get("input_file_id"))) if is_object(body) else None
    problem = create_problem(body, known_file=file is not None and file.purpose == "batch")
    if problem:
        return problem.answer()
    batch = batch_object(f"batch_{world.id('batch', request.number)}", world.now, body)
    world.batches.by_id[batch["id"]] = batch
    return json_answer(batch)


def list_batches(world: World, request: Request) -> Answer:
    """A page of batches."""
    limit = request.query.get("limit", "20")
    return json_answer(world.batches.page(request.query.get("after"), int(limit) if limit.isdigit() else 20))


def retrieve_batch(world: World, _: Request, id: str) -> Answer:
    """The batch as it is; the next retrieval finds it a state further."""
    batch = world.batches.by_id.get(id)
    if batch is None:
        return not_found(f"batch {id}").answer()
    answer = json_answer(batch)
    if world.batches.is_due(id, world.behaviour.batch_polls):
        _advance(world, batch)
    return answer


def cancel_batch(world: World, _: Request, id: str) -> Answer:
    """Cancel a batch that is under way."""
    batch = world.batches.by_id.get(id)
    if batch is None:
        return not_found(f"batch {id}").answer()
    if batch["status"] not in CANCELLABLE:
        return Problem(f"Invalid request: a batch in status {batch['status']} cannot be cancelled").answer()
    batch |= {"status": "cancelling", "cancelling_at": world.now}
    return json_answer(batch)


def _advance(world: World, batch: Json) -> None:
    state = NEXT.get(batch["status"])
    if state is None:
        return
    if state == "in_progress":
        file = world.files.by_id.get(batch["input_file_id"])
        requests = batch_lines(file.data) if file else None
        if requests is None:
            batch |= {"status": "failed", "failed_at": world.now}
            return
        batch["request_counts"]["total"] = len(requests)
    if state == "completed":
        _finish(world, batch)
    batch |= {"status": state, f"{state}_at": world.now}


def _finish(world: World, batch: Json) -> None:
    file = world.files.by_id.get(batch["input_file_id"])
    requests = (batch_lines(file.data) if file else None) or []
    lines: dict[bool, list[str]] = {True: [], False: []}
    for number, request in enumerate(requests):
        status, body = complete(world, request["body"], number)
        lines[status == 200].append(output_line(request["custom_id"], status, body))
        if status == 200:
            world.account.charge(str(body["model"]), body["usage"], share=BATCH_SHARE)
    for good, field in ((True, "output_file_id"), (False, "error_file_id")):
        if lines[good]:
            id = f"file_{world.id(batch['id'], int(good))}"
            upload = Upload(
                "\n".join([*lines[good], ""]).encode(), f"{batch['id']}_{field[:-8]}.jsonl", "application/jsonl"
            )
            batch[field] = world.files.add(id, world.now, upload, "batch_output")["id"]
    batch["request_counts"] |= {"completed": len(lines[True]), "failed": len(lines[False])}


def verify_signature(world: World, request: Request) -> Answer:
    """Whether a signature is this account's for nonce, time and model."""
    body: Any = request.json
    if not is_object(body) or not all(body.get(key) for key in ("nonce", "timestamp", "model", "signature")):
        return Problem("Invalid request: nonce, timestamp, model and signature are required").answer()
    expected = world.signature(str(body["nonce"]), int(body["timestamp"]), str(body["model"]))
    return json_answer({"valid": expected == body["signature"]}, 200, ("Cache-Control", "no-store"))


def closed(_world: World, _: Request) -> Answer:
    """An endpoint that exists and is not open."""
    return CLOSED_API.answer()


ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/v1/models", models),
    ("POST", "/v1/tokenizers/estimate-token-count", estimate),
    ("GET", "/v1/users/me/balance", balance),
    ("POST", "/v1/files", upload_file),
    ("GET", "/v1/files", list_files),
    ("GET", "/v1/files/([^/]+)", retrieve_file),
    ("DELETE", "/v1/files/([^/]+)", delete_file),
    ("GET", "/v1/files/([^/]+)/content", file_content),
    ("POST", "/v1/batches", create_batch),
    ("GET", "/v1/batches", list_batches),
    ("GET", "/v1/batches/([^/]+)", retrieve_batch),
    ("POST", "/v1/batches/([^/]+)/cancel", cancel_batch),
    ("POST", "/v1/signatures/verify", verify_signature),
    ("POST", "/v1/embeddings", closed),
)
"""Method, path and function; the groups of the path are further arguments."""
