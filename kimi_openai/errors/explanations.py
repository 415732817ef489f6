"""What an error means, looked up in the fault table, and the text that exceptions carry.

`client` and `streaming` call it for every error answer; `retry` for the fault alone. No exception is raised here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import openai

from kimi_openai._internal.decode import decode_json
from kimi_openai._internal.json_values import Json, is_object
from kimi_openai.models.catalog import CURRENT, K2_CLOSED, facts, successor

from .exceptions import StreamCutError, UnexpectedAnswerError
from .fault_table import row_of
from .faults import CONNECTION, NO_ANSWER, STREAM_CUT, TIMEOUT, UNKNOWN, Fault, Refusal
from .redaction import redact_request, without_key

__all__ = ["cause_of", "explain", "fault_of", "refusal_of", "refusal_of_error", "stream_error"]


def fault_of(error: BaseException | Refusal) -> Fault:
    """What an exception of the SDK or of this package means; `UNKNOWN` for any other exception. Source: `fault_table`.

    >>> fault_of(Refusal(429, "engine_overloaded_error")).kind
    'overloaded'
    """
    match error:
        case Refusal():
            return row_of(error).fault
        case StreamCutError():
            return STREAM_CUT
        case openai.APITimeoutError() if not isinstance(cause_of(error), OSError):
            return TIMEOUT
        case openai.APIConnectionError():
            return CONNECTION
        case openai.APIResponseValidationError() | UnexpectedAnswerError():
            return NO_ANSWER
        case openai.APIError():
            return row_of(refusal_of_error(error)).fault
        case _:
            return UNKNOWN


def cause_of(error: BaseException) -> BaseException | None:
    """What broke a connection: the operating system's error if there is one, else what the HTTP library raised.

    A `TimeoutError` is the last choice, because aiohttp's transport raises one for a reset or refused connection too.
    """
    cause = error.__cause__
    while cause is not None and (not isinstance(cause, OSError) or isinstance(cause, TimeoutError)):
        cause = cause.__cause__ or cause.__context__
    return cause or error.__cause__


def refusal_of(status: int | None, body: Any, path: str = "") -> Refusal:
    """The parts of an error answer, given as text, bytes or a JSON value, with or without the `error` around it.

    >>> refusal_of(404, '{"error": "url.not_found", "message": "?"}')
    Refusal(status=404, type='url.not_found', message='?', path='')
    """
    if isinstance(body, str | bytes):  # of an answer for an unknown URL the SDK leaves only the word
        body = {"error": body} if body == "url.not_found" else _json(body)
    outer: Json = body if is_object(body) else {}
    error: Any = outer.get("error", outer)
    inner: Json = error if is_object(error) else {"type": error, "message": outer.get("message")}
    kind, message = inner.get("type"), inner.get("message")
    return Refusal(status, kind if isinstance(kind, str) else None, message if isinstance(message, str) else "", path)


def refusal_of_error(error: openai.APIError) -> Refusal:
    """The parts of an exception of the SDK; the status is `None` for one from inside a stream."""
    body = error.body if error.body is not None else {"message": error.message}
    return refusal_of(getattr(error, "status_code", None), body, error.request.url.path)


def explain(error: BaseException | Refusal, *, outcome: str = "not retried") -> str:
    """The text for an error: what happened; whose side can fix it; what to do (`outcome`: what was tried).

    >>> explain(Refusal(504), outcome="retried twice")
    "the gateway gave up before an answer came (its limit is 900 s); Kimi's side; use stream=True (retried twice)"
    """
    fault, refusal = fault_of(error), Refusal(None)
    if isinstance(error, openai.APIError | Refusal):
        refusal = error if isinstance(error, Refusal) else refusal_of_error(error)
    todo = fault.advice
    if fault.kind == "model_not_found":
        todo = _model_advice(refusal.message)
    elif fault.kind == "url_not_found" and refusal.path:
        known = "/v1/" in refusal.path
        todo = f"the path is {refusal.path!r}: {'check it and the method' if known else 'write the base URL with /v1'}"
    named = f"{refusal.type}: " if refusal.type else ""
    return f"{named}{fault.meaning}; {fault.whose} side; {todo} ({outcome})"


MODEL_ID = re.compile(r"[\w.:/-]{1,80}")


def _model_advice(message: str) -> str:
    found = re.search(r"not found the model (\S+)", message, re.IGNORECASE)
    model = found[1] if found else ""
    if instead := successor(model):
        first = f"{model} is retired, use {instead}"
    elif facts(model).ends is not None:
        first = f"its series is ending and closed to accounts registered from {K2_CLOSED}, use {CURRENT[0]}"
    elif MODEL_ID.fullmatch(model) and not facts(model).is_known:
        first = f"for programs that name another model: KIMI_MODEL_ALIASES={model}={CURRENT[0]}, or model_aliases=..."
    else:
        first = "check the id"
    return f"{first}; current ids: {', '.join(CURRENT)} (list_models tells which this key may use)"


STATUS_ERRORS: Mapping[int, type[openai.APIStatusError]] = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
}


def stream_error(body: Any, response: Any) -> openai.APIError:
    """The exception for an error that came with status 200, inside a stream or as a whole answer.

    Its class and `status_code` are those of the same error outside a stream; it is an `APIError` if the type of the
    error is not known. `body` is `{"error": {...}}` or the inner object; `response` is the response that it came in.
    """
    refusal = refusal_of(None, body, response.request.url.path)
    row = row_of(refusal)
    error: Any = body.get("error", body) if is_object(body) else body
    said = refusal.message or (error if isinstance(error, str) else "") or "an error came with status 200"
    message = without_key(f"{said} -- {explain(refusal)}", response.request)
    redact_request(response.request)
    if not row.statuses:
        return openai.APIError(message, response.request, body=error)
    status = row.statuses[0]
    kind = STATUS_ERRORS.get(status, openai.InternalServerError)
    found = kind(message, response=response, body=error)
    found.status_code = status
    return found


def _json(text: str | bytes) -> Any:
    with suppress(ValueError):
        return decode_json(text)
