"""What can go wrong, as values: whole answers of another kind, and damage to the answer that would have been sent.

Nothing is broken or sent here. Texts are the platform's where a source shows them (error
page, 2025 templates, measured 429 of 2026-09); each function says so where it is otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Literal

from .account import ACCESS_KEY, ORGANIZATION, quota_problem
from .damage import Damage
from .wire import BAD_KEY, HTML_TYPE, Answer, Cut, Pause, Problem, event

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

Fault = Answer | Damage


def _limited(problem: Problem, retry_after: float | None) -> Answer:
    seconds = (
        () if retry_after is None else (("Retry-After", f"{retry_after:g}"), ("x-retry-after", f"{retry_after:g}"))
    )
    return problem.answer(*seconds)


def rate_limited(
    kind: Literal["organization", "concurrency", "rpm", "tpm", "tpd"] = "organization",
    *,
    retry_after: float | None = None,
    limit: int = 3,
    seconds: int = 1,
) -> Answer:
    """429 `rate_limit_reached_error` in one of its five texts; with `retry_after`, that header and `x-retry-after`."""
    account = f"Your account {ORGANIZATION}<{ACCESS_KEY}> request reached organization"
    texts = {
        "organization": f"Organization Rate limit exceeded, please try again after {seconds} seconds",
        "concurrency": f"{account} max concurrency: {limit}, please try again after {seconds} seconds",
        "rpm": f"{account} max RPM: {limit}, please try again after {seconds} seconds",
        "tpm": f"{account} TPM rate limit, current:{limit + 1}, limit:{limit}",
        "tpd": f"{account} TPD rate limit, current:{limit + 1}, limit:{limit}",
    }
    return _limited(Problem(texts[kind], "rate_limit_reached_error", 429), retry_after)


def overloaded(retry_after: float | None = None) -> Answer:
    """429 `engine_overloaded_error`; the docs say to wait for its `Retry-After`."""
    text = "The engine is currently overloaded, please try again later"
    return _limited(Problem(text, "engine_overloaded_error", 429), retry_after)


def out_of_quota(status: int = 429) -> Answer:
    """429 `exceeded_current_quota_error`: no balance left (403 on the help centre)."""
    return quota_problem(status).answer()


def internal_error() -> Answer:
    """500 `unexpected_output`."""
    return Problem("invalid state transition", "unexpected_output", 500).answer()


def unavailable() -> Answer:
    """503 `server_unavailable`; its text is not documented."""
    return Problem("The service is unavailable", "server_unavailable", 503).answer()


HTML_TITLES = {
    200: "Welcome",
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}


def html(status: int = 504) -> Answer:
    """An HTML page: 504 is what the gateway sends after 900 s; 200 is some proxy in between."""
    title = HTML_TITLES.get(status, str(status))
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n"
    return Answer((page.encode(),), status, HTML_TYPE)


def bad_key() -> Answer:
    """401 `invalid_authentication_error`: what a wrong key and a key of the other region get."""
    return BAD_KEY.answer()


def content_filtered() -> Answer:
    """400 `content_filter`."""
    return Problem("The request was rejected because it was considered high risk", "content_filter").answer()


def refuse(message: str, *, type: str = "invalid_request_error", status: int = 400) -> Answer:
    """Any error in Kimi's shape."""
    return Problem(message, type, status).answer()


def error_body() -> Answer:
    """Status 200 with an error body."""
    return Answer((Problem("invalid state transition", "unexpected_output").body,))


def empty_body() -> Answer:
    """Status 200 with nothing in it."""
    return Answer((b"",))


def plain_json() -> Damage:
    """A stream answered with the non-streaming body."""
    return Damage(as_json=True)


def reset() -> Damage:
    """The connection is reset before the headers."""
    return Damage(chunks=-1, insert=(Cut("reset"),))


def reset_after(chunks: int = 1, *, nbytes: int | None = None) -> Damage:
    """The connection is reset after so many chunks, or bytes; `nbytes=-1` is inside a character of several bytes."""
    return Damage(chunks=chunks, nbytes=nbytes, insert=(Cut("reset"),))


def drop_after(chunks: int = 1, *, nbytes: int | None = None) -> Damage:
    """The connection is closed in mid-body: an incomplete chunked read instead of a reset."""
    return Damage(chunks=chunks, nbytes=nbytes, insert=(Cut("drop"),))


def ends_after(chunks: int | Literal["finish", "done"] = "done") -> Damage:
    """The body ends cleanly after so many chunks, or just before the finish chunk or before `[DONE]`."""
    return Damage(chunks=chunks, insert=(Cut("end"),))


def stall(chunks: int = 1, *, seconds: float = inf) -> Damage:
    """Nothing comes for so many seconds (until the client leaves, by default) after so many chunks; then the rest."""
    return Damage(chunks=chunks, insert=(Pause(seconds),), keeps_rest=True)


def error_event(
    chunks: int = 1, *, message: str = "invalid state transition", type: str = "unexpected_output"
) -> Damage:
    """A `data: {"error":...}` event after so many chunks, then a clean end. The shape is a guess, see `error`."""
    return Damage(chunks=chunks, insert=(event(Problem(message, type).body.decode()), Cut("end")))


def garbage(chunks: int = 1) -> Damage:
    """A `data:` line that is not JSON, between the others."""
    return Damage(chunks=chunks, insert=(event('{"id":"chatcmpl-'),), keeps_rest=True)


def comments(text: str = "keep-alive") -> Damage:
    """A `:` comment before every chunk; valid server-sent events, never seen from Kimi."""
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
"""Faults by name, for the header and the command line."""


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def parse_fault(text: str) -> Fault:
    """The fault of a header `name`, `name=value` or `name=value; key=value`. ValueError if there is none of that name.

    >>> parse_fault("reset_after=3") == reset_after(3), parse_fault("rate_limited=rpm; retry_after=2").status
    (True, 429)
    """
    first, *rest = (part.strip() for part in text.split(";"))
    name, _, value = first.partition("=")
    if name not in FAULTS:
        raise ValueError(f"no fault {name!r}; there are {', '.join(sorted(FAULTS))}")
    options = {key.strip(): _value(option.strip()) for key, _, option in (pair.partition("=") for pair in rest)}
    return FAULTS[name](*([_value(value)] if value else []), **options)
