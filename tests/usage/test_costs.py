"""Costs: the token counts in a usage and what they cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from openai.types import CompletionUsage

from kimi_openai.models.prices import PRICES
from kimi_openai.usage import Tokens, tokens_of


def test_cached_and_written_tokens_have_their_own_prices() -> None:
    """K3 has a price for cache writes; K2.6 has none, and they cost as much as other prompt tokens."""
    details = {"cached_tokens": 300_000, "cache_write_tokens": 200_000}
    tokens = tokens_of({"prompt_tokens": 1_000_000, "completion_tokens": 0, "prompt_tokens_details": details})
    assert tokens == Tokens(prompt=1_000_000, cached=300_000, written=200_000)
    hour = Tokens(prompt=1_000_000, cached=300_000, written=200_000, written_1h=50_000)
    assert hour.cost(PRICES["kimi-k3"]) == tokens.cost(PRICES["kimi-k3"]) + Decimal("0.15")
    assert hour.cost(PRICES["kimi-k2.6"]) == tokens.cost(PRICES["kimi-k2.6"])
    assert tokens.cost(PRICES["kimi-k3"]) == Decimal("0.09") + Decimal("0.6") + Decimal("1.5")
    assert tokens.cost(PRICES["kimi-k2.6"]) == Decimal("0.048") + Decimal("0.19") + Decimal("0.475")


def test_cached_tokens_are_found_in_both_places() -> None:
    """In the details, as with OpenAI, or beside the other counts; the details decide if both are there."""
    assert tokens_of({"cached_tokens": 3}).cached == 3
    assert tokens_of({"cached_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}).cached == 4
    assert tokens_of({"completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 2}}) == Tokens(
        output=5, reasoning=2
    )


ODD: dict[str, Any] = {
    "text": "x",
    "a list": [1],
    "none": None,
    "odd counts": {"prompt_tokens": -5, "completion_tokens": True, "cached_tokens": float("nan")},
    "odd details": {"prompt_tokens_details": [1], "completion_tokens_details": "x"},
    "a count too large": {"prompt_tokens": 10**4000},
    "an SDK object": CompletionUsage.construct(prompt_tokens="x", total_tokens=[1]),
    "half a character": CompletionUsage.construct(**{"\ud83d": 1}),
}


@pytest.mark.parametrize("usage", ODD.values(), ids=ODD)
def test_what_cannot_be_counted_is_zero(usage: Any) -> None:
    """So that an observer never costs an answer."""
    assert tokens_of(usage) == Tokens()
