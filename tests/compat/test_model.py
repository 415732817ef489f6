"""Aliases and retired models."""

from __future__ import annotations

import pytest

from kimi_openai.compat.pipeline import shape
from kimi_openai.models.catalog import RETIRED

from .bodies import HI, K3, K26, K31


@pytest.mark.parametrize("model", sorted(RETIRED))
def test_a_retired_model_becomes_its_successor(model: str) -> None:
    """With a note, and with the rules for the successor."""
    shaped = shape({"model": model, "messages": HI, "temperature": 0.3})
    assert shaped.body == {"model": K3, "messages": HI}
    assert [note.kind for note in shaped.notes] == ["model", "temperature"]


ALIASES = {"gpt-4o": "fast", "fast": K26, "old": "kimi-latest", "a": "b", "b": "a", K3: K31}


@pytest.mark.parametrize(
    ("model", "sent", "notes"),
    [
        pytest.param("gpt-4o", K26, 0, id="an alias of an alias"),
        pytest.param("old", K31, 1, id="an alias of a retired id"),
        pytest.param("kimi-k2.5", K31, 1, id="a retired id whose successor has an alias"),
        pytest.param("a", "a", 0, id="a circle"),
        pytest.param("other", "other", 0, id="no alias"),
    ],
)
def test_aliases(model: str, sent: str, notes: int) -> None:
    """The caller asked for an alias, so only a retired id is noted."""
    shaped = shape({"model": model, "messages": HI}, aliases=ALIASES)
    assert (shaped.body["model"], len(shaped.notes)) == (sent, notes)
