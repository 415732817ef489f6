"""Facts about models: data with sources, found by family."""

from __future__ import annotations

import re
from datetime import date

import pytest

from kimi_openai.models.catalog import CURRENT, MODELS, RETIRED, UNKNOWN, facts, successor

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
    """A later model has the facts of its family; an id that only begins alike has none."""
    assert facts(model).family == family
    assert facts(model).is_known is bool(family)


SIZES = {"kimi-k3": (1_048_576, 131_072), "kimi-k2.7-code": (262_144, 32_768), "kimi-k2.6": (262_144, 32_768)}


@pytest.mark.parametrize(("family", "sizes"), SIZES.items(), ids=SIZES)
def test_sizes_are_the_documented_ones(family: str, sizes: tuple[int, int]) -> None:
    """The context length and the default budget of each family are those of the documentation."""
    assert (MODELS[family].context_length, MODELS[family].default_output) == sizes


def test_an_unknown_model_is_not_restricted() -> None:
    """No parameter has a fixed value and nothing is required for a model of no known family."""
    assert (dict(UNKNOWN.sampling), UNKNOWN.efforts, UNKNOWN.needs_reasoning_in_tool_calls) == ({}, (), False)
    assert {"auto", "none", "required", "named"} == UNKNOWN.tool_choices


def test_the_tables_agree() -> None:
    """Every current id has facts and is not retired; every successor is current."""
    assert all(facts(model).is_known and successor(model) is None for model in CURRENT)
    assert {gone.successor for gone in RETIRED.values()} <= set(CURRENT)
    assert all(row.family == family for family, row in MODELS.items())


@pytest.mark.parametrize("row", [*MODELS.values(), *RETIRED.values()], ids=[*MODELS, *RETIRED])
def test_every_row_names_its_source_and_date(row: object) -> None:
    """A fact without a source cannot be checked or corrected."""
    assert re.search(r"docs.*, \d{4}-\d\d-\d\d", getattr(row, "source", ""))


def test_a_retired_model_has_a_date_and_a_successor() -> None:
    """The table says since when an id is gone and what to use instead."""
    assert RETIRED["moonshot-v1-8k-vision-preview"].since == date(2026, 8, 31)
    assert successor("kimi-latest") == "kimi-k3"


def test_the_tables_are_read_only() -> None:
    """A program cannot change facts by accident."""
    with pytest.raises(TypeError):
        MODELS["kimi-k9"] = UNKNOWN  # type: ignore[index]
    with pytest.raises(TypeError):
        facts("kimi-k3").sampling["temperature"] = 0  # type: ignore[index]
