"""The balance goes down by the price of what was used."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kimi_openai.emulator.state.account import Account
from kimi_openai.models.prices import PRICES

MILLION = 1_000_000


@pytest.mark.parametrize("model", PRICES)
def test_price(model: str) -> None:
    """Fresh input, cached input and output have the prices of the facts table."""
    price = PRICES[model]
    account = Account(cash=Decimal(100), voucher=Decimal(0))
    account.charge(model, {"prompt_tokens": 3 * MILLION, "cached_tokens": MILLION, "completion_tokens": MILLION})
    assert Decimal(100) - account.cash == 2 * price.input + price.cached + price.output


def test_an_hour_in_the_cache_has_its_price() -> None:
    """What is written to the cache for an hour costs K3 twice the price of input, and K2 has no such price."""
    account = Account(cash=Decimal(100), voucher=Decimal(0))
    for model in ("kimi-k3", "kimi-k2.6"):
        account.charge(model, {"prompt_tokens": MILLION, "completion_tokens": 0}, written=MILLION, cache_ttl="1h")
    assert Decimal(100) - account.cash == 6 + Decimal("0.95")


def test_voucher_first() -> None:
    """The voucher is used up before the cash; with negative cash only the voucher counts."""
    account = Account(cash=Decimal(1), voucher=Decimal(2))
    account.charge("kimi-k3", {"prompt_tokens": 4 * MILLION, "completion_tokens": 0})
    assert (account.available, account.voucher, account.cash) == (0, 0, -9)
