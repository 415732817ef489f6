"""A user's file that uses track; checked by mypy and pyright in strict mode, never run."""

from __future__ import annotations

from decimal import Decimal

import openai
from typing_extensions import assert_type

from kimi_openai import CacheCost, cache_cost, create_async_client, create_client, track
from kimi_openai.usage import PRICE_LIST, Ledger, LedgerRow, Tokens


def counted() -> None:
    with track(create_client()) as ledger:
        assert_type(ledger, Ledger)
    assert_type(track(create_async_client(), prices=PRICE_LIST), Ledger)
    assert_type(ledger.rows, tuple[LedgerRow, ...])
    assert_type(ledger.rows[0].cost, Decimal | None)
    assert_type(ledger.tokens, Tokens)


def saved() -> None:
    assert_type(track(create_client(), warn_on_broken_prefix=True).saved, Decimal)
    assert_type(cache_cost("kimi-k3", tokens=1, times=2, interval=3), CacheCost)


def refused() -> None:
    """A client of the bare SDK; mypy reports the comment as unused if `track` accepts one."""
    track(openai.OpenAI())  # type: ignore[arg-type]
    track(openai.AsyncOpenAI())  # type: ignore[arg-type]
