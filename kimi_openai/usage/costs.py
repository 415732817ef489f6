"""Token counts of an answer, and their cost.

Pure. The prices come from `models.prices`, or from the caller. Source: platform docs, chat page (usage) and pricing
page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

from kimi_openai._internal.counts import count_of
from kimi_openai._internal.json_values import Json, as_dict, to_json
from kimi_openai.models.formulas import FORMULAS
from kimi_openai.models.prices import BATCH_PRICES, BATCH_SHARE, PRICES, PRICES_CNY, Price
from kimi_openai.models.prompt_cache import CacheTtl

__all__ = ["PRICE_LIST", "CacheTtl", "PriceList", "Tokens", "money", "price_list", "tokens_of"]

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Token counts: `cached` and `written` (to the cache) are parts of `prompt`, `reasoning` is part of `output`.

    `written_1h` is the part of `written` that the cache keeps for an hour.
    """

    prompt: int = 0
    cached: int = 0
    written: int = 0
    written_1h: int = 0
    output: int = 0
    reasoning: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        sums = {field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)}
        return Tokens(**sums)

    @property
    def cached_share(self) -> float:
        """The share of the prompt that came from the cache, 0 to 1."""
        return self.cached / self.prompt if self.prompt else 0.0

    def cost(self, price: Price) -> Decimal:
        """The cost in the currency of the price.

        Tokens that are written to the cache are paid instead of, not besides, their price as input. Source: platform
        docs, pricing page; a staff announcement on forum.moonshot.ai (t/613).

        >>> Tokens(prompt=1_000_000, cached=500_000, output=100_000).cost(PRICES["kimi-k3"])
        Decimal('3.15')
        """
        fresh = self.prompt - self.cached - self.written
        total = fresh * price.input + self.cached * price.cached + self.output * price.output
        total += (self.written - self.written_1h) * (price.write_5m or price.input)
        total += self.written_1h * (price.write_1h or price.input)
        return (total / MILLION).normalize()


def tokens_of(usage: Any, *, cache_ttl: CacheTtl = "5m") -> Tokens:
    """The token counts in a usage (an SDK object or its JSON); of anything else, zeros.

    Finds the cached tokens in both places that Kimi uses, and the names of chat completions and of responses. A count
    that is missing or cannot be one is 0. The usage does not say for how long tokens were written to the cache:
    `cache_ttl` is what the request asked for, five minutes if it did not. Source: platform docs, chat page and
    Responses page.

    >>> tokens_of({"prompt_tokens": 89, "completion_tokens": 22, "cached_tokens": 89}).cached_share
    1.0
    """
    counts = as_dict(to_json(usage))
    read, wrote = ("input", "output") if "input_tokens" in counts else ("prompt", "completion")
    prompt, output = as_dict(counts.get(f"{read}_tokens_details")), as_dict(counts.get(f"{wrote}_tokens_details"))
    written = _count(prompt, "cache_write_tokens")
    return Tokens(
        prompt=_count(counts, f"{read}_tokens"),
        cached=_count(prompt, "cached_tokens") or _count(counts, "cached_tokens"),
        written=written,
        written_1h=written if cache_ttl == "1h" else 0,
        output=_count(counts, f"{wrote}_tokens"),
        reasoning=_count(output, "reasoning_tokens"),
    )


def _count(counts: Json, name: str) -> int:
    return count_of(counts.get(name)) or 0


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices per million tokens by exact model id, in `currency`, as published on `date`.

    `batches` has the prices of batches that differ from 60 % of the standard price, rounded figures among them.
    `calls` holds the prices of one call of an official tool, by its namespace and name.
    """

    prices: Mapping[str, Price] = field(repr=False)  # else the signature of `live` would have every price in it
    date: date
    currency: str = "USD"
    calls: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal], repr=False)
    batches: Mapping[str, Price] = field(default_factory=dict[str, Price], repr=False, compare=False)

    def cost(self, model: str, tokens: Tokens, *, is_batch: bool = False) -> Decimal | None:
        """The cost of the tokens, None if the model has no price.

        >>> PRICE_LIST.cost("kimi-k2.6", Tokens(output=1_000_000), is_batch=True)
        Decimal('2.4')
        """
        price = self.price(model, is_batch=is_batch)
        return None if price is None else tokens.cost(price)

    def saved(self, model: str, tokens: Tokens, *, is_batch: bool = False) -> Decimal | None:
        """What the cache saved: the cost of the tokens without it, less their cost. None if the model has no price.

        It is negative if what was written for an hour was not read again.

        >>> PRICE_LIST.saved("kimi-k3", Tokens(prompt=2_000_000, cached=1_000_000, written=1_000_000))
        Decimal('2.7')
        """
        price = self.price(model, is_batch=is_batch)
        if price is None:
            return None
        return (replace(tokens, cached=0, written=0, written_1h=0).cost(price) - tokens.cost(price)).normalize()

    def price(self, model: str, *, is_batch: bool = False) -> Price | None:
        """The price of a model, None if it has none."""
        price = self.prices.get(model)
        if is_batch:
            return self.batches.get(model) or (price and price.scaled(BATCH_SHARE))
        return price

    def cost_of_calls(self, uri: str, count: int) -> Decimal | None:
        """The cost of so many calls of an official tool, None if it has no price.

        >>> PRICE_LIST.cost_of_calls("moonshot/web-search:latest", 2)
        Decimal('0.010')
        """
        price = self.calls.get(uri.partition(":")[0])
        return None if price is None else price * count


PRICE_LIST = PriceList(
    PRICES,
    date(2026, 11, 23),
    calls={name: each.usd for name, each in FORMULAS.items() if each.usd is not None},
    batches=BATCH_PRICES,
)
"""The prices of platform.kimi.ai."""

PRICE_LIST_CNY = PriceList(
    PRICES_CNY,
    date(2026, 9, 29),
    "CNY",
    calls={name: each.cny for name, each in FORMULAS.items() if each.cny is not None},
)
"""The prices of platform.kimi.com."""


def price_list(client: object) -> PriceList:
    """The prices of the client's region; those of platform.kimi.ai if the region is not known."""
    options: Any = getattr(client, "kimi_options", None)
    return PRICE_LIST_CNY if getattr(options, "region", None) == "cn" else PRICE_LIST


def money(amount: Decimal, currency: str = "USD") -> str:
    """An amount as text, with at least two significant digits and the sign of its currency.

    >>> money(Decimal("0.000597")), money(Decimal("12.345")), money(Decimal("0.1"), "CNY")
    ('$0.0006', '$12.34', '¥0.10')
    """
    digits = 2 if abs(amount) >= Decimal("0.1") or not amount else 1 - amount.adjusted()
    shown = f"{amount:,.{digits}f}"
    shown = shown.rstrip("0") if digits > 2 else shown
    return {"USD": "$", "CNY": "¥"}.get(currency, f"{currency} ") + shown
