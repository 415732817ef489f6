"""What a bulk run may spend, has spent, and has reserved for the lines that are being answered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from kimi_openai._internal.json_values import as_dict
from kimi_openai.usage.costs import PriceList, Tokens

from .estimate import cost_at_most, reserved, sent_model
from .index import hash_of
from .records import cost_in, tokens_in
from .requests import Request

__all__ = ["Spending"]


@dataclass(slots=True)
class Spending:
    """`cost` and `tokens` are spent, `held` is reserved. A line is sent only if all together stays within `budget`.

    `is_batch`: what is held and settled has the prices of batches. `earlier` has what the lines that are asked again
    have cost before, by the hashes of their ids; it is in `cost` already.
    """

    prices: PriceList
    budget: Decimal | None = None
    parts: int = 1
    aliases: Mapping[str, str] | None = None
    is_batch: bool = False
    cost: Decimal = Decimal(0)
    tokens: Tokens = Tokens()  # noqa: RUF009 - frozen
    held: Decimal = Decimal(0)
    earlier: dict[int, Decimal] = field(default_factory=dict[int, Decimal])

    def most(self, request: Request) -> Decimal:
        """The most that an answer may cost."""
        one = reserved(request, self.aliases)
        price = self.prices.price(one.model, is_batch=self.is_batch)
        if price is None:
            return Decimal(0)
        if self.is_batch:
            return cost_at_most(one, price)
        is_asked_again = "json_schema" in as_dict(request.body.get("response_format"))
        return cost_at_most(one, price, self.parts) * (2 if is_asked_again else 1)

    def hold(self, request: Request) -> Decimal | None:
        """Reserve the most that an answer may cost. `None` if that does not fit beside what is reserved."""
        if self.budget is None and not self.is_batch:
            return Decimal(0)
        most = self.most(request)
        if self.budget is not None and self.cost + self.held + most > self.budget:
            return None
        self.held += most
        return most

    def settle(self, held: Decimal, model: str, tokens: Tokens | None, custom_id: str = "") -> Decimal:
        """An answer has come, or failed: with these tokens, or at an unknown cost, which is taken as all of `held`.

        Returns what the line has cost, with what it cost before.
        """
        self.held -= held
        sent = sent_model(model, self.aliases)
        cost = held if tokens is None else self.prices.cost(sent, tokens, is_batch=self.is_batch) or Decimal(0)
        self.cost += cost
        if tokens is not None:
            self.tokens += tokens
        return cost + (self.earlier.pop(hash_of(custom_id), Decimal(0)) if self.earlier else 0)

    def count(self, record: dict[str, Any]) -> None:
        """Count a line of an earlier run."""
        self.tokens += tokens_in(record)
        self.cost += cost_in(record, self.prices)
