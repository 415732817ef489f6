"""Whether to try again and after how long, as the headers that the SDK's loop obeys and as seconds."""

from __future__ import annotations

import pytest

from kimi_openai.errors.faults import Refusal
from kimi_openai.retry.backoff import advice, wait_for
from kimi_openai.retry.failure import failure_of

LIMIT = "rate_limit_reached_error"
OVERLOAD = "engine_overloaded_error"
NAMED = "please try again after 2 seconds"
NEVER = {"x-should-retry": "false"}

ADVICE: dict[str, tuple[Refusal, dict[str, str], dict[str, str]]] = {
    "header": (Refusal(429, LIMIT, NAMED), {"retry-after": "7"}, {"x-should-retry": "true", "retry-after-ms": "7000"}),
    "x-header": (Refusal(429, LIMIT), {"x-retry-after": "7"}, {"x-should-retry": "true", "retry-after-ms": "7000"}),
    "message": (Refusal(429, LIMIT, NAMED), {}, {"x-should-retry": "true", "retry-after-ms": "2000"}),
    "zero is no time": (
        Refusal(429, LIMIT),
        {"retry-after": "0"},
        {"x-should-retry": "true", "retry-after-ms": "3000"},
    ),
    "not a number": (
        Refusal(429, LIMIT),
        {"retry-after": "soon"},
        {"x-should-retry": "true", "retry-after-ms": "3000"},
    ),
    "overload": (Refusal(429, OVERLOAD), {}, {"x-should-retry": "true", "retry-after-ms": "3000"}),
    "TPM": (Refusal(429, LIMIT, "TPM rate limit"), {}, {"x-should-retry": "true", "retry-after-ms": "10000"}),
    "120 s": (Refusal(429, LIMIT), {"retry-after": "120"}, {"x-should-retry": "true", "retry-after-ms": "120000"}),
    "too long": (Refusal(429, LIMIT), {"retry-after": "121"}, NEVER),
    "TPD": (Refusal(429, LIMIT, "TPD rate limit"), {"retry-after": "1"}, NEVER),
    "5xx too long": (Refusal(503), {"retry-after": "3600"}, NEVER),
    "5xx": (Refusal(500), {}, {}),
    "5xx with a time": (Refusal(503), {"retry-after": "4"}, {"x-should-retry": "true", "retry-after-ms": "4000"}),
    "400": (Refusal(400, "invalid_request_error"), {}, NEVER),
    "unknown": (Refusal(418), {}, {}),
}


@pytest.mark.parametrize(("refusal", "headers", "expected"), ADVICE.values(), ids=ADVICE)
def test_advice(refusal: Refusal, headers: dict[str, str], expected: dict[str, str]) -> None:
    """The headers for the SDK's loop, without jitter."""
    assert advice(failure_of(refusal, headers)) == expected


def test_jitter_only_adds_and_grows() -> None:
    """No worker comes back early, and each time they are spread wider."""
    named, overload = failure_of(Refusal(429, LIMIT, NAMED)), failure_of(Refusal(429, OVERLOAD))
    assert [wait_for(named, attempt=n, jitter=1.0) for n in (0, 1, 2, 9)] == [3, 4, 6, 32]
    assert wait_for(failure_of(Refusal(429), {"retry-after": "119"}), attempt=4, jitter=1.0) == 120
    assert [wait_for(overload, attempt=n) for n in (0, 1, 2, 3, 4, 999)] == [3, 6, 12, 24, 30, 30]
    assert wait_for(overload, jitter=1.0) == 4.5
