"""The account behind the key: its balance, which goes down with each answer.

Prices come from `kimi_openai.models`. Source: platform docs, balance and pricing pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from kimi_openai.emulator.json_values import Json
from kimi_openai.models.prices import PRICES

__all__ = ["Account"]

MILLION = Decimal(1_000_000)

DEFAULT_VOUCHER, DEFAULT_CASH = Decimal("46.58893"), Decimal("3.00001")
"""The example of the balance page."""


@dataclass(slots=True)
class Account:
    """Cash and voucher. Use is paid from the voucher first, then from cash, which may go below 0.

    `spent` is all that was paid so far.
    """

    cash: Decimal = DEFAULT_CASH
    voucher: Decimal = DEFAULT_VOUCHER
    spent: Decimal = Decimal(0)

    @property
    def available(self) -> Decimal:
        """What can be spent: cash + voucher, or the voucher alone when cash is negative."""
        return self.voucher + max(self.cash, Decimal(0))

    def charge(
        self, model: str, usage: Json, *, share: Decimal = Decimal(1), written: int = 0, cache_ttl: str = "5m"
    ) -> None:
        """Pay `share` of the price of one answer. A model without a price is free.

        Tokens that are read from the cache, written to it, and neither have a price each; that of writing depends on
        `cache_ttl`.
        """
        price = PRICES.get(model)
        if price is None:
            return
        cached = int(usage.get("cached_tokens", 0))
        plain, output = int(usage["prompt_tokens"]) - cached - written, int(usage["completion_tokens"])
        write = (price.write_1h if cache_ttl == "1h" else price.write_5m) or price.input
        prompt = plain * price.input + written * write + cached * price.cached
        cost = share * (prompt + output * price.output) / MILLION
        self.pay(cost)

    def pay(self, cost: Decimal) -> None:
        """Pay a sum."""
        self.spent += cost
        from_voucher = min(cost, self.voucher)
        self.voucher -= from_voucher
        self.cash -= cost - from_voucher
