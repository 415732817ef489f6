"""The command `kimi-openai batch`: submit, status, wait, results, cancel, list.

It takes a client, the parsed options and a console, and returns an exit code. `main.py` calls it.
"""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from openai.types import Batch

from kimi_openai._internal.json_values import to_json
from kimi_openai._internal.sanitize import json_line
from kimi_openai.client.clients import KimiOpenAI
from kimi_openai.endpoints.batch_files import batch_results, delete_batch_files
from kimi_openai.endpoints.batch_jobs import submit_batch, wait_for_batch
from kimi_openai.endpoints.batch_output import BatchResult
from kimi_openai.usage.costs import money
from kimi_openai.usage.ledger import track

from .console import Console

__all__ = ["batch"]

COLUMNS = ("id", "status", "done", "failed", "total", "window")


def batch(client: KimiOpenAI, options: Namespace, console: Console) -> int:
    """Run `kimi-openai batch ACTION`."""
    match options.action:
        case "submit":
            with console.waiting(f"submitting {options.path}"):
                made = submit_batch(client, options.path, completion_window=options.window, tag=options.tag)
            console.line(json_line(to_json(made)) if options.json else made.id)
        case "wait":
            return _wait(client, options, console)
        case "results":
            return _results(client, options, console)
        case "list":
            found = list(client.batches.list())
            rows = [COLUMNS, *map(_row, found)]
            console.table(rows, instead=[to_json(each) for each in found] if options.json else None)
        case action:
            method = client.batches.cancel if action == "cancel" else client.batches.retrieve
            _show(method(options.id), options, console)
    return 0


def _row(found: Batch) -> tuple[object, ...]:
    counts = found.request_counts
    numbers = (counts.completed, counts.failed, counts.total) if counts is not None else ("-", "-", "-")
    return (found.id, found.status, *numbers, found.completion_window)


def _show(found: Batch, options: Namespace, console: Console) -> None:
    console.table([COLUMNS, _row(found)], instead=to_json(found) if options.json else None)


def _wait(client: KimiOpenAI, options: Namespace, console: Console) -> int:
    """Exit code 1 if the batch did not complete."""
    seen = ""

    def note(found: Batch) -> None:
        nonlocal seen
        state = " ".join(str(part) for part in _row(found)[1:5])
        if state != seen:
            console.note(f"{found.id}: {state}")
        seen = state

    found = wait_for_batch(client, options.id, on_progress=note, patience=options.patience)
    _show(found, options, console)
    return 0 if found.status == "completed" else 1


def _results(client: KimiOpenAI, options: Namespace, console: Console) -> int:
    """Exit code 1 if a request has no answer."""
    found = client.batches.retrieve(options.id)
    unanswered = 0
    with track(client) as ledger:
        for result in batch_results(client, found):
            unanswered += result.completion is None
            console.line(json_line(_as_json(result)))
    console.note(f"{ledger.calls} answers, {money(ledger.cost, ledger.prices.currency)}; {unanswered} without one")
    if options.delete:
        delete_batch_files(client, found)
    return 1 if unanswered else 0


def _as_json(result: BatchResult) -> dict[str, Any]:
    error = result.error
    return {
        "custom_id": result.custom_id,
        "status": result.status,
        "completion": to_json(result.completion) if result.completion is not None else None,
        "error": {"status_code": error.status_code, "type": error.type, "message": error.message} if error else None,
    }
