"""The numbers of a limiter: what an organization may use. Those of the published tiers are in `models.tiers`."""

from __future__ import annotations

from dataclasses import dataclass

from kimi_openai.models.tiers import TIERS

__all__ = ["Rates", "rates_of"]


@dataclass(frozen=True, slots=True)
class Rates:
    """What an organization may use, over all of its keys, projects and models; `None` means unlimited or unknown.

    `concurrency` is the number of open requests, `rpm` requests and `tpm` tokens in a minute, `tpd` tokens in a day.
    """

    concurrency: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    tpd: int | None = None


def rates_of(tier: str) -> Rates:
    """The numbers of a published tier. Raises `KeyError` for an unknown name.

    >>> rates_of("tier1")
    Rates(concurrency=15, rpm=100, tpm=2000000, tpd=None)
    """
    row = TIERS[tier]
    return Rates(row.concurrency, row.rpm, row.tpm, row.tpd)
