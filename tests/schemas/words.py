"""The names and texts of the schemas that are made; some names are those that Kimi refuses."""

from __future__ import annotations

from random import Random

__all__ = ["TEXTS", "names"]

WORDS = [
    "name",
    "city",
    "count",
    "items",
    "type",
    "value",
    "id",
    "tags",
    "parent",
    "unit",
    "properties",
    "enum",
    "from",
]
ODD_NAMES = [
    "required",
    "anyOf",
    "$ref",
    "$defs",
    "additionalProperties",
    "text/plain",
    "a/b",
    "{id}",
    "a{b}",
    "@id",
    "Örtchen",
]
TEXTS = ("What it is for.", "A name.", "see `required`", "")


def names(rng: Random) -> list[str]:
    """Some names of properties; in one of four objects one is odd."""
    found = rng.sample(WORDS, rng.randint(1, 4))
    return [*found, rng.choice(ODD_NAMES)] if rng.random() < 0.25 else found
