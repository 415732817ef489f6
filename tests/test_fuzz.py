"""A slice of `python -m tests.fuzz`: damaged answers at every entrance, in memory and over sockets."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from tests.fuzz.answers import damaged, good_answers
from tests.fuzz.entrances import BARE, ENTRANCES
from tests.fuzz.run import foreign_in, fuzz


@pytest.mark.parametrize(("bodies", "on_sockets"), [(408, False), (68, True)], ids=["memory", "sockets"])
def test_whatever_comes_is_an_answer_or_an_openai_error(bodies: int, on_sockets: bool) -> None:
    """Nothing else leaves any entrance, and some of the answers are delivered. From the bare SDK, foreign exceptions
    leave for the same answers: the fuzz sees them."""
    outcomes = fuzz(bodies, 7, on_sockets=on_sockets)
    assert outcomes.report() == ""
    assert set(outcomes.counts) == set(ENTRANCES)
    total = sum(outcomes.counts.values(), Counter())
    assert sum(total.values()) == bodies
    assert bodies / 4 < total["delivered"] < bodies
    assert set(outcomes.bare) == set(BARE)
    assert on_sockets or sum(map(foreign_in, outcomes.bare.values())) > 0


def test_a_seed_gives_the_same_answers_again() -> None:
    """So that a single run can be looked at: `--only NUMBER`."""
    good = good_answers()
    first, again = ([damaged(Random(f"1 {n}"), "stream", good) for n in range(50)] for _ in range(2))
    assert first == again
    assert len({each.body for each in first}) > 40
