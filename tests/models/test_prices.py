"""Prices: data with sources, by exact model id."""

from __future__ import annotations

import re

import pytest

from kimi_openai.models.catalog import CURRENT
from kimi_openai.models.prices import PRICES, PRICES_CNY, Price

ROWS = {
    **{f"USD {model}": price for model, price in PRICES.items()},
    **{f"CNY {model}": price for model, price in PRICES_CNY.items()},
}


@pytest.mark.parametrize("price", ROWS.values(), ids=ROWS)
def test_every_price_names_its_source_and_date(price: Price) -> None:
    """Prices change, so each row says where and when it was read."""
    assert re.search(r"\w+.*, \d{4}-\d\d-\d\d", price.source)


@pytest.mark.parametrize("price", ROWS.values(), ids=ROWS)
def test_prices_are_plausible(price: Price) -> None:
    """Cached input is the cheapest and output the most expensive; a longer cache lifetime never costs less."""
    assert 0 < price.cached < price.input < price.output
    assert (price.write_5m is None) == (price.write_1h is None)
    assert (price.write_5m or 0) <= (price.write_1h or 0)


def test_every_current_model_has_a_price() -> None:
    """Costs of all current models can be computed in USD, the default currency."""
    assert set(CURRENT) <= set(PRICES)
