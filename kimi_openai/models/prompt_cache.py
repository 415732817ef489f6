"""What to send for the prompt cache. Pure; what it costs is in `usage.cache_costs`."""

from __future__ import annotations

from typing import Any, Literal

__all__ = ["CacheTtl", "cache"]

CacheTtl = Literal["5m", "1h"]
"""How long a prefix stays in the cache after it was written or read."""


def cache(*, ttl: CacheTtl) -> dict[str, Any]:
    """The dict for `extra_body` that sets how long Kimi keeps the prompt in its cache: five minutes or an hour.

    For the K3 family, which caches every prompt for five minutes if nothing is sent, and bills the writing; `ttl="1h"`
    doubles its price. The K2 series has no choice and no price for it. The lifetime is fixed when a prefix is first
    written, and each hit renews it. `cache_cost` says which is cheaper. A test on a relay (2026-10-25) did not see the
    hour: watch `ledger.saved`. Merge with other fields by `extra_body={**cache(ttl="1h"), ...}`.

    Nothing here sends `prompt_cache_key`: measured on kimi-k2.6, it raised the cost by 44 %. Raises `ValueError` for
    another lifetime. Source: staff on forum.moonshot.ai (t/613), notes on the docs of late September 2026.

    >>> cache(ttl="1h")
    {'prompt_cache_options': {'mode': 'implicit', 'ttl': '1h'}}
    """
    if ttl not in ("5m", "1h"):
        raise ValueError("ttl is '5m' or '1h': Kimi's cache knows no other lifetime")
    return {"prompt_cache_options": {"mode": "implicit", "ttl": ttl}}
