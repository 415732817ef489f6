"""The account behind the key: its balance, which goes down with use, and its prompt cache.

State of one emulator; prices are the facts table's. Sources: platform docs, balance and pricing pages.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from kimi_openai.models import PRICES

from .wire import Json, Problem

__all__ = ["Account", "PromptCache"]

MILLION = Decimal(1_000_000)
ORGANIZATION, ACCESS_KEY = "org-emulator", "ak-emulator"

DEFAULT_VOUCHER, DEFAULT_CASH = Decimal("46.58893"), Decimal("3.00001")
"""The balance page's own example."""


@dataclass(slots=True)
class Account:
    """Cash and voucher; use is paid from the voucher first, then from cash, which may go below 0."""

    cash: Decimal = DEFAULT_CASH
    voucher: Decimal = DEFAULT_VOUCHER

    @property
    def available(self) -> Decimal:
        """What can be spent: cash + voucher, or the voucher alone when cash is negative."""
        return self.voucher + max(self.cash, Decimal(0))

    def charge(self, model: str, usage: Json, *, share: Decimal = Decimal(1)) -> None:
        """Pay for one answer. A model without a price is free."""
        price = PRICES.get(model)
        if price is None:
            return
        cached = int(usage.get("cached_tokens", 0))
        fresh, output = int(usage["prompt_tokens"]) - cached, int(usage["completion_tokens"])
        cost = share * (fresh * price.input + cached * price.cached + output * price.output) / MILLION
        from_voucher = min(cost, self.voucher)
        self.voucher -= from_voucher
        self.cash -= cost - from_voucher

    def body(self) -> Json:
        """The balance body, with amounts of five decimals as in the docs' example."""
        amounts = {"available": self.available, "voucher": self.voucher, "cash": self.cash}
        data = {f"{name}_balance": float(round(amount, 5)) for name, amount in amounts.items()}
        return {"code": 0, "data": data, "scode": "0x0", "status": True}


def quota_problem(status: int = 429) -> Problem:
    """The error of an empty account (text of a user report)."""
    text = (
        f"Your account {ORGANIZATION}<{ACCESS_KEY}> is suspended due to insufficient balance, "
        "please recharge your account or check your plan and billing details"
    )
    return Problem(text, "exceeded_current_quota_error", status)


@dataclass(slots=True)
class PromptCache:
    """Which prompts were seen: whole ones, and beginnings of longer ones in blocks of 256 tokens (as measured)."""

    block: int = 256
    size: int = 10_000
    seen: OrderedDict[int, None] = field(default_factory=OrderedDict[int, None])

    def hit(self, salt: object, prompt: Sequence[tuple[str, int]], overhead: int) -> int:
        """How many tokens of the prompt (texts of its messages with their token counts) are cached; then remember it.

        >>> cache = PromptCache()
        >>> cache.hit("k3", [("hi", 80)], 9), cache.hit("k3", [("hi", 80)], 9)
        (0, 89)
        """
        key, total, found = hash(salt), overhead, 0
        for text, tokens in prompt:
            key, total = hash((key, text)), total + tokens
            if key in self.seen:
                found = total
            self.seen[key] = None
            self.seen.move_to_end(key)
        while len(self.seen) > self.size:
            self.seen.popitem(last=False)
        whole = found == total and total <= self.block
        return found if whole else found // self.block * self.block
