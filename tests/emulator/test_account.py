"""The balance: it goes down by the price of what was used."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kimi_openai.emulator import Behaviour, Emulator, say, usage
from kimi_openai.emulator.account import Account
from kimi_openai.models import PRICES

from .http import chat, error_of, send

MILLION = 1_000_000


@pytest.mark.parametrize("model", PRICES)
def test_price(model: str) -> None:
    """Fresh input, cached input and output have the prices of the facts table."""
    price = PRICES[model]
    account = Account(cash=Decimal(100), voucher=Decimal(0))
    account.charge(model, {"prompt_tokens": 3 * MILLION, "cached_tokens": MILLION, "completion_tokens": MILLION})
    assert Decimal(100) - account.cash == 2 * price.input + price.cached + price.output


def test_voucher_first() -> None:
    """The voucher is used up before the cash; with negative cash only the voucher counts."""
    account = Account(cash=Decimal(1), voucher=Decimal(2))
    account.charge("kimi-k3", {"prompt_tokens": 4 * MILLION, "completion_tokens": 0})
    assert account.body()["data"] == {"available_balance": 0.0, "voucher_balance": 0.0, "cash_balance": -9.0}


@pytest.mark.parametrize("status", [429, 403])
def test_empty_account(status: int) -> None:
    """An empty account is told so, and is not charged further; topping up helps."""
    with Emulator(balance="0.01", behaviour=Behaviour(quota_status=status)) as kimi:
        kimi.script(say("dear"), usage(prompt_tokens=MILLION))
        assert chat(kimi).status == 200
        got = chat(kimi)
        assert (got.status, got.json) == (status, error_of("quota")[1])
        assert send(kimi, "GET", "/v1/users/me/balance").json["data"]["cash_balance"] == -2.99002
        kimi.balance = 1
        assert chat(kimi).status == 200
        assert kimi.balance < 1


def test_refusals_are_free() -> None:
    """An error costs nothing."""
    with Emulator() as kimi:
        before = kimi.balance
        assert chat(kimi, temperature=0).status == 400
        assert kimi.balance == before
