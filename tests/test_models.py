"""models.py: facts as data, found by family."""

from __future__ import annotations

import pytest

from kimi_openai.models import CURRENT, MODELS, PRICES, RETIRED, UNKNOWN, facts, successor

FAMILIES = {
    "kimi-k3": "kimi-k3",
    "kimi-k3.1-pro": "kimi-k3",
    "kimi-k3.1-pro-highspeed": "kimi-k3",
    "kimi-k3.2": "kimi-k3",
    "kimi-k3-2027-01-01": "kimi-k3",
    "kimi-k2.7-code-highspeed": "kimi-k2.7-code",
    "kimi-k2.6": "kimi-k2.6",
    "kimi-k4": "",
    "kimi-k30": "",
    "kimi-k2.60": "",
    "gpt-4o": "",
    "": "",
}


@pytest.mark.parametrize(("model", "family"), FAMILIES.items(), ids=FAMILIES)
def test_facts_are_those_of_the_longest_known_family(model: str, family: str) -> None:
    """Models to come have their family's facts; an id that merely begins alike has none."""
    assert facts(model).family == family
    assert facts(model).is_known is bool(family)


def test_unknown_models_are_restricted_in_nothing() -> None:
    """Nothing is pinned, refused or demanded for a model of no known family."""
    assert (dict(UNKNOWN.sampling), UNKNOWN.efforts, UNKNOWN.needs_reasoning_in_tool_calls) == ({}, (), False)
    assert {"auto", "none", "required", "named"} == UNKNOWN.tool_choices


def test_the_table_is_consistent() -> None:
    """Every current id has facts, a price and no retirement; every successor is current."""
    for model in CURRENT:
        assert facts(model).source
        assert PRICES[model].cached < PRICES[model].input < PRICES[model].output
        assert successor(model) is None
    assert {gone.successor for gone in RETIRED.values()} <= set(CURRENT)
    assert all(row.family == family for family, row in MODELS.items())


def test_the_facts_cannot_be_changed_by_accident() -> None:
    """Tables are read-only."""
    with pytest.raises(TypeError):
        MODELS["kimi-k9"] = UNKNOWN  # type: ignore[index]
    with pytest.raises(TypeError):
        facts("kimi-k3").sampling["temperature"] = 0  # type: ignore[index]
