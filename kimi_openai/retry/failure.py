"""Why an attempt failed, as one value: the parts of an error or of an error answer that a retry needs.

`backoff` decides from it whether and when to try again, `events` reports it. The fault table itself is in
`kimi_openai.errors.faults`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import parsedate_to_datetime
from math import isfinite

import openai

from kimi_openai.errors.explanations import fault_of, refusal_of_error
from kimi_openai.errors.faults import UNKNOWN, Fault, Refusal

__all__ = ["FAILURE_EXTENSION", "Failure", "failure_of"]

NO_ANSWER = Refusal(None)

FAILURE_EXTENSION = "kimi_openai.failure"
"""The key in `response.extensions` of the `Failure` that a client has made of an error answer, before it wrote headers
for the SDK into it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What the error means (`fault`), with the `refusal` and the `headers` of its response, both empty if
    no answer came. The names of the headers are lower-case."""

    fault: Fault
    refusal: Refusal = NO_ANSWER
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def request_id(self) -> str | None:
        """The id that the server gave to the request, `None` if no answer came."""
        return self.headers.get("x-request-id")

    @property
    def named_wait(self) -> float | None:
        """The seconds to wait that the answer names, in a header (seconds, milliseconds or an HTTP date) or else in its
        message; `None` if it names none, or a time that has passed.

        >>> failure_of(Refusal(429, message="please try again after 6 seconds"), {"retry-after": "2"}).named_wait
        2.0
        >>> failure_of(Refusal(503), {"retry-after-ms": "1500"}).named_wait
        1.5
        """
        headers = self.headers
        in_message = re.search(r"try again after (\d+(?:\.\d+)?) second", self.refusal.message)
        named = (
            _number(headers.get("retry-after-ms"), 0.001),
            _number(headers.get("retry-after")),
            _until(headers.get("retry-after"), headers.get("date")),
            _number(headers.get("x-retry-after")),
            _number(in_message and in_message[1]),
        )
        return next((seconds for seconds in named if seconds is not None and isfinite(seconds) and seconds > 0), None)


def failure_of(error: BaseException | Refusal | None, headers: Mapping[str, str] | None = None) -> Failure:
    """The failure that an exception stands for, or an error answer with the `headers` of its response.

    `None` and exceptions that neither the SDK nor this package defines have an unknown fault.
    """
    if isinstance(error, Refusal):
        refusal = error
    else:
        response = getattr(error, "response", None)
        known: Failure | None = getattr(response, "extensions", {}).get(FAILURE_EXTENSION)
        if known is not None:
            return known
        refusal = refusal_of_error(error) if isinstance(error, openai.APIError) else NO_ANSWER
        headers = getattr(response, "headers", None)
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    return Failure(UNKNOWN if error is None else fault_of(error), refusal, lower)


def _number(text: str | None, unit: float = 1.0) -> float | None:
    try:
        return float(text or "") * unit
    except ValueError:
        return None


def _until(date: str | None, now: str | None) -> float | None:
    """The seconds until an HTTP date, by the server's clock (its `date` header) if it is known, else by ours."""
    end = _timestamp(date)
    if end is None:
        return None
    start = _timestamp(now)
    return end - (time.time() if start is None else start)


def _timestamp(date: str | None) -> float | None:
    try:
        parsed = parsedate_to_datetime(date or "")
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):  # what it raises depends on the version of Python
        return None
