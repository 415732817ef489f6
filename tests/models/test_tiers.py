"""The limits of each tier: data with sources."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from kimi_openai.models.tiers import TIERS, Tier


@pytest.mark.parametrize("tier", TIERS.values(), ids=TIERS)
def test_every_tier_names_its_source_and_date(tier: Tier) -> None:
    """Limits change within weeks, so each row says where and when it was read."""
    assert re.search(r"\w+.*, \d{4}-\d\d-\d\d", tier.source)


def test_a_higher_tier_never_allows_less() -> None:
    """The rows are in the order of what was paid, and no limit goes down."""
    rows = [(tier.paid, tier.concurrency, tier.rpm, tier.tpm, tier.tpd or 10**12) for tier in TIERS.values()]
    for row, higher in pairwise(rows):
        assert all(a <= b for a, b in zip(row, higher, strict=True))
