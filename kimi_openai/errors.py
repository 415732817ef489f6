"""Exceptions: which one, and what it says (what happened, whose side, what to do), read from the table in `faults.py`.

The SDK's exceptions stay what they are and say more; the few of our own below are subclasses of the SDK's
`OpenAIError`, so code that catches that catches them. An answer with status 200 that is none becomes one of them too.

    OpenAIError
    ├── SettingsError (also ValueError)     a key, region or base URL that cannot work
    │   └── MissingKeyError                 there is no key anywhere
    ├── CompatError (also ValueError)       a request that Kimi would refuse, and how to write it instead
    ├── UnexpectedAnswerError               the platform answered something that is not what was asked for
    ├── TooManyTurnsError                   a tool loop that did not end (in `tools.py`)
    ├── LengthFinishReasonError
    │   └── TruncatedAnswerError            an answer that its budget cut off (in `completing.py`)
    └── APIConnectionError
        └── StreamCutError                  a stream that ended before its finish_reason
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeGuard

import openai

from .faults import CONNECTION, NO_ANSWER, STREAM_CUT, TIMEOUT, UNKNOWN, Fault, Refusal, row_of
from .models import CURRENT, K2_CLOSED, facts, successor

__all__ = [
    "CompatError",
    "KimiCompatWarning",
    "MissingKeyError",
    "Note",
    "SettingsError",
    "StreamCutError",
    "UnexpectedAnswerError",
    "cause_of",
    "explain",
    "fault_of",
    "refusal_of",
    "refusal_of_error",
    "stream_error",
]


class SettingsError(openai.OpenAIError, ValueError):
    """A key, region, base URL or option that cannot work; raised at construction, before anything is sent."""


class MissingKeyError(SettingsError):
    """No key was passed, and none is in the environment or in the `.env` file."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing in a request that is not what Kimi accepts.

    `kind` is a short name of the rule, `where` a dotted path into the body ("messages.3.role"), `change` what is sent
    instead, `why` what Kimi does or says, `fix` what to write in the code. `fatal`: there is nothing to send instead.
    """

    kind: str
    where: str
    change: str
    why: str
    fix: str
    fatal: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.change}, because {self.why}; {self.fix}"


class CompatError(openai.OpenAIError, ValueError):
    """A request that Kimi would refuse, or with `compat="strict"` would get only changed; nothing was sent.

    `notes` are the reasons, a `Note` each.
    """

    def __init__(self, notes: tuple[Note, ...]) -> None:
        self.notes = notes
        found = "".join(f"\n  - {note}" for note in notes)
        super().__init__(f"the request was not sent, {len(notes)} in it to change for Kimi:{found}")


class UnexpectedAnswerError(openai.OpenAIError):
    """A 200 that is not what was asked for; `body` is what came instead."""

    def __init__(self, what: str, body: object) -> None:
        self.body = body
        super().__init__(
            f"the answer does not have {what} in it: {str(body)[:200]!r}; "
            "Kimi's side or a proxy's (is the base URL Kimi's?)"
        )


class StreamCutError(openai.APIConnectionError):
    """A stream that ended before its finish_reason: `text` and `reasoning` are what had come of the first choice.

    What broke it, if anything was raised, is `__cause__`; `request` is the request, as on every SDK error.
    """

    text: str
    reasoning: str

    def __init__(
        self,
        *,
        request: Any,
        text: str = "",
        reasoning: str = "",
        cause: BaseException | None = None,
        outcome: str = "",  # of what was tried
    ) -> None:
        advice = "ask again, or use kimi_openai.stream, which goes on where the text broke off (not retried)"
        how = "it just ended" if cause is None else type(cause).__name__
        super().__init__(
            message=f"the stream was cut before its finish_reason ({how}), after {len(text)} characters of content and "
            f"{len(reasoning)} of reasoning; the connection's or Kimi's side; "
            + (f"ask again ({outcome})" if outcome else advice),
            request=request,
        )
        self.text = text
        self.reasoning = reasoning
        self.__cause__ = cause


class KimiCompatWarning(UserWarning):
    """Something that OpenAI accepts was left out or changed because Kimi does not accept it."""


def fault_of(error: BaseException | Refusal) -> Fault:
    """What an exception of the SDK's or ours means, by the fault table; `UNKNOWN` for any other.

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
    """What broke a connection: the system's word for it, else what the HTTP library raised. (aiohttp's transport calls
    a reset or a refused connection a timeout.)"""
    cause = error.__cause__
    while cause is not None and (not isinstance(cause, OSError) or isinstance(cause, TimeoutError)):
        cause = cause.__cause__ or cause.__context__
    return cause or error.__cause__


