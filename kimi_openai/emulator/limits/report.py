"""What the limits counted, as values that users read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .account_limits import AccountLimits

__all__ = ["LimitReport", "MinuteOfUse"]


@dataclass(frozen=True, slots=True)
class MinuteOfUse:
    """One minute, counted from the first request: requests admitted and refused, tokens reserved."""

    admitted: int = 0
    refused: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitReport:
    """What was used and refused since the emulator was made or `clear()` was called.

    `admitted` requests were answered. `refused` counts 429s by limit ("concurrency", "rpm", "tpm", "tpd",
    "project_tpm"). `running` requests are under way, and `most_running` were at the same time. `reserved_tokens` is
    prompt + limit on the output of all admitted requests, `used_tokens` what their answers really had.
    `requests_now`, `tokens_now` and `tokens_today` are what counts against the rpm, tpm and tpd limits at this moment
    (0 for a limit that is not set). `minutes` are the last 1,440 minutes, oldest first; the last one is not over.
    """

    limits: AccountLimits
    admitted: int
    refused: Mapping[str, int]
    running: int
    most_running: int
    reserved_tokens: int
    used_tokens: int
    requests_now: int
    tokens_now: int
    tokens_today: int
    minutes: tuple[MinuteOfUse, ...]
