"""What a bulk run may spend, has spent, and has reserved for the lines that are being answered. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from kimi_openai._internal.json_values import as_dict
from kimi_openai.usage.costs import PriceList, Tokens

from .plan import cost_at_most, reserved
from .requests import Request

__all__ = ["Spending"]


@dataclass(slots=True)
class Spending:
    """`cost` and `tokens` are spent, `held` is reserved. A line is sent only if all together stays within `budget`."""

    prices: PriceList
    budget: Decimal | None = None
    parts: int = 1
    cost: Decimal = Decimal(0)
    tokens: Tokens = Tokens()  # noqa: RUF009 - frozen
    held: Decimal = Decimal(0)

    def hold(self, request: Request) -> Decimal | None:
        """Reserve the most that an answer may cost. `None` if that does not fit beside what is reserved."""
        if self.budget is None:
            return Decimal(0)
        one = reserved(request)
        most = cost_at_most(one, self.prices.prices[one.model], self.parts)
        if "json_schema" in as_dict(request.body.get("response_format")):
            most *= 2  # it may be asked for once more
        if self.cost + self.held + most > self.budget:
            return None
        self.held += most
        return most

    def settle(self, held: Decimal, model: str, tokens: Tokens | None) -> None:
        """An answer has come, or failed: with these tokens, or at an unknown cost, which is taken as all of `held`."""
        self.held -= held
        if tokens is None:
            self.cost += held
        else:
            self.add(model, tokens)

    def add(self, model: str, tokens: Tokens) -> None:
        """Count tokens that were spent."""
        self.tokens += tokens
        self.cost += self.prices.cost(model, tokens) or 0
