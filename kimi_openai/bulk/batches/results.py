"""The lines of the output file and of the error file for the results of a batch. Pure.

An answer is judged as that of a single request: one that is cut off, filtered, no JSON or against its schema is a
failure. It is not asked for again; `retry_failed` does that.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from openai.types import Batch

from kimi_openai._internal.json_values import as_dict
from kimi_openai.bulk.answering import schema_problems_of
from kimi_openai.bulk.records import answer_line, failure_record, response_of
from kimi_openai.bulk.requests import Request
from kimi_openai.compat.fenced_json import asks_for_json, unfenced_json
from kimi_openai.endpoints.batch_output import BatchResult

__all__ = ["line_of", "refused_line"]

AGAIN = "ask again with retry_failed (--retry-failed)"


def line_of(result: BatchResult, request: Request, mark: str, batch: Batch, cost: Decimal) -> tuple[str, bool]:
    """The line for a result, and whether it is an answer. `mark` is the fingerprint of its request."""
    more = {"cost": str(cost), "batch_id": batch.id}
    if result.completion is None:
        code, message = _reason(result, batch)
        response = as_dict(result.line).get("response")
        return failure_record(request, mark, code, message, response, **more), False
    answer = result.completion.model_dump(mode="json", exclude_unset=True, warnings=False)
    code, message = _problem(request.body, answer)
    if message:
        return failure_record(request, mark, code, message, response_of(answer), **more), False
    return answer_line(request, mark, answer, cost, batch.id), True


def refused_line(request: Request, mark: str, batch: Batch, why: str, cost: Decimal) -> str:
    """The line for a request of a batch that failed as a whole."""
    return failure_record(request, mark, "batch_failed", why, cost=str(cost), batch_id=batch.id)


def _reason(result: BatchResult, batch: Batch) -> tuple[str, str]:
    """Why a request has no answer."""
    if result.error is not None:
        return result.error.fault.kind, f"{result.error}; {AGAIN}"
    if result.status == "missing":
        return "batch_missing", f"batch {batch.id} is {batch.status}, and its files have no line for this one; {AGAIN}"
    return f"batch_{result.status}", f"batch {batch.id} is {result.status} and has not answered this one; {AGAIN}"


def _problem(body: dict[str, Any], answer: dict[str, Any]) -> tuple[str, str]:
    """What is wrong with an answer, as a short name and in words; two empty texts if nothing is. Removes a fence."""
    choice: dict[str, Any] = answer["choices"][0]
    message: dict[str, Any] = choice["message"]
    if choice.get("finish_reason") == "length":
        why = "the answer was cut off by max_completion_tokens, and a batch does not continue it; raise it"
        return "TruncatedAnswerError", why
    if choice.get("finish_reason") == "content_filter":
        return "ContentFilterFinishReasonError", "the content filter ended the answer; change what is asked"
    if asks_for_json(body) and not message.get("tool_calls"):
        found = unfenced_json(message.get("content") or "")
        if found is None:
            return "UnexpectedAnswerError", f"the answer is not JSON; {AGAIN}"
        message["content"] = found
    problems = schema_problems_of(body, answer)
    return ("SchemaError", f"the answer does not fit the schema: {problems}; {AGAIN}") if problems else ("", "")
