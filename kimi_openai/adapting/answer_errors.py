"""Exceptions of the SDK and of this package as error answers in OpenAI's form, with the texts that our client has.

OpenAI's clients make the exception of the same class from the status, and retry as `x-should-retry` says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeGuard

import openai

from kimi_openai._internal.json_values import as_dict, is_object
from kimi_openai._internal.secrets import mask_keys
from kimi_openai.client.hooks import status_error_text
from kimi_openai.errors.exceptions import CompatError, MissingKeyError, SettingsError, StreamCutError
from kimi_openai.errors.explanations import refusal_of_error

from .message import JSON, WireAnswer, answer_headers

__all__ = ["error_answer", "error_body", "is_unanswered", "plain_error"]

FINAL: Mapping[str, str] = {"x-should-retry": "false"}


def is_unanswered(error: BaseException) -> bool:
    """Whether no answer came, so that there is none to pass on."""
    return isinstance(error, openai.APIConnectionError)


def error_answer(error: openai.OpenAIError) -> WireAnswer:
    """The error answer for an exception."""
    headers: Mapping[str, str] = {} if is_unanswered(error) else FINAL
    if isinstance(error, openai.APIStatusError):
        headers = answer_headers(error.response.headers.items())
        if not _has_error_status(error):
            headers = {**headers, **FINAL}
    return WireAnswer(_status(error), {**headers, "content-type": JSON}, error_body(error))


def plain_error(status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> WireAnswer:
    """An error answer that stands for no exception."""
    error = {"message": message, "type": kind, "param": None, "code": None}
    return WireAnswer(status, {**FINAL, **(headers or {}), "content-type": JSON}, _json({"error": error}))


def error_body(error: openai.OpenAIError) -> bytes:
    """The JSON of an error answer or of an error event: the fields that Kimi sent, and our client's text."""
    sent: Any = getattr(error, "body", None) if isinstance(error, openai.APIError) else None
    fields = {"type": _type(error), "param": None, "code": _code(error), **as_dict(sent)}
    return _json({"error": {**fields, "message": mask_keys(_text(error))}})


def _json(value: object) -> bytes:
    return json.dumps(value, default=str).encode()


def _text(error: openai.OpenAIError) -> str:
    if _has_error_status(error) and is_object(error.body):
        return status_error_text(refusal_of_error(error).message, error.response)
    return error.message if isinstance(error, openai.APIError) else str(error)


def _has_error_status(error: openai.OpenAIError) -> TypeGuard[openai.APIStatusError]:
    """Whether the error came as an error answer; one that came with status 200 has its explanation already."""
    return isinstance(error, openai.APIStatusError) and error.response.status_code == error.status_code


def _status(error: openai.OpenAIError) -> int:
    match error:
        case openai.APIStatusError():
            return error.status_code
        case MissingKeyError():
            return 401
        case CompatError() | SettingsError():
            return 400
        case openai.APITimeoutError():
            return 504
        case _:
            return 502


def _type(error: openai.OpenAIError) -> str:
    match error:
        case MissingKeyError():
            return "authentication_error"
        case CompatError() | SettingsError():
            return "invalid_request_error"
        case StreamCutError():
            return "stream_cut"
        case openai.APITimeoutError():
            return "timeout"
        case openai.APIConnectionError():
            return "connection_error"
        case _:
            return "api_error"


def _code(error: openai.OpenAIError) -> str | None:
    return "kimi_compat" if isinstance(error, CompatError) else None
