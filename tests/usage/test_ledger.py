"""`track`: which answers are counted, what they cost, and how the ledger is shown."""

from __future__ import annotations

import gc
from datetime import date
from decimal import Decimal
from typing import Any

import openai
import pytest

from kimi_openai import complete, create_client, stream, track
from kimi_openai.emulator import Emulator, cut, say, usage
from kimi_openai.models.prices import PRICES
from kimi_openai.usage import PRICE_LIST, PriceList, Tokens
from tests.conftest import Mode
from tests.harmless import wrong_in
from tests.servers import MakeAnswering

QUESTION: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
SPENT = usage(prompt_tokens=1000, completion_tokens=100, cached_tokens=400, reasoning_tokens=30)
ONE = Tokens(prompt=1000, cached=400, output=100, reasoning=30)


def test_every_kind_of_call_is_counted_once(kimi: Emulator, mode: Mode) -> None:
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


ONE_HOUR = {"extra_body": {"prompt_cache_options": {"mode": "implicit", "ttl": "1h"}}}


@pytest.mark.parametrize(("options", "cost"), [({}, 3), (ONE_HOUR, 6)], ids=["five minutes", "an hour"])
@pytest.mark.parametrize("kind", ["whole", "stream", "ours"])
def test_writes_to_the_cache_cost_what_their_lifetime_costs(
    kimi: Emulator, mode: Mode, kind: str, options: dict[str, Any], cost: int
) -> None:
    """The usage does not say how long the cache keeps them; the request does. Five minutes is Kimi's default."""
    client = mode.client(kimi)
    kimi.script(say("ok"), usage(prompt_tokens=1_000_000, completion_tokens=0, cache_write_tokens=1_000_000))
    quoting = {**QUESTION, "messages": [{"role": "user", "content": '"prompt_cache_options":{"ttl":"1h"}'}], **options}
    with track(client) as ledger:
        match kind:
            case "whole":
                mode.run(client.chat.completions.create(**quoting))
            case "stream":
                mode.each(mode.run(client.chat.completions.create(**quoting, stream=True)))
            case _:
                mode.each(stream(client, **quoting))
    assert ledger.cost == cost


def test_copies_are_counted_and_others_are_not(kimi: Emulator, mode: Mode) -> None:
    """Copies made before and after `track` are counted, another client of the same account is not."""
    client, other = mode.client(kimi), mode.client(kimi)
    before = client.with_options(timeout=5)
    with track(client) as ledger:
        for each in (before, client.with_options(max_retries=0), other):
            mode.run(each.chat.completions.create(**QUESTION))
    assert ledger.calls == 2


def test_a_stream_without_its_usage_is_uncounted(kimi: Emulator) -> None:
    """A stream that broke and one that was not read to its end: their cost is not known."""
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
    """Only answers are counted."""
    client = mode.client(kimi, max_retries=0, compat="off")
    with track(client) as ledger, pytest.raises(openai.BadRequestError):
        mode.run(client.chat.completions.create(model="kimi-k3", messages=[]))
    assert ledger.calls == 0


def test_the_ledger_shows_models_with_and_without_a_price(kimi: Emulator) -> None:
    """As a table; `stop()` can be called twice."""
    client = Mode("sync").client(kimi)
    ledger = track(client, prices=PriceList({"kimi-k3": PRICES["kimi-k3"]}, date(2026, 11, 23)))
    for model in ("kimi-k3", "kimi-k3.1-pro", "kimi-k3"):
        kimi.script(say("ok"), SPENT)
        client.chat.completions.create(**{**QUESTION, "model": model})
    ledger.stop()
    ledger.stop()
    assert repr(ledger).splitlines() == [
        "3 calls, $0.0068 (prices of 2026-11-23)",
        "model          calls  tokens in  cached  read  written  out  cost      saved",
        "kimi-k3            2      2,000     40%   800       86  200  $0.0068   $0.0022",
        "kimi-k3.1-pro      1      1,000     40%   400       86  100  no price  no price",
    ]
    assert wrong_in(ledger._repr_html_()) == []


def test_the_plot_has_a_bar_for_each_part(kimi: Emulator) -> None:
    """Cached and other prompt tokens, reasoning and answer; together they are all tokens."""
    figures = pytest.importorskip("matplotlib.figure")
    client = Mode("sync").client(kimi)
    with track(client) as ledger:
        kimi.script(say("ok"), SPENT)
        client.chat.completions.create(**QUESTION)
    axes = ledger.plot(figures.Figure().subplots())
    assert [bar.get_width() for bars in axes.containers for bar in bars] == [400, 600, 30, 70]


def test_each_region_has_its_prices() -> None:
    """In the currency of the region; a model that only the other region sells has no price."""
    client = create_client(api_key="sk-x", region="cn")
    ledger = track(client)
    (observe,) = client.kimi_options.observers
    observe("kimi-k3", {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000}, "5m", b"")
    observe("kimi-k3.1-pro", {"prompt_tokens": 1}, "5m", b"")
    assert [row.cost for row in ledger.rows] == [120, None]
    assert repr(ledger).startswith("2 calls, ¥120.00 (prices of 2026-09-29)")
    assert track(create_client(api_key="sk-x", region="ai")).prices is PRICE_LIST


def test_a_client_of_the_bare_sdk_is_refused() -> None:
    """It has no observers."""
    client: Any = openai.OpenAI(api_key="sk-x")
    with client, pytest.raises(TypeError, match="track takes a client of create_client, not OpenAI"):
        track(client)


@pytest.mark.parametrize("usage", [{"prompt_tokens": "many", "prompt_tokens_details": [1]}, "none", [3]], ids=str)
def test_an_odd_usage_counts_as_nothing(mode: Mode, answering: MakeAnswering, usage: Any) -> None:
    """The answer arrives and is counted, whatever the server calls usage."""
    message = {"role": "assistant", "content": "ok"}
    answer = {"id": "c", "model": "kimi-k3", "choices": [{"index": 0, "message": message}], "usage": usage}
    client = mode.client(api_key="sk-1", base_url=answering(200, answer).base_url)
    with track(client) as ledger:
        assert mode.run(client.chat.completions.create(**QUESTION)).choices[0].message.content == "ok"
    assert (ledger.calls, ledger.tokens) == (1, Tokens())
