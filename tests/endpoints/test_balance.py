"""`get_balance`: the request, the amounts and their currency, and the table."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kimi_openai import Balance, create_client, get_balance
from kimi_openai.emulator import Emulator
from tests.conftest import Mode
from tests.harmless import checked
from tests.servers import MakeAnswering

BALANCE = {
    "code": 0,
    "data": {"available_balance": 49.58894, "voucher_balance": 46.58893, "cash_balance": 3.00001},
    "scode": "0x0",
    "status": True,
}
"""The example of the platform's balance page."""


@pytest.mark.parametrize(("region", "currency"), [("ai", "USD"), ("cn", "CNY"), (None, None)])
def test_a_balance_is_exact_and_in_the_currency_of_the_region(
    mode: Mode, answering: MakeAnswering, region: str | None, currency: str | None
) -> None:
    """The JSON numbers become decimals digit for digit."""
    server = answering(200, BALANCE)
    client = mode.client(api_key="sk-1", base_url=server.base_url, region=region)
    balance = mode.run(get_balance(client))
    assert balance == Balance(Decimal("49.58894"), Decimal("46.58893"), Decimal("3.00001"), currency)
    assert server.requests == [("GET", "/v1/users/me/balance", b"")]
    assert not balance.is_exhausted


def test_a_balance_is_exhausted_when_nothing_is_available() -> None:
    """Cash may be negative while a voucher is left."""
    assert Balance(Decimal(0), Decimal(0), Decimal("-0.5"), "USD").is_exhausted
    assert not Balance(Decimal("0.01"), Decimal("0.01"), Decimal(-3), "USD").is_exhausted


def test_the_balance_goes_down_with_use(mode: Mode, kimi: Emulator) -> None:
    """A chat costs money."""
    client = mode.client(kimi)
    before = mode.run(get_balance(client))
    mode.run(client.chat.completions.create(model="kimi-k3", messages=[{"role": "user", "content": "Hello"}]))
    assert mode.run(get_balance(client)).available < before.available


def test_a_balance_is_shown_as_a_table(kimi: Emulator) -> None:
    """In a notebook, each amount with its currency."""
    client = create_client(base_url=kimi.base_url, api_key=kimi.api_key, region="ai")
    assert checked(get_balance(client)._repr_html_()).texts == [
        *("available", "voucher", "cash"),
        *("49.58894 USD", "46.58893 USD", "3.00001 USD"),
    ]
