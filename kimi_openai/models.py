"""Facts about each model, as data with a source.

No behaviour lives here and no other room compares model names: a rule that depends on the model reads a field of
`ModelFacts`. A model that is not in the table has the facts of the longest known prefix of its family, so that
`kimi-k3.1-pro` and models to come work without a release; one of no known family has `UNKNOWN` facts, which restrict
nothing. Prices and retirements are looked up by exact id.

Sources: the platform's model and pricing pages (platform.kimi.ai/docs) as of 2026-09-03, and dated third-party readings
of them up to 2026-11-23 where no official page was available; each row says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

__all__ = ["CURRENT", "MODELS", "PRICES", "PRICES_CNY", "RETIRED", "UNKNOWN", "ModelFacts", "Price", "Retired"]
__all__ += ["facts", "successor"]

Sampling = Mapping[str, float]
"""Parameter name to the only value that the model accepts."""

ToolChoice = Literal["auto", "none", "required", "named"]

FREE_SAMPLING: Sampling = MappingProxyType({})
PINNED: Sampling = MappingProxyType(
    {"temperature": 1, "top_p": 0.95, "n": 1, "presence_penalty": 0, "frequency_penalty": 0}
)
PINNED_WITHOUT_THINKING: Sampling = MappingProxyType({**PINNED, "temperature": 0.6})

FREE_CHOICE: frozenset[ToolChoice] = frozenset({"auto", "none"})
REQUIRED_CHOICE: frozenset[ToolChoice] = frozenset({"auto", "none", "required"})
ANY_CHOICE: frozenset[ToolChoice] = frozenset({"auto", "none", "required", "named"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What is known of one model family.

    `family` is the id prefix the row is for ("" for `UNKNOWN`); `context_length`, `default_output` and `max_output` are
    tokens, `None` where unknown. `thinking` says whether thinking can be switched: "always", "switchable", or `None` if
    unknown. `control` names the request field that steers it: `reasoning_effort` (one of `efforts`) or `thinking` (an
    object whose `keep` is one of `keeps`). `sampling` holds the pinned parameters while thinking, `sampling_off`
    without. `tool_choices` lists the accepted kinds while thinking, `tool_choices_off` without.
    """

    family: str
    source: str
    context_length: int | None = None
    default_output: int | None = None
    max_output: int | None = None
    thinking: Literal["always", "switchable"] | None = None
    control: Literal["reasoning_effort", "thinking"] | None = None
    efforts: tuple[str, ...] = ()
    default_effort: str | None = None
    keeps: tuple[str | None, ...] = ()
    default_keep: str | None = None
    sampling: Sampling = field(default_factory=lambda: FREE_SAMPLING)
    sampling_off: Sampling = field(default_factory=lambda: FREE_SAMPLING)
    tool_choices: frozenset[ToolChoice] = ANY_CHOICE
    tool_choices_off: frozenset[ToolChoice] = ANY_CHOICE
    needs_reasoning_in_tool_calls: bool = False
    dynamic_tools: bool | None = None
    images: bool | None = None
    videos: bool | None = None
    batch: bool | None = None
    ends: date | None = None

    @property
    def is_known(self) -> bool:
        """Whether the id belongs to a family in the table."""
        return bool(self.family)


UNKNOWN = ModelFacts(family="", source="no row in the table: nothing is assumed and nothing is restricted")
"""The facts of a model of no known family."""

K2_CLOSED = date(2026, 10, 31)
"""Accounts registered from this day get no K2 model (second-hand, 2026-10-24)."""

K2_ENDS = date(2026, 12, 31)
"""Planned end of the K2 series, "by the end of December 2026"; the exact day is not announced (second-hand,
2026-10-24)."""

MODELS: Mapping[str, ModelFacts] = MappingProxyType(
    {
        row.family: row
        for row in (
            ModelFacts(
                family="kimi-k3",
                source="docs and live receipts of 2026-09-03; kimi-k3.1-pro[-highspeed] by readings of 2026-10-24",
                context_length=1_048_576,
                default_output=131_072,
                max_output=1_048_576,
                thinking="always",
                control="reasoning_effort",
                efforts=("low", "high", "max"),
                default_effort="max",
                sampling=PINNED,
                sampling_off=PINNED,
                tool_choices=REQUIRED_CHOICE,
                dynamic_tools=True,
                images=True,
                videos=True,
                batch=False,
            ),
            ModelFacts(
                family="kimi-k2.7-code",
                source="docs 2026-09-03",
                context_length=262_144,
                default_output=32_768,
                max_output=262_144,
                thinking="always",
                control="thinking",
                keeps=("all", None),
                default_keep="all",
                sampling=PINNED,
                sampling_off=PINNED,
                tool_choices=FREE_CHOICE,
                needs_reasoning_in_tool_calls=True,
                dynamic_tools=False,
                images=True,
                videos=True,
                batch=True,
                ends=K2_ENDS,
            ),
            ModelFacts(
                family="kimi-k2.6",
                source="docs 2026-09-03",
                context_length=262_144,
                default_output=32_768,
                max_output=262_144,
                thinking="switchable",
                control="thinking",
                keeps=("all", None),
                sampling=PINNED,
                sampling_off=PINNED_WITHOUT_THINKING,
                tool_choices=FREE_CHOICE,
                needs_reasoning_in_tool_calls=True,
                dynamic_tools=False,
                images=True,
                videos=True,
                batch=True,
                ends=K2_ENDS,
            ),
        )
    }
)
"""The families, by id prefix."""


