"""Windows: what counts when, and how long until something fits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_openai.emulator.limits.windows import FixedWindow, SlidingWindow, Window

AMOUNTS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 50)), max_size=30)


@pytest.mark.parametrize("make", [SlidingWindow, FixedWindow])
@given(AMOUNTS)
@settings(max_examples=40, deadline=None)
def test_a_wait_is_long_enough_and_not_longer(make: type[Window], amounts: list[tuple[int, int]]) -> None:
    """After the wait an amount fits, a moment before it does not."""
    window, now, limit = make(60), 0, 60
    for pause, amount in amounts:
        now += pause
        if window.used(now) + amount > limit:
            wait = window.wait(now, amount, limit=limit)
            assert 0 < wait <= 60
            assert window.used(now + wait * 0.999) + amount > limit
            now += int(wait)
        assert window.used(now) + amount <= limit
        window.add(now, amount)


@given(AMOUNTS)
@settings(max_examples=40, deadline=None)
def test_a_sliding_window_holds_the_last_minute(amounts: list[tuple[int, int]]) -> None:
    """It has what a sum over all amounts has."""
    window, now, added = SlidingWindow(60), 0, list[tuple[int, int]]()
    for pause, amount in amounts:
        now += pause
        window.add(now, amount)
        added.append((now, amount))
        assert window.used(now) == sum(amount for time, amount in added if time > now - 60)


@pytest.mark.parametrize("make", [SlidingWindow, FixedWindow])
def test_an_entry_is_corrected_only_while_it_counts(make: type[Window]) -> None:
    """A correction of an amount that no longer counts changes nothing."""
    window = make(60)
    old, new = window.add(0, 10), window.add(59, 5)
    window.change(59, old, 4)
    assert window.used(59) == 9
    window.change(125, new, 1)
    assert window.used(125) == 0
