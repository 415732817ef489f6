"""The lines of the output file and of the error file: the form of OpenAI's batch output, and some keys more. Pure.

`fingerprint` stands for the request. `cost` is what the line cost, `batch_id` the batch that it is from, `copy_of` the
id of the line that was asked in its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import openai

from kimi_openai._internal.json_values import as_dict, is_dict
from kimi_openai._internal.secrets import mask_keys
from kimi_openai.usage.costs import PriceList, Tokens, tokens_of

from .requests import Request

__all__ = ["COPY_OF", "answer_line", "cost_in", "failure_line", "failure_record", "response_of", "tokens_in"]

COPY_OF, BATCH_ID = "copy_of", "batch_id"


def answer_line(
    request: Request, fingerprint: str, completion: dict[str, Any], cost: Decimal = Decimal(0), batch_id: str = ""
) -> str:
    """The line of an answer, of which `completion` is the JSON."""
    body = json.dumps(completion, ensure_ascii=False, separators=(",", ":"))
    custom_id = json.dumps(request.custom_id, ensure_ascii=False)
    batch = f'"{BATCH_ID}":{json.dumps(batch_id)},' if batch_id else ""
    return (
        f'{{"id":{custom_id},"custom_id":{custom_id},"fingerprint":"{fingerprint}","cost":"{cost}",{batch}'
        f'"response":{{"status_code":200,"request_id":"","body":{body}}},"error":null}}'
    )


def failure_line(
    request: Request, fingerprint: str, kind: str, error: BaseException, cost: Decimal = Decimal(0)
) -> str:
    """The line of a request that failed: the answer of the service, if there was one, and the reason in words."""
    response: Any = None
    if isinstance(error, openai.APIStatusError):
        body: Any = error.body if is_dict(error.body) else {"message": str(error.body)}
        response = {
            "status_code": error.status_code,
            "request_id": error.request_id or "",
            "body": {"error": body},
        }
    elif (completion := getattr(error, "completion", None)) is not None:  # an answer that is not whole
        response = response_of(completion.model_dump(mode="json", exclude_unset=True, warnings=False))
    return failure_record(request, fingerprint, kind, f"{type(error).__name__}: {error}", response, cost=str(cost))


def failure_record(
    request: Request, fingerprint: str, kind: str, message: str, response: Any = None, **more: Any
) -> str:
    """The line of a request that failed, for this reason; `response` is the answer as far as there is one."""
    record = {
        "id": request.custom_id,
        "custom_id": request.custom_id,
        "fingerprint": fingerprint,
        "line": request.number,
        **more,
        "response": response,
        "error": {"code": kind, "message": message},
    }
    return mask_keys(json.dumps(record, ensure_ascii=False, default=str))


def response_of(completion: Any) -> dict[str, Any]:
    """The `response` of a line for the JSON of a completion."""
    return {"status_code": 200, "request_id": "", "body": completion}


def tokens_in(record: dict[str, Any]) -> Tokens:
    """The tokens of a line; none of a copy, which were paid with the line that was asked."""
    return Tokens() if COPY_OF in record else tokens_of(as_dict(_body(record).get("usage")))


def cost_in(record: dict[str, Any], prices: PriceList) -> Decimal:
    """What a line cost, also one of a version that did not write it down."""
    if COPY_OF in record:
        return Decimal(0)
    given = record.get("cost")
    if isinstance(given, str):
        return Decimal(given)
    return prices.cost(str(_body(record).get("model") or ""), tokens_in(record)) or Decimal(0)


def _body(record: dict[str, Any]) -> Mapping[str, Any]:
    return as_dict(as_dict(record.get("response")).get("body"))
