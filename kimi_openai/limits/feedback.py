"""What an error answer says about the account's limits: pure, from the fault's kind and the text of the message.

The texts are those of the platform docs, errors page (2026-09-03 and its copy of 2025-12-11).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from kimi_openai.errors.faults import Kind

__all__ = ["Dimension", "Feedback", "feedback_of"]

Dimension = Literal["concurrency", "rpm", "tpm", "tpd"]

WORDS: tuple[tuple[str, Dimension], ...] = (
    (r"max concurrency", "concurrency"),
    (r"\bRPM\b", "rpm"),
    (r"\bTPM\b", "tpm"),
    (r"\bTPD\b", "tpd"),
)
NAMED_LIMIT = re.compile(r"max (?:concurrency|RPM):\s*(\d+)|\blimit:\s*(\d+)", re.IGNORECASE)
NAMED_CURRENT = re.compile(r"\bcurrent:\s*(\d+)", re.IGNORECASE)

ABOUT_LOAD: tuple[Kind, ...] = ("overloaded", "rate_limit", "token_limit", "daily_limit")


@dataclass(frozen=True, slots=True)
class Feedback:
    """A refusal that asks for fewer requests.

    `dimension` is the limit that it names, `None` if it names none or if the service is overloaded. `current` and
    `limit` are the numbers in its text. `wait` is the seconds until the next request may be sent.
    """

    wait: float
    dimension: Dimension | None = None
    current: int | None = None
    limit: int | None = None


def feedback_of(kind: Kind, message: str, wait: float) -> Feedback | None:
    """What a refusal of this kind says about the limits, `None` if it is about something else.

    >>> feedback_of("token_limit", "request reached TPM rate limit, current:520, limit:500", 1.0)
    Feedback(wait=1.0, dimension='tpm', current=520, limit=500)
    >>> feedback_of("rate_limit", "organization max RPM: 3, please try again after 1 seconds", 1.0).limit
    3
    >>> feedback_of("bad_request", "", 1.0) is None
    True
    """
    if kind not in ABOUT_LOAD:
        return None
    if kind == "overloaded":
        return Feedback(wait)
    dimension: Dimension | None = next((name for word, name in WORDS if re.search(word, message, re.IGNORECASE)), None)
    limit, current = NAMED_LIMIT.search(message), NAMED_CURRENT.search(message)
    told = int(limit[1] or limit[2]) if limit else None
    return Feedback(wait, dimension, int(current[1]) if current else None, told or None)
