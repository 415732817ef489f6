"""The limits of an account as a value that users pass to `Emulator`."""

from __future__ import annotations

from dataclasses import dataclass

from kimi_openai.models.tiers import TIERS

__all__ = ["AccountLimits", "limits_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimits:
    """Requests at once, requests and tokens a minute, tokens a day; and tokens a minute and USD of the project.

    None is no limit. All but the last two belong to the organization, so all keys and models share them.
    """

    concurrency: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    tpd: int | None = None
    project_tpm: int | None = None
    project_budget: float | None = None


def limits_of(limits: AccountLimits | str | None) -> AccountLimits:
    """The limits of a tier's name, those that are given, or none.

    Raises ValueError for an unknown name.

    >>> limits_of("tier1").rpm, limits_of(None).rpm
    (100, None)
    """
    if limits is None:
        return AccountLimits()
    if isinstance(limits, AccountLimits):
        return limits
    tier = TIERS.get(limits)
    if tier is None:
        raise ValueError(f"no tier {limits!r}; the tiers are {', '.join(TIERS)}")
    return AccountLimits(concurrency=tier.concurrency, rpm=tier.rpm, tpm=tier.tpm, tpd=tier.tpd)
