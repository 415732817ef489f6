"""The prompt cache over sockets: blocks, three parts that add up, lifetimes, and what they cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from kimi_openai.emulator import Behaviour, Emulator
from kimi_openai.emulator.state.prompt_cache import SIZE, PromptCache
from tests.emulator.http import chat

LONG = "word " * 900
OPTIONS = {"mode": "implicit", "ttl": "1h"}


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def parts(kimi: Emulator, *texts: str, **body: Any) -> tuple[int, int, int]:
    """Tokens that were read, written, and neither."""
    messages = [{"role": "user", "content": text} for text in texts]
    usage = chat(kimi, messages=messages, max_completion_tokens=9, **body).json["usage"]
    details = usage.get("prompt_tokens_details", {})
    read, written = details.get("cached_tokens", 0), details.get("cache_write_tokens", 0)
    return read, written, usage["prompt_tokens"] - read - written


def test_blocks_of_256(kimi: Emulator) -> None:
    """A prefix is read in blocks, what is new is written in blocks, and the three parts add up."""
    read, written, plain = parts(kimi, LONG)
    assert (read, written % 256, 0 < plain < 256) == (0, 0, True)
    again = parts(kimi, LONG, LONG)
    assert (again[0], again[1] % 256, again[1] > 0) == (written, 0, True)
    assert parts(kimi, "Hi", LONG)[0] == 0


def test_short_prompts(kimi: Emulator) -> None:
    """A prompt of less than a block is cached whole (measured)."""
    first, second = parts(kimi, "Hi"), parts(kimi, "Hi")
    assert first == (0, second[0], 0)
    assert second[1:] == (0, 0)


def tool(name: str) -> dict[str, Any]:
    """A tool of more than a block."""
    return {"type": "function", "function": {"name": name, "description": LONG, "parameters": {"type": "object"}}}


def test_tools_are_the_beginning_of_the_prefix(kimi: Emulator) -> None:
    """Changed tools break it, and so does another order; those that a later message adds do not."""
    chosen: dict[str, Any] = {"tool_choice": "none"}
    parts(kimi, LONG, tools=[tool("a"), tool("b")], **chosen)
    whole = parts(kimi, LONG, tools=[tool("a"), tool("b")], **chosen)[0]
    one = parts(kimi, LONG, tools=[tool("a"), tool("c")], **chosen)[0]
    assert parts(kimi, LONG, tools=[tool("b"), tool("a")], **chosen)[0] == 0
    assert 0 < one < whole / 2
    messages = [{"role": "user", "content": LONG}, {"role": "system", "tools": [tool("d")]}]
    used = chat(kimi, messages=messages, tools=[tool("a"), tool("b")], max_completion_tokens=9, **chosen).json["usage"]
    assert used["prompt_tokens_details"]["cached_tokens"] >= whole


@pytest.mark.parametrize(
    ("body", "switch", "lives"),
    [({}, True, 300), ({"prompt_cache_options": OPTIONS}, True, 3600), ({"prompt_cache_options": OPTIONS}, False, 300)],
)
def test_lifetime(body: dict[str, Any], switch: bool, lives: int) -> None:
    """A prefix lives for 5 minutes, or for an hour if the request says so; hits renew it."""
    clock = Clock()
    with Emulator(clock=clock, behaviour=Behaviour(cache_hour_works=switch)) as kimi:
        parts(kimi, LONG, **body)
        for _ in range(2):
            clock.now += lives - 1
            assert parts(kimi, LONG)[0] > 0
        clock.now += lives + 1
        assert parts(kimi, LONG)[0] == 0


@pytest.mark.k2  # only its models have no price for writing
@pytest.mark.parametrize(("lifetime", "is_read"), [(None, True), (60.0, False)])
def test_models_without_a_price_for_writing(lifetime: float | None, is_read: bool) -> None:
    """K2 reports no writes and has no lifetime, unless a switch says how long."""
    clock = Clock()
    with Emulator(clock=clock, behaviour=Behaviour(cache_without_write_price=lifetime)) as kimi:
        assert parts(kimi, LONG, model="kimi-k2.6")[1] == 0
        clock.now += 86_400
        assert (parts(kimi, LONG, model="kimi-k2.6")[0] > 0) == is_read


def test_an_hour_costs_more() -> None:
    """A write for an hour costs twice the input price, each written token once."""
    spent: list[Decimal] = []
    for body in ({}, {"prompt_cache_options": OPTIONS}):
        with Emulator(balance=1) as kimi:
            written = parts(kimi, LONG, **body)[1]
            spent.append(1 - kimi.balance)
    assert spent[1] - spent[0] == written * Decimal(3) / 1_000_000


def test_the_cache_is_bounded() -> None:
    """It forgets the oldest prefixes."""
    cache = PromptCache()
    for number in range(SIZE + 10):
        cache.use("k3", [(str(number), 300)], 0)
    assert len(cache.seen) == SIZE
    assert cache.use("k3", [("0", 300)], 0).read == 0
