"""The faults that a user can queue: other responses, and damage to the normal response.

Each function returns a value and does nothing else. The texts of errors stand in `errors`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Literal

from kimi_openai.emulator.errors import (
    BAD_KEY,
    CONTENT_FILTER,
    OVERLOADED,
    UNAVAILABLE,
    UNEXPECTED_OUTPUT,
    Problem,
    RateLimit,
    quota_exceeded,
    rate_limit_reached,
    retry_headers,
)
from kimi_openai.emulator.frames import Cut, Pause, Response, event

from .damage import BEFORE_HEADERS, Damage

__all__ = [
    "FAULTS",
    "Fault",
    "bad_key",
    "comments",
    "content_filtered",
    "drop_after",
    "empty_body",
    "ends_after",
    "error_body",
    "error_event",
    "garbage",
    "html",
    "internal_error",
    "out_of_quota",
    "overloaded",
    "parse_fault",
    "plain_json",
    "rate_limited",
    "refuse",
    "reset",
    "reset_after",
    "slow",
    "stall",
    "unavailable",
]

Fault = Response | Damage
"""Another response, or damage to the normal one."""

HTML_TYPE = "text/html"

TRACE_ID = "e0000000000000000000000000000001"


def rate_limited(
    kind: RateLimit = "organization",
    *,
    retry_after: float | str | None = None,
    limit: int = 3,
    seconds: int = 1,
) -> Response:
    """429 `rate_limit_reached_error` in one of its six texts.

    With `retry_after` (seconds, or a text such as an HTTP date), it has the three headers that were measured:
    `Retry-After`, `x-retry-after`, `x-msh-trace-id`.
    """
    return _with_retry_after(rate_limit_reached(kind, limit=limit, seconds=seconds), retry_after)


def overloaded(retry_after: float | str | None = None) -> Response:
    """429 `engine_overloaded_error`; the docs say to wait for its `Retry-After`."""
    return _with_retry_after(OVERLOADED, retry_after)


def _with_retry_after(problem: Problem, seconds: float | str | None) -> Response:
    return problem.response(*(() if seconds is None else retry_headers(seconds, TRACE_ID)))


def out_of_quota(status: int = 429) -> Response:
    """429 `exceeded_current_quota_error`: no balance left (403 in the help centre)."""
    return quota_exceeded(status).response()


def internal_error() -> Response:
    """500 `unexpected_output`."""
    return UNEXPECTED_OUTPUT.response()


def unavailable() -> Response:
    """503 `server_unavailable`; its text is not documented."""
    return UNAVAILABLE.response()


HTML_TITLES = {
    200: "Welcome",
    413: "413 Request Entity Too Large",
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}


def html(status: int = 504) -> Response:
    """An HTML page: 504 is what the gateway sends after 900 s, 413 what a gateway may send for a large body, 200 what
    a proxy may send."""
    title = HTML_TITLES.get(status, str(status))
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n"
    return Response((page.encode(),), status, HTML_TYPE)


def bad_key() -> Response:
    """401 `invalid_authentication_error`: for a wrong key and for a key of the other region."""
    return BAD_KEY.response()


def content_filtered() -> Response:
    """400 `content_filter`."""
    return CONTENT_FILTER.response()


def refuse(message: str, *, type: str = "invalid_request_error", status: int = 400) -> Response:
    """Any error in Kimi's shape."""
    return Problem(message, type, status).response()


def error_body() -> Response:
    """Status 200 with an error body."""
    return Response((UNEXPECTED_OUTPUT.body,))


def empty_body() -> Response:
    """Status 200 with nothing in it."""
    return Response((b"",))


def plain_json() -> Damage:
    """A stream answered with the non-streaming body."""
    return Damage(as_json=True)


def reset() -> Damage:
    """The connection is reset before the headers."""
    return Damage(chunks=BEFORE_HEADERS, insert=(Cut("reset"),))


def reset_after(chunks: int = 1, *, nbytes: int | None = None) -> Damage:
    """The connection is reset after so many chunks, or bytes; `nbytes=-1` is within a character of several bytes."""
    return Damage(chunks=chunks, nbytes=nbytes, insert=(Cut("reset"),))


def drop_after(chunks: int = 1, *, nbytes: int | None = None) -> Damage:
    """The connection is closed in mid-body: an incomplete chunked read instead of a reset."""
    return Damage(chunks=chunks, nbytes=nbytes, insert=(Cut("drop"),))


def ends_after(chunks: int | Literal["finish", "done"] = "done") -> Damage:
    """The body ends cleanly after so many chunks, or just before the finish chunk or before `[DONE]`."""
    return Damage(chunks=chunks, insert=(Cut("end"),))


def stall(chunks: int = 1, *, seconds: float = inf) -> Damage:
    """A wait of so many seconds (by default until the client leaves) after so many chunks; then the rest."""
    return Damage(chunks=chunks, insert=(Pause(seconds),), keeps_rest=True)


def error_event(
    chunks: int = 1, *, message: str = UNEXPECTED_OUTPUT.message, type: str = UNEXPECTED_OUTPUT.type
) -> Damage:
    """A `data: {"error":...}` event after so many chunks, then a clean end. Its shape is a guess, see `error`."""
    return Damage(chunks=chunks, insert=(event(Problem(message, type).body.decode()), Cut("end")))


def garbage(chunks: int = 1) -> Damage:
    """A `data:` line that is not JSON, between the others."""
    return Damage(chunks=chunks, insert=(event('{"id":"chatcmpl-'),), keeps_rest=True)


def comments(text: str = "keep-alive") -> Damage:
    """A `:` comment before every chunk: valid in server-sent events, never seen from Kimi."""
    return Damage(before_each=(f": {text}\n\n".encode(),))


def slow(seconds: float = 0.05) -> Damage:
    """A wait before every chunk."""
    return Damage(before_each=(Pause(seconds),))


FAULTS: Mapping[str, Callable[..., Fault]] = {
    make.__name__: make
    for make in (
        rate_limited,
        overloaded,
        out_of_quota,
        internal_error,
        unavailable,
        html,
        bad_key,
        content_filtered,
        refuse,
        error_body,
        empty_body,
        plain_json,
        reset,
        reset_after,
        drop_after,
        ends_after,
        stall,
        error_event,
        garbage,
        comments,
        slow,
    )
}
"""Faults by name, for the header `X-Emulator-Fault`."""


def parse_fault(text: str) -> Fault:
    """The fault of a header `name`, `name=value` or `name=value; key=value`.

    Raises ValueError for an unknown name, TypeError for arguments that the fault does not have.

    >>> parse_fault("reset_after=3") == reset_after(3), parse_fault("rate_limited=rpm; retry_after=2").status
    (True, 429)
    """
    first, *rest = (part.strip() for part in text.split(";"))
    name, _, value = first.partition("=")
    if name not in FAULTS:
        raise ValueError(f"no fault {name!r}; the faults are {', '.join(sorted(FAULTS))}")
    options = {key.strip(): _value(option.strip()) for key, _, option in (pair.partition("=") for pair in rest)}
    return FAULTS[name](*([_value(value)] if value else []), **options)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
