"""Kimi's errors: their shape, and the texts of all errors that are not about one field of a request.

What is wrong with a request body is decided and worded in `validation`. Texts are the platform's where a source shows
them (error page, templates of 2025, a 429 measured in 2026-09); the others say that they are inferred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .frames import Response, json_response
from .json_values import encode

__all__ = [
    "BAD_KEY",
    "CLOSED_API",
    "CONTENT_FILTER",
    "NO_KEY",
    "OVERLOADED",
    "PROJECT_BUDGET",
    "UNAVAILABLE",
    "UNEXPECTED_OUTPUT",
    "Problem",
    "RateLimit",
    "invalid_request",
    "missing_parameter",
    "not_found",
    "quota_exceeded",
    "rate_limit_reached",
    "retry_headers",
    "url_not_found",
]

RateLimit = Literal["organization", "concurrency", "rpm", "tpm", "tpd", "project_tpm"]
"""Which limit a 429 names."""

ACCOUNT = "Your account org-emulator<ak-emulator>"


@dataclass(frozen=True, slots=True)
class Problem:
    """An error in Kimi's shape: message, `error.type` and HTTP status. Kimi sends no `code` and no `param`."""

    message: str
    type: str = "invalid_request_error"
    status: int = 400

    @property
    def body(self) -> bytes:
        """`{"error":{"message":...,"type":...}}`."""
        return encode({"error": {"message": self.message, "type": self.type}}).encode()

    def response(self, *headers: tuple[str, str]) -> Response:
        """The HTTP response with this body."""
        return Response((self.body,), self.status, headers=headers)


NO_KEY = Problem("Incorrect API key provided", "incorrect_api_key_error", 401)
BAD_KEY = Problem("Invalid Authentication", "invalid_authentication_error", 401)
CLOSED_API = Problem("The API you are accessing is not open", "permission_denied_error", 403)
CONTENT_FILTER = Problem("The request was rejected because it was considered high risk", "content_filter")
OVERLOADED = Problem("The engine is currently overloaded, please try again later", "engine_overloaded_error", 429)
PROJECT_BUDGET = Problem("The project has reached its budget", "exceeded_current_quota_error", 429)
"""A project may have a budget (docs); status, type and text of its error are inferred."""
UNEXPECTED_OUTPUT = Problem("invalid state transition", "unexpected_output", 500)
UNAVAILABLE = Problem("The service is unavailable", "server_unavailable", 503)
"""Type and status are documented, the text is not."""


def rate_limit_reached(kind: RateLimit, *, limit: int, seconds: float, current: int | None = None) -> Problem:
    """429 of a limit on requests or tokens, in one of its six texts. `current` is what would be used, `limit` + 1 if
    None."""
    again = f"please try again after {seconds:g} seconds"
    current = limit + 1 if current is None else current
    texts: dict[RateLimit, str] = {
        "organization": f"Organization Rate limit exceeded, {again}",
        "concurrency": f"{ACCOUNT} request reached organization max concurrency: {limit}, {again}",
        "rpm": f"{ACCOUNT} request reached organization max RPM: {limit}, {again}",
        "tpm": f"{ACCOUNT} request reached organization TPM rate limit, current:{current}, limit:{limit}",
        "tpd": f"{ACCOUNT} request reached organization TPD rate limit, current:{current}, limit:{limit}",
        "project_tpm": f"{ACCOUNT} request reached project TPM rate limit, current: {current}, limit: {limit}, {again}",
    }
    return Problem(texts[kind], "rate_limit_reached_error", 429)


def retry_headers(seconds: float | str, trace_id: str) -> tuple[tuple[str, str], ...]:
    """The headers that were on the one 429 that was measured (2026-09-01)."""
    wait = seconds if isinstance(seconds, str) else f"{seconds:g}"
    return ("Retry-After", wait), ("x-retry-after", wait), ("x-msh-trace-id", trace_id)


def quota_exceeded(status: int = 429) -> Problem:
    """The error of an empty account (text of a user report)."""
    text = (
        f"{ACCOUNT} is suspended due to insufficient balance, "
        "please recharge your account or check your plan and billing details"
    )
    return Problem(text, "exceeded_current_quota_error", status)


def invalid_request(text: str) -> Problem:
    """400 `invalid_request_error` with the prefix that many of the platform's texts have."""
    return Problem(f"Invalid request: {text}")


def missing_parameter(name: str) -> Problem:
    """400 for a required field that is absent."""
    return Problem(f"missing required parameter: {name}")


def not_found(what: str) -> Problem:
    """404 of an object. For files and batches text and type are inferred; for a model the text is recorded."""
    return Problem(f"Not found the {what} or Permission denied", "resource_not_found_error", 404)


def url_not_found(method: str, url: str, agent: str) -> Response:
    """404 of an unknown path or a wrong method. Its body has another shape, in which `error` is a string."""
    body = {
        "code": 5,
        "error": "url.not_found",
        "message": "没找到对象",
        "method": method,
        "scode": "0x5",
        "status": False,
        "ua": agent,
        "url": url,
    }
    return json_response(body, 404)
