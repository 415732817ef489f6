"""Short names of the current models, for people who type: data made of the list of current models, with one lookup."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import catalog

__all__ = ["full_name", "short_names"]

BRAND = "kimi-"


def short_names() -> Mapping[str, str]:
    """Short name to model id, for the ids that begin with the brand.

    >>> short_names()["k3"]
    'kimi-k3'
    """
    ids = (model for model in catalog.CURRENT if model.startswith(BRAND))
    return MappingProxyType({model.removeprefix(BRAND): model for model in ids})


def full_name(model: str) -> str:
    """The id that a short name stands for; any other text as it is.

    >>> full_name("k3"), full_name("kimi-k3"), full_name("gpt-4o")
    ('kimi-k3', 'kimi-k3', 'gpt-4o')
    """
    return short_names().get(model, model)