def refusal_of(status: int | None, body: Any, path: str = "") -> Refusal:
    """The parts of an error answer: of its text or bytes, or of the JSON value, with or without the `error` around it.

    >>> refusal_of(404, '{"error": "url.not_found", "message": "?"}')
    Refusal(status=404, type='url.not_found', message='?', path='')
    """
    if isinstance(body, str | bytes):  # the bare word is what the SDK leaves of that dialect
        body = {"error": body} if body == "url.not_found" else _json(body)
    outer: dict[str, Any] = body if _is_object(body) else {}
    error: Any = outer.get("error", outer)
    inner: dict[str, Any] = error if _is_object(error) else {"type": error, "message": outer.get("message")}
    kind, message = inner.get("type"), inner.get("message")
    return Refusal(status, kind if isinstance(kind, str) else None, message if isinstance(message, str) else "", path)


def refusal_of_error(error: openai.APIError) -> Refusal:
    """The parts of an exception of the SDK's; the status is `None` for one from inside a stream."""
    body = error.body if error.body is not None else {"message": error.message}
    return refusal_of(getattr(error, "status_code", None), body, error.request.url.path)


def explain(error: BaseException | Refusal, *, outcome: str = "not retried") -> str:
    """What happened; whose side; what to do (what was tried).

    >>> explain(Refusal(504), outcome="retried twice")
    "the gateway gave up before an answer came (its limit is 900 s); Kimi's side; use stream=True (retried twice)"
    """
    fault, refusal = fault_of(error), Refusal(None)
    if isinstance(error, openai.APIError | Refusal):
        refusal = error if isinstance(error, Refusal) else refusal_of_error(error)
    todo = fault.advice
    if fault.kind == "model_not_found":
        todo = _models_advice(refusal.message)
    elif fault.kind == "url_not_found" and refusal.path:
        known = "/v1/" in refusal.path
        todo = f"the path is {refusal.path!r}: {'check it and the method' if known else 'write the base URL with /v1'}"
    named = f"{refusal.type}: " if refusal.type else ""
    return f"{named}{fault.meaning}; {fault.whose} side; {todo} ({outcome})"


def _models_advice(message: str) -> str:
    found = re.search(r"ot found the model (\S+)", message)
    model = found[1] if found else ""
    instead = successor(model)
    parts = [f"{model} is retired, use {instead}" if instead else "check the id"]
    if facts(model).ends is not None and instead is None:
        parts = [f"its series is ending and closed to accounts registered from {K2_CLOSED}, use {CURRENT[0]}"]
    return "; ".join((*parts, f"current ids: {', '.join(CURRENT)} (list_models tells which this key may use)"))


STATUS_ERRORS: Mapping[int, type[openai.APIStatusError]] = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
}


def stream_error(body: Any, response: Any) -> openai.APIError:
    """The exception for an error that came with status 200, inside a stream or as a whole answer: of the class, and
    with the `status_code`, that the same error has outside; `APIError` where its type is not known.

    `body` is the JSON, `{"error": {...}}` or the inner object; `response` is the response it came in.
    """
    refusal = refusal_of(None, body, response.request.url.path)
    row = row_of(refusal)
    error: Any = body.get("error", body) if _is_object(body) else body
    said = refusal.message or (error if isinstance(error, str) else "") or "an error came with status 200"
    message = f"{said} -- {explain(refusal)}"
    if not row.statuses:
        return openai.APIError(message, response.request, body=error)
    status = row.statuses[0]
    kind = STATUS_ERRORS.get(status, openai.InternalServerError)
    found = kind(message, response=response, body=error)
    found.status_code = status
    return found


def _json(text: str | bytes) -> Any:
    with suppress(ValueError):
        return json.loads(text)


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
