"""What an answer used, in tokens, and what that costs.

Pure. Prices are data with a date (`PRICE_LIST`) and can be replaced by the caller's. Source: platform docs, chat page
(usage) and pricing page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, cast

import pydantic

from .models import PRICES, PRICES_CNY, Price

__all__ = ["PRICE_LIST", "PriceList", "Tokens", "price_list", "tokens_of"]

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Token counts: `cached` and `written` (to the cache) are parts of `prompt`, `reasoning` is part of `output`."""

    prompt: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0
    reasoning: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        sums = {field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)}
        return Tokens(**sums)

    @property
    def cached_share(self) -> float:
        """How much of the prompt came from the cache, 0 to 1."""
        return self.cached / self.prompt if self.prompt else 0.0

    def cost(self, price: Price) -> Decimal:
        """What they cost, in the price's currency. Cache writes count at the price of the five-minute cache; which one
        was written to is not in the usage.

        >>> Tokens(prompt=1_000_000, cached=500_000, output=100_000).cost(PRICES["kimi-k3"])
        Decimal('3.15')
        """
        fresh = self.prompt - self.cached - self.written
        write = price.input if price.write_5m is None else price.write_5m
        total = fresh * price.input + self.cached * price.cached + self.written * write + self.output * price.output
        return (total / MILLION).normalize()


def tokens_of(usage: Any) -> Tokens:
    """The counts in a usage, an SDK object or its JSON, wherever Kimi put them.

    >>> tokens_of({"prompt_tokens": 89, "completion_tokens": 22, "cached_tokens": 89}).cached_share
    1.0
    """
    if isinstance(usage, pydantic.BaseModel):
        usage = usage.model_dump(mode="json", exclude_none=True, warnings=False)
    found = cast("Mapping[str, Any]", usage)
    prompt: Mapping[str, Any] = found.get("prompt_tokens_details") or {}
    output: Mapping[str, Any] = found.get("completion_tokens_details") or {}
    return Tokens(
        prompt=found.get("prompt_tokens") or 0,
        cached=prompt.get("cached_tokens") or found.get("cached_tokens") or 0,
        written=prompt.get("cache_write_tokens") or 0,
        output=found.get("completion_tokens") or 0,
        reasoning=output.get("reasoning_tokens") or 0,
    )


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices by exact model id, per million tokens in `currency`, as they were on a day."""

    prices: Mapping[str, Price]
    date: date
    currency: str = "USD"

    def cost(self, model: str, tokens: Tokens) -> Decimal | None:
        """What the tokens cost, `None` for a model without a price."""
        price = self.prices.get(model)
        return None if price is None else tokens.cost(price)


PRICE_LIST = PriceList(PRICES, date(2026, 11, 23))
"""The prices of platform.kimi.ai that this release knows."""

PRICE_LIST_CNY = PriceList(PRICES_CNY, date(2026, 9, 29), "CNY")
"""Those of platform.kimi.com."""


def price_list(client: object) -> PriceList:
    """What the region of a client charges; platform.kimi.ai's where it is not known."""
    options: Any = getattr(client, "kimi_options", None)
    return PRICE_LIST_CNY if getattr(options, "region", None) == "cn" else PRICE_LIST
