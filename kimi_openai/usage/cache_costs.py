"""What the prompt cache would cost and save: `cache_cost`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from kimi_openai._internal.table import Table
from kimi_openai.models.prompt_cache import CacheTtl

from .costs import PRICE_LIST, PriceList, Tokens, money

__all__ = ["CacheCost", "cache_cost"]

LIFETIMES: Mapping[CacheTtl, float] = {"5m": 300.0, "1h": 3600.0}
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheCost:
    """What a prompt costs, asked several times: `without` a cache, with the one for five minutes, and for an hour.

    `hits_5m` and `hits_1h` say how many of the requests would find it in the cache.
    """

    without: Decimal
    five_minutes: Decimal
    one_hour: Decimal
    hits_5m: int
    hits_1h: int
    currency: str = "USD"

    @property
    def best(self) -> CacheTtl:
        """The cheaper lifetime, "5m" if they cost the same."""
        return "1h" if self.one_hour < self.five_minutes else "5m"

    @property
    def saved(self) -> Decimal:
        """What the cheaper lifetime saves."""
        return self.without - min(self.five_minutes, self.one_hour)

    def table(self) -> Table:
        """One row for each choice."""
        rows = (("none", 0, self.without), ("5m", self.hits_5m, self.five_minutes), ("1h", self.hits_1h, self.one_hour))
        shown = tuple((name, hits, self._money(cost), self._money(self.without - cost)) for name, hits, cost in rows)
        return Table(shown, ("cache", "hits", "cost", "saved"), f"the cheaper lifetime is {self.best}")

    def _money(self, amount: Decimal) -> str:
        return money(amount, self.currency)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def cache_cost(
    model: str, *, tokens: int, times: int, interval: float | Sequence[float], prices: PriceList = PRICE_LIST
) -> CacheCost:
    """The `CacheCost` of a prompt of `tokens` tokens that is sent `times` times, with `interval` seconds between.

    `interval` may be a list of `times - 1` intervals. Only the prompt counts, whole and unchanged; answers cost the
    same. Kimi caches in blocks of 256 tokens (measured), so up to 255 tokens of each request are paid as input: that is
    left out here. A hit renews the lifetime, which is fixed at the first write. The five-minute cache never costs more
    than none; the hour costs one more input price for each token written, and pays from the second hit that five
    minutes would miss.

    Raises `ValueError` for a model without a price for writing: the K2 series bills none and has no lifetimes. Source:
    staff on forum.moonshot.ai (t/613), `kimi_openai.models.prices`.

    >>> cost = cache_cost("kimi-k3", tokens=100_000, times=10, interval=600)
    >>> cost.without, cost.five_minutes, cost.one_hour, cost.best
    (Decimal('3'), Decimal('3'), Decimal('0.87'), '1h')
    """
    price = prices.prices.get(model)
    if price is None or price.write_5m is None or price.write_1h is None:
        raise ValueError(f"{model} has no price for writing to the cache; the models of the K3 family have")
    if tokens < 0 or times < 0:
        raise ValueError("tokens and times are 0 or more")
    gaps = [float(interval)] * max(0, times - 1) if isinstance(interval, int | float) else list(interval)
    if len(gaps) != max(0, times - 1) or any(gap < 0 for gap in gaps):
        raise ValueError(f"interval is a number of seconds, or {max(0, times - 1)} of them, one between two requests")
    hits = {ttl: sum(gap <= lifetime for gap in gaps) for ttl, lifetime in LIFETIMES.items()}

    def cost(ttl: CacheTtl | None) -> Decimal:
        read = hits[ttl] * tokens if ttl else 0
        written = times * tokens - read if ttl else 0
        used = Tokens(prompt=times * tokens, cached=read, written=written, written_1h=written if ttl == "1h" else 0)
        return used.cost(price)

    return CacheCost(
        without=cost(None),
        five_minutes=cost("5m"),
        one_hour=cost("1h"),
        hits_5m=hits["5m"],
        hits_1h=hits["1h"],
        currency=prices.currency,
    )
