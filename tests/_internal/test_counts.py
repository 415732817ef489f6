"""counts.py: which numbers count tokens."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai._internal.counts import checked_usage, count_of

NO_COUNTS = [None, True, -1, 1.5, float("nan"), float("inf"), 2**53, 10**4000, "1", [1], {}]


@pytest.mark.parametrize("value", NO_COUNTS, ids=lambda value: type(value).__name__)
def test_what_cannot_be_a_count_is_none(value: Any) -> None:
    """A number that a JSON parser may change is none either."""
    assert count_of(value) is None
    usage = {"total_tokens": 3, "prompt_tokens": value, "prompt_tokens_details": {"cached_tokens": value}}
    kept = {"prompt_tokens": None} if value is None else {}
    assert checked_usage(usage) == {"total_tokens": 3, **kept, "prompt_tokens_details": usage_of(value)}


def usage_of(value: Any) -> dict[str, Any]:
    return {"cached_tokens": None} if value is None else {}


def test_what_a_usage_has_beside_counts_stays() -> None:
    """Texts and fractions do; numbers that nothing can be added to do not."""
    more = {"service_tier": "x", "cost": 0.01, "parts": [1], "by": {"a": 1}}
    assert checked_usage({**more, "odd": float("nan"), "large": 10**4000}) == more


@pytest.mark.parametrize("value", [None, "x", [1], 5])
def test_anything_else_is_no_usage(value: Any) -> None:
    """None, so that a caller knows that there is none."""
    assert checked_usage(value) is None
