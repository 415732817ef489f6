"""The balance of an account: `get_balance` and the value it returns."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, overload

import openai

from kimi_openai._internal.flow import AnyClient, Flow, run
from kimi_openai._internal.table import Table
from kimi_openai.client.base_url import Region, region_of
from kimi_openai.errors.exceptions import UnexpectedAnswerError

from .any_client import guarded

__all__ = ["Balance", "get_balance"]

Currency = Literal["USD", "CNY"]
CURRENCIES: Mapping[Region, Currency] = {"ai": "USD", "cn": "CNY"}


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of an account. `available` is `voucher` plus `cash`, or `voucher` alone if `cash` is negative.

    `currency` is that of the client's region: "USD" on platform.kimi.ai, "CNY" on platform.kimi.com, None elsewhere.
    """

    available: Decimal
    voucher: Decimal
    cash: Decimal
    currency: Currency | None

    @property
    def is_exhausted(self) -> bool:
        """Whether Kimi refuses requests now (429 `exceeded_current_quota_error`), since nothing is available."""
        return self.available <= 0

    def _repr_html_(self) -> str:
        amounts = tuple(f"{amount} {self.currency or ''}" for amount in (self.available, self.voucher, self.cash))
        return Table((amounts,), ("available", "voucher", "cash")).html()


@overload
def get_balance(client: openai.OpenAI) -> Balance: ...
@overload
def get_balance(client: openai.AsyncOpenAI) -> Coroutine[Any, Any, Balance]: ...
def get_balance(client: AnyClient) -> Balance | Coroutine[Any, Any, Balance]:
    """The `Balance` of the account, from GET /v1/users/me/balance.

    Raises the SDK's errors (401 if the key belongs to another region), and `UnexpectedAnswerError` if the answer has
    another shape. Source: platform docs, balance page.
    """
    return run(client, guarded("the balance", _balance(client)))


def _balance(client: AnyClient) -> Flow[Balance]:
    answer = yield client.get("/users/me/balance", cast_to=object)
    region: Region | None = getattr(client, "region", None) or region_of(str(client.base_url))
    match answer:
        case {"data": {"available_balance": available, "voucher_balance": voucher, "cash_balance": cash}}:
            # str() gives the digits of the JSON number; Decimal(float) would give its binary approximation
            with suppress(InvalidOperation):
                amounts = [Decimal(str(amount)) for amount in (available, voucher, cash)]
                if not all(map(Decimal.is_finite, amounts)):
                    raise UnexpectedAnswerError("the balance", answer)
                return Balance(amounts[0], amounts[1], amounts[2], CURRENCIES[region] if region else None)
        case _:
            pass
    raise UnexpectedAnswerError("the balance", answer)
