"""What is known of the official tools ("formulas") of the platform: prices and effects, as data with a source.

Their declarations are not here: they change, and are read from the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

__all__ = ["FORMULAS", "Formula", "formula_facts", "formula_uri"]

NAMESPACE = "moonshot"
"""The only namespace (docs)."""

FREE = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """What is known of one formula.

    `usd` and `cny` are the price of a call on platform.kimi.ai and on platform.kimi.com, None if it is not known.
    `by_name_only`: it keeps or sends data of the user, so it is used only if it is named, and a call is never repeated.
    """

    usd: Decimal | None = FREE
    cny: Decimal | None = FREE
    by_name_only: bool = False
    source: str = "docs, official tools guide, 2026-09-03 (free for now); names: a live report, 2026-07-09"


UNKNOWN = Formula(usd=None, cny=None, by_name_only=True, source="not in the table, so its effects are not known")
"""The facts of a formula that is not in the table."""

FORMULAS: Mapping[str, Formula] = MappingProxyType(
    {
        "moonshot/web-search": Formula(
            usd=Decimal("0.005"),
            cny=Decimal("0.03"),
            source="USD: docs, 2026-09-03 (help pages: 0.004); CNY: a live report, 2026-07-09",
        ),
        "moonshot/fetch": Formula(),
        "moonshot/code-runner": Formula(),
        "moonshot/quickjs": Formula(),
        "moonshot/convert": Formula(),
        "moonshot/date": Formula(),
        "moonshot/base64": Formula(),
        "moonshot/rethink": Formula(),
        "moonshot/random-choice": Formula(),
        "moonshot/mew": Formula(),
        "moonshot/memory": Formula(by_name_only=True),
        "moonshot/excel": Formula(by_name_only=True),
    }
)
"""The formulas of the platform by namespace and name, without the tag."""


def formula_facts(uri: str) -> Formula:
    """The facts about a formula, whatever its tag.

    >>> formula_facts("moonshot/web-search:latest").usd, formula_facts("moonshot/new").by_name_only
    (Decimal('0.005'), True)
    """
    return FORMULAS.get(uri.partition(":")[0], UNKNOWN)


def formula_uri(name: str) -> str:
    """The whole URI of a formula. The namespace `moonshot` and the tag `latest` may be missing in `name`.

    Raises `ValueError` if it cannot be one.

    >>> formula_uri("web-search"), formula_uri("moonshot/fetch:v2")
    ('moonshot/web-search:latest', 'moonshot/fetch:v2')
    """
    path, _, tag = name.partition(":")
    namespace, slash, last = path.rpartition("/")
    parts = (namespace if slash else NAMESPACE, last, tag or "latest")
    if not all(part and part.replace("-", "").replace("_", "").replace(".", "").isalnum() for part in parts):
        raise ValueError(f"{name!r} is not the URI of an official tool; one looks like 'moonshot/web-search:latest'")
    return f"{parts[0]}/{parts[1]}:{parts[2]}"
