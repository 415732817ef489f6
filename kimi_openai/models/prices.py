"""What a million tokens of each model cost, as data with a source and a date, by exact model id.

A model family says nothing about price, so there is no lookup by prefix. In the sources, "docs" is
platform.kimi.ai/docs, or platform.kimi.com/docs for CNY.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

__all__ = ["BATCH_PRICES", "BATCH_SHARE", "PRICES", "PRICES_CNY", "Price"]


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a million tokens: uncached input, cached input, output, and input written to the cache.

    `write_5m` and `write_1h` are for the cache's two lifetimes, which a request chooses with `prompt_cache_options`;
    `None` means that the model has no price for writing. `source` names where the figures come from, and when.
    """

    input: Decimal
    cached: Decimal
    output: Decimal
    write_5m: Decimal | None = None
    write_1h: Decimal | None = None
    source: str = field(default="", kw_only=True)

    def scaled(self, share: Decimal) -> Price:
        """The price with each figure multiplied by `share`."""
        writes = (None if each is None else each * share for each in (self.write_5m, self.write_1h))
        return Price(self.input * share, self.cached * share, self.output * share, *writes, source=self.source)


def _price(*figures: str, source: str) -> Price:
    return Price(*map(Decimal, figures), source=source)


PACKAGES = "genai-prices 0.2.3 and litellm 1.110.2, 2026-11-25"

WRITES = "and staff on forum.moonshot.ai (t/613), who say that writes are billed if no option is sent, too"

PRICES: Mapping[str, Price] = MappingProxyType(
    {
        "kimi-k3": _price(
            "3.00", "0.30", "15.00", "3.00", "6.00", source=f"docs, 2026-09-03; writes: {PACKAGES}, {WRITES}"
        ),
        "kimi-k3.1-pro": _price("2.00", "0.20", "10.00", "2.00", "4.00", source=PACKAGES),
        "kimi-k3.1-pro-highspeed": _price(
            "4.00", "0.20", "20.00", "4.00", "8.00", source="genai-prices 0.2.3, 2026-11-23"
        ),
        "kimi-k2.7-code": _price("0.95", "0.19", "4.00", source=f"docs, 2026-09-03; unchanged: {PACKAGES}"),
        "kimi-k2.7-code-highspeed": _price(
            "1.90", "0.38", "8.00", source="docs, 2026-09-03; unchanged: genai-prices 0.2.3, 2026-11-23"
        ),
        "kimi-k2.6": _price("0.95", "0.16", "4.00", source=f"docs, 2026-09-03; unchanged: {PACKAGES}"),
    }
)
"""USD on platform.kimi.ai."""

PRICES_CNY: Mapping[str, Price] = MappingProxyType(
    {
        "kimi-k3": _price(
            "20", "2", "100", "20", "40", source="docs, 2026-09-03; writes: notes on the docs, 2026-09-29"
        ),
        "kimi-k2.7-code": _price("6.50", "1.30", "27", source="docs, 2026-09-03"),
        "kimi-k2.7-code-highspeed": _price("13", "2.60", "54", source="docs, 2026-09-03"),
        "kimi-k2.6": _price("6.50", "1.10", "27", source="docs, 2026-09-03"),
    }
)
"""CNY on platform.kimi.com. No price of `kimi-k3.1-pro` or its highspeed was found."""

BATCH_SHARE = Decimal("0.6")
"""What a batch costs of the standard price. Source: docs, batch pricing page, 2026-09-03."""

BATCH_PRICES: Mapping[str, Price] = MappingProxyType(
    {
        "kimi-k2.7-code": _price("0.57", "0.114", "2.40", source="docs, batch pricing page, 2026-09-03"),
        "kimi-k2.6": _price("0.57", "0.10", "2.40", source="docs, batch pricing page, 2026-09-03"),
    }
)
"""USD on platform.kimi.ai, where the docs name the prices of batches: one is rounded up."""