CURRENT = (
    "kimi-k3",
    "kimi-k3.1-pro",
    "kimi-k3.1-pro-highspeed",
    "kimi-k2.7-code",
    "kimi-k2.7-code-highspeed",
    "kimi-k2.6",
)
"""The ids the platform served on 2026-11-23 (a key may be entitled to fewer)."""


@dataclass(frozen=True, slots=True)
class Retired:
    """An id that the platform answers with 404: since when (Beijing date), and the id we suggest instead."""

    since: date
    successor: str


def _retired() -> dict[str, Retired]:
    gone = {
        date(2026, 8, 31): (
            "kimi-k2.5",
            *(f"moonshot-v1-{size}" for size in ("8k", "32k", "128k", "auto")),
            *(f"moonshot-v1-{size}-vision-preview" for size in ("8k", "32k", "128k")),
        ),
        date(2026, 5, 25): (
            "kimi-k2-0711-preview",
            "kimi-k2-0905-preview",
            "kimi-k2-turbo-preview",
            "kimi-k2-thinking",
            "kimi-k2-thinking-turbo",
        ),
        date(2026, 1, 28): ("kimi-latest",),
        date(2025, 11, 11): ("kimi-thinking-preview",),
    }
    return {model: Retired(since, "kimi-k3") for since, ids in gone.items() for model in ids}


RETIRED: Mapping[str, Retired] = MappingProxyType(_retired())
"""Retired ids, exact. The platform's own mapping is not published; every successor is our suggestion, the one current
model with no announced end and the widest entitlement."""


@dataclass(frozen=True, slots=True)
class Price:
    """Of a million tokens: uncached input, cached input, output, and cache writes by lifetime."""

    input: Decimal
    cached: Decimal
    output: Decimal
    write_5m: Decimal | None = None
    write_1h: Decimal | None = None


def _price(*figures: str) -> Price:
    return Price(*map(Decimal, figures))


PRICES: Mapping[str, Price] = MappingProxyType(
    {
        "kimi-k3": _price("3.00", "0.30", "15.00", "3.00", "6.00"),
        "kimi-k3.1-pro": _price("2.00", "0.20", "10.00", "2.00", "4.00"),
        "kimi-k3.1-pro-highspeed": _price("4.00", "0.20", "20.00", "4.00", "8.00"),
        "kimi-k2.7-code": _price("0.95", "0.19", "4.00"),
        "kimi-k2.7-code-highspeed": _price("1.90", "0.38", "8.00"),
        "kimi-k2.6": _price("0.95", "0.16", "4.00"),
    }
)
"""USD on platform.kimi.ai by exact id (a family prefix says nothing about price), as catalogued on 2026-11-23."""

PRICES_CNY: Mapping[str, Price] = MappingProxyType(
    {
        "kimi-k3": _price("20", "2", "100", "20", "40"),
        "kimi-k2.7-code": _price("6.50", "1.30", "27"),
        "kimi-k2.7-code-highspeed": _price("13", "2.60", "54"),
        "kimi-k2.6": _price("6.50", "1.10", "27"),
    }
)
"""CNY on platform.kimi.com, by the docs of 2026-09-29; those of kimi-k3.1-pro and its highspeed were not found."""


def facts(model: str) -> ModelFacts:
    """The facts of the longest known family prefix of `model`, or `UNKNOWN`.

    A prefix counts only at a boundary of the id, so a future `kimi-k30` is not taken for a `kimi-k3`.

    >>> facts("kimi-k3.1-pro").family, facts("kimi-k2.7-code-highspeed").family, facts("kimi-k30").is_known
    ('kimi-k3', 'kimi-k2.7-code', False)
    """
    known = [family for family in MODELS if model == family or model.startswith((f"{family}.", f"{family}-"))]
    return MODELS[max(known, key=len)] if known else UNKNOWN


def successor(model: str) -> str | None:
    """The id suggested instead of a retired one, or `None` if `model` is not retired.

    >>> successor("moonshot-v1-8k"), successor("kimi-k3")
    ('kimi-k3', None)
    """
    gone = RETIRED.get(model)
    return gone.successor if gone else None
