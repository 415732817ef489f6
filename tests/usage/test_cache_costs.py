"""`cache_cost`, beside what the emulator charges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from kimi_openai import cache, cache_cost, create_client
from kimi_openai.emulator import Emulator
from kimi_openai.models.prices import PRICES
from kimi_openai.usage import PriceList, track
from kimi_openai.usage.costs import PRICE_LIST_CNY

K3 = "kimi-k3"


@pytest.mark.parametrize(
    ("interval", "costs", "best"),
    [
        (240, ("3", "0.57", "0.87"), "5m"),
        (600, ("3", "3", "0.87"), "1h"),
        (4000, ("3", "3", "6"), "5m"),
        ([60] * 8 + [600], ("3", "0.84", "0.87"), "5m"),
        ([60] * 7 + [600] * 2, ("3", "1.11", "0.87"), "1h"),
    ],
    ids=["minutes", "ten minutes", "hours", "one pause", "two pauses"],
)
def test_which_lifetime_is_cheaper(interval: Any, costs: tuple[str, ...], best: str) -> None:
    """Ten times 100,000 tokens of kimi-k3: the hour pays from the second hit that five minutes would miss."""
    cost = cache_cost(K3, tokens=100_000, times=10, interval=interval)
    assert (cost.without, cost.five_minutes, cost.one_hour) == tuple(map(Decimal, costs))
    assert (cost.best, cost.saved) == (best, Decimal(3) - min(map(Decimal, costs)))
    assert str(cost).startswith(f"the cheaper lifetime is {best}\ncache  hits")
    assert "<table>" in cost._repr_html_()


@pytest.mark.parametrize("interval", [100.0, 1000.0, 5000.0])
@pytest.mark.parametrize("ttl", ["5m", "1h"])
def test_the_emulator_charges_what_it_says(ttl: Any, interval: float) -> None:
    """For a prompt in whole blocks; and the ledger says the same."""
    now = [1_800_000_000.0]
    with (
        Emulator(clock=lambda: now[0], balance=100) as kimi,
        create_client(base_url=kimi.base_url, api_key=kimi.api_key) as client,
    ):
        body: Any = {
            "model": K3,
            "messages": [{"role": "user", "content": "word " * 1023}],
            "max_completion_tokens": 64,
        }
        with track(client) as ledger:
            for _ in range(4):
                client.chat.completions.create(**body, extra_body=cache(ttl=ttl))
                now[0] += interval
        tokens = ledger.tokens.prompt // 4
        cost = cache_cost(K3, tokens=tokens, times=4, interval=interval)
        said = cost.five_minutes if ttl == "5m" else cost.one_hour
        paid = ledger.cost - ledger.tokens.output * PRICES[K3].output / 1_000_000
        per_block = 4 * 256 * PRICES[K3].input / 1_000_000
        assert abs(paid - said) < per_block
        assert abs(ledger.saved - (cost.without - said)) < per_block
        assert abs(Decimal(100) - kimi.balance - ledger.cost) < Decimal("0.000001")


def test_other_prices_and_edges() -> None:
    """None and one request, another currency."""
    cost = cache_cost(K3, tokens=1_000_000, times=1, interval=60, prices=PRICE_LIST_CNY)
    assert (cost.without, cost.one_hour, cost.currency) == (20, 40, "CNY")
    assert cache_cost(K3, tokens=5, times=0, interval=60).one_hour == 0


@pytest.mark.parametrize(
    ("model", "options", "text"),
    [
        ("kimi-k2.6", {}, "no price for writing"),
        ("gpt-4o", {}, "no price for writing"),
        (K3, {"tokens": -1}, "0 or more"),
        (K3, {"interval": [1]}, "or 2 of them"),
        (K3, {"interval": -1}, "or 2 of them"),
    ],
)
def test_what_cannot_be_said_is_an_error(model: str, options: Any, text: str) -> None:
    """With the reason."""
    with pytest.raises(ValueError, match=text):
        cache_cost(model, **{"tokens": 1, "times": 3, "interval": 60, **options})


def test_prices_of_batches_are_a_share_if_no_other_is_known() -> None:
    """60 %, of writes too."""
    prices = PriceList({K3: PRICES[K3]}, PRICE_LIST_CNY.date)
    from kimi_openai.usage import Tokens

    tokens = Tokens(prompt=2_000_000, cached=1_000_000, written=1_000_000, written_1h=1_000_000, output=1_000_000)
    assert prices.cost(K3, tokens, is_batch=True) == Decimal("0.6") * (Decimal("0.30") + 6 + 15)
    assert prices.cost("unknown", tokens, is_batch=True) is None
