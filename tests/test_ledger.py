"""What a client's answers cost: counted in both worlds, for every way to ask, and for copies of the client."""

from __future__ import annotations

import gc
from datetime import date
from decimal import Decimal
from typing import Any

import openai
import pytest

from kimi_openai import complete, create_client, stream, track
from kimi_openai.costs import PRICE_LIST, PriceList, Tokens, tokens_of
from kimi_openai.emulator import Emulator, cut, say, usage
from kimi_openai.models import PRICES

from .conftest import Mode
from .harmless import wrong_in

QUESTION: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
SPENT = usage(prompt_tokens=1000, completion_tokens=100, cached_tokens=400, reasoning_tokens=30)
ONE = Tokens(prompt=1000, cached=400, output=100, reasoning=30)


def test_every_way_to_ask_is_counted_once(kimi: Emulator, mode: Mode) -> None:
    """A completion, streams with and without OpenAI's usage chunk, raw, parsed, `stream` and `complete`."""
    client = mode.client(kimi)
    chat = client.chat.completions
    with track(client) as ledger:
        for count in range(7):
            kimi.script(say("ok"), SPENT)
            match count:
                case 0:
                    mode.run(chat.create(**QUESTION))
                case 1:
                    mode.each(mode.run(chat.create(**QUESTION, stream=True)))
                case 2:
                    mode.each(mode.run(chat.create(**QUESTION, stream=True, stream_options={"include_usage": True})))
                case 3:
                    mode.run(chat.with_raw_response.create(**QUESTION)).parse()
                case 4:
                    mode.run(chat.parse(**QUESTION))
                case 5:
                    mode.each(stream(client, **QUESTION))
                case _:
                    mode.run(complete(client, **QUESTION))
            assert (ledger.calls, ledger.tokens.prompt) == (count + 1, 1000 * (count + 1))
    mode.run(chat.create(**QUESTION))
    assert ledger.calls == 7
    assert ledger.cost == 7 * PRICE_LIST.cost("kimi-k3", ONE) == 7 * Decimal("0.00342")


def test_copies_are_counted_and_others_are_not(kimi: Emulator, mode: Mode) -> None:
    """`with_options` before or after; another client of the same account is another matter."""
    client, other = mode.client(kimi), mode.client(kimi)
    before = client.with_options(timeout=5)
    with track(client) as ledger:
        for each in (before, client.with_options(max_retries=0), other):
            mode.run(each.chat.completions.create(**QUESTION))
    assert ledger.calls == 2


def test_a_stream_without_its_usage_is_counted_as_such(kimi: Emulator) -> None:
    """One that broke and one that was left: what they cost is not known."""
    client = Mode("sync").client(kimi)
    kimi.script(say("half of it"), cut())
    with track(client) as ledger:
        with pytest.raises(openai.APIConnectionError):
            list(client.chat.completions.create(**QUESTION, stream=True))
        left = client.chat.completions.create(**QUESTION, stream=True)
        next(iter(left))
        left.close()
        del left
        gc.collect()
    (row,) = ledger.rows
    assert (row.calls, row.uncounted, row.cost) == (2, 2, 0)


def test_a_refused_request_costs_nothing(kimi: Emulator, mode: Mode) -> None:
    """It is no answer."""
    client = mode.client(kimi, max_retries=0, compat="off")
    with track(client) as ledger, pytest.raises(openai.BadRequestError):
        mode.run(client.chat.completions.create(model="kimi-k3", messages=[]))
    assert ledger.calls == 0


def test_the_ledger_shows_models_with_and_without_a_price(kimi: Emulator) -> None:
    """As a table and as a plot."""
    client = Mode("sync").client(kimi)
    ledger = track(client, prices=PriceList({"kimi-k3": PRICES["kimi-k3"]}, date(2026, 11, 23)))
    for model in ("kimi-k3", "kimi-k2.6", "kimi-k3"):
        kimi.script(say("ok"), SPENT)
        client.chat.completions.create(**{**QUESTION, "model": model})
    ledger.stop()
    ledger.stop()
    assert repr(ledger).splitlines() == [
        "3 calls, $0.0068 (prices of 2026-11-23)",
        "model      calls  tokens in  cached  out  cost",
        "kimi-k3        2      2,000     40%  200  $0.0068",
        "kimi-k2.6      1      1,000     40%  100  no price",
    ]
    assert wrong_in(ledger._repr_html_()) == []


def test_the_plot_has_a_bar_for_each_part(kimi: Emulator) -> None:
    """Cached and fresh prompt, reasoning and answer; they add up to all tokens."""
    figures = pytest.importorskip("matplotlib.figure")
    client = Mode("sync").client(kimi)
    with track(client) as ledger:
        kimi.script(say("ok"), SPENT)
        client.chat.completions.create(**QUESTION)
    axes = ledger.plot(figures.Figure().subplots())
    assert [bar.get_width() for bars in axes.containers for bar in bars] == [400, 600, 30, 70]


def test_each_region_has_its_prices() -> None:
    """In its currency; what the other one charges is not taken for them."""
    client = create_client(api_key="sk-x", region="cn")
    ledger = track(client)
    client.kimi_options.observers[-1]("kimi-k3", {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000})
    client.kimi_options.observers[-1]("kimi-k3.1-pro", {"prompt_tokens": 1})
    assert [row.cost for row in ledger.rows] == [120, None]
    assert repr(ledger).startswith("2 calls, ¥120.00 (prices of 2026-09-29)")
    assert track(create_client(api_key="sk-x", region="ai")).prices is PRICE_LIST


def test_a_client_of_openais_own_is_refused() -> None:
    """It tells nobody of its answers."""
    with openai.OpenAI(api_key="sk-x") as client, pytest.raises(TypeError, match="create_client, not OpenAI"):
        track(client)


def test_cached_and_written_tokens_have_their_prices() -> None:
    """Wherever the platform reports them."""
    details = {"cached_tokens": 300_000, "cache_write_tokens": 200_000}
    tokens = tokens_of({"prompt_tokens": 1_000_000, "completion_tokens": 0, "prompt_tokens_details": details})
    assert tokens == Tokens(prompt=1_000_000, cached=300_000, written=200_000)
    assert tokens.cost(PRICES["kimi-k3"]) == Decimal("0.09") + Decimal("0.6") + Decimal("1.5")
    assert tokens.cost(PRICES["kimi-k2.6"]) == Decimal("0.048") + Decimal("0.19") + Decimal("0.475")
