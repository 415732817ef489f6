"""The lines of the output file and of the error file: the form of OpenAI's batch output, and a fingerprint. Pure."""

from __future__ import annotations

import json
from typing import Any

import openai

from kimi_openai._internal.json_values import as_dict, is_dict
from kimi_openai._internal.secrets import mask_keys
from kimi_openai.usage.costs import Tokens, tokens_of

from .requests import Request

__all__ = ["answer_line", "failure_line", "model_of", "tokens_in"]


def answer_line(request: Request, fingerprint: str, completion: dict[str, Any]) -> str:
    """The line of an answer, of which `completion` is the JSON."""
    body = json.dumps(completion, ensure_ascii=False, separators=(",", ":"))
    custom_id = json.dumps(request.custom_id, ensure_ascii=False)
    return (
        f'{{"id":{custom_id},"custom_id":{custom_id},"fingerprint":"{fingerprint}",'
        f'"response":{{"status_code":200,"request_id":"","body":{body}}},"error":null}}'
    )


def failure_line(request: Request, fingerprint: str, kind: str, error: BaseException) -> str:
    """The line of a request that failed: the answer of the service, if there was one, and the reason in words."""
    response: Any = None
    if isinstance(error, openai.APIStatusError):
        body: Any = error.body if is_dict(error.body) else {"message": str(error.body)}
        response = {
            "status_code": error.status_code,
            "request_id": error.request_id or "",
            "body": {"error": body},
        }
    record = {
        "id": request.custom_id,
        "custom_id": request.custom_id,
        "fingerprint": fingerprint,
        "line": request.number,
        "response": response,
        "error": {"code": kind, "message": f"{type(error).__name__}: {error}"},
    }
    return mask_keys(json.dumps(record, ensure_ascii=False, default=str))


def tokens_in(record: dict[str, Any]) -> Tokens:
    """The tokens of an answer in the output file."""
    return tokens_of(as_dict(as_dict(as_dict(record.get("response")).get("body")).get("usage")))


def model_of(record: dict[str, Any]) -> str:
    """The model of an answer in the output file."""
    return str(as_dict(as_dict(record.get("response")).get("body")).get("model") or "")
