"""The limits of an organization by its tier, as data with a source and a date. Rates change within weeks.

The tier follows from what was paid into the account; vouchers do not count. The limits hold for all keys, projects and
models of an organization together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["TIERS", "Tier"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Requests at once, requests a minute, tokens a minute, tokens a day (None: unlimited) of one tier.

    `paid` is the sum of all top-ups in USD from which the tier is reached; `source` names where the row comes from.
    """

    concurrency: int
    rpm: int
    tpm: int
    tpd: int | None
    paid: int
    source: str = "docs, pricing--limits, 2026-09-03"


TIERS: Mapping[str, Tier] = MappingProxyType(
    {
        "tier0": Tier(concurrency=1, rpm=3, tpm=500_000, tpd=1_500_000, paid=1),
        "tier1": Tier(concurrency=15, rpm=100, tpm=2_000_000, tpd=None, paid=10),
        "tier2": Tier(concurrency=40, rpm=100, tpm=3_000_000, tpd=None, paid=20),
        "tier3": Tier(concurrency=50, rpm=200, tpm=3_000_000, tpd=None, paid=100),
        "tier4": Tier(concurrency=60, rpm=200, tpm=4_000_000, tpd=None, paid=1_000),
        "tier5": Tier(concurrency=100, rpm=300, tpm=5_000_000, tpd=None, paid=3_000),
    }
)
"""Limits by the name of the tier."""
