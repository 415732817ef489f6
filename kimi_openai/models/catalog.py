"""Facts about each Kimi model, as data with a source and a date.

Rules that depend on the model read a field of `ModelFacts`; they never compare ids. A model that is not in the table
has the facts of the longest known prefix of its family, so later models of a family need no new release. An id of no
known family has the facts `UNKNOWN`, which restrict nothing. Retired ids are looked up exactly.

In the sources, "docs" is platform.kimi.ai/docs, and "second-hand docs" are third parties that quote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Literal

__all__ = ["CURRENT", "MODELS", "RETIRED", "UNKNOWN", "ModelFacts", "Retired", "facts", "successor"]

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

    `family` is the id prefix that the row is for ("" in `UNKNOWN`); `source` names where the facts come from, and when.
    `context_length` and `default_output` are tokens; `None` means unknown, here and in the other fields. `thinking` is
    "always" or "switchable". `control` names the request field that controls it: `reasoning_effort` (one of `efforts`)
    or `thinking` (an object whose `keep` is one of `keeps`). `sampling` holds the parameters that must have one value
    with thinking on, `sampling_off` with thinking off; `tool_choices` and `tool_choices_off` list the accepted kinds of
    `tool_choice` in the same way. `responses`: the documentation lists it for the Responses API. `ends` is the last day
    on which the platform plans to serve the model.
    """

    family: str
    source: str
    context_length: int | None = None
    default_output: int | None = None
    thinking: Literal["always", "switchable"] | None = None
    control: Literal["reasoning_effort", "thinking"] | None = None
    efforts: tuple[str, ...] = ()
    default_effort: str | None = None
    keeps: tuple[str | None, ...] = ()
    sampling: Sampling = field(default_factory=lambda: FREE_SAMPLING)
    sampling_off: Sampling = field(default_factory=lambda: FREE_SAMPLING)
    tool_choices: frozenset[ToolChoice] = ANY_CHOICE
    tool_choices_off: frozenset[ToolChoice] = ANY_CHOICE
    needs_reasoning_in_tool_calls: bool = False
    dynamic_tools: bool | None = None
    images: bool | None = None
    videos: bool | None = None
    batch: bool | None = None
    responses: bool | None = None
    ends: date | None = None

    @property
    def is_known(self) -> bool:
        """Whether the id belongs to a family in the table."""
        return bool(self.family)


UNKNOWN = ModelFacts(family="", source="not in the table, so nothing is assumed and nothing is restricted")
"""The facts of a model of no known family."""

K2_CLOSED = date(2026, 10, 31)
"""Accounts registered on or after this day get no K2 model. Source: second-hand documentation, 2026-10-24."""

K2_ENDS = date(2026, 12, 31)
"""Planned end of the K2 series: "by the end of December 2026", the exact day is not announced. Source: second-hand
documentation, 2026-10-24."""

MODELS: Mapping[str, ModelFacts] = MappingProxyType(
    {
        row.family: row
        for row in (
            ModelFacts(
                family="kimi-k3",
                source="docs and live requests, 2026-09-03; kimi-k3.1-pro[-highspeed]: second-hand docs, 2026-10-24",
                context_length=1_048_576,
                default_output=131_072,
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
                responses=True,
            ),
            ModelFacts(
                family="kimi-k2.7-code",
                source="docs, 2026-09-03; end of the series: second-hand docs, 2026-10-24",
                context_length=262_144,
                default_output=32_768,
                thinking="always",
                control="thinking",
                keeps=("all", None),
                sampling=PINNED,
                sampling_off=PINNED,
                tool_choices=FREE_CHOICE,
                needs_reasoning_in_tool_calls=True,
                dynamic_tools=False,
                images=True,
                videos=True,
                batch=True,
                responses=False,
                ends=K2_ENDS,
            ),
            ModelFacts(
                family="kimi-k2.6",
                source="docs, 2026-09-03; end of the series: second-hand docs, 2026-10-24",
                context_length=262_144,
                default_output=32_768,
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
                responses=False,
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
"""The ids that the platform served on 2026-11-23; a key may see fewer. Source: docs, 2026-09-03, and pydantic-ai 2.68.0
and genai-prices 0.2.3 of 2026-11-23, which list the same ids."""


@dataclass(frozen=True, slots=True)
class Retired:
    """A model id that the platform answers with 404: since which day (in Beijing), what to use instead, the source."""

    since: date
    successor: str
    source: str


def _retired(since: date, *models: str) -> dict[str, Retired]:
    row = Retired(since, "kimi-k3", "docs, changelog and model pages, 2026-09-03; the successor is our suggestion")
    return dict.fromkeys(models, row)


RETIRED: Mapping[str, Retired] = MappingProxyType(
    {
        **_retired(
            date(2026, 8, 31),
            "kimi-k2.5",
            *(f"moonshot-v1-{size}" for size in ("8k", "32k", "128k", "auto")),
            *(f"moonshot-v1-{size}-vision-preview" for size in ("8k", "32k", "128k")),
        ),
        **_retired(
            date(2026, 5, 25),
            "kimi-k2-0711-preview",
            "kimi-k2-0905-preview",
            "kimi-k2-turbo-preview",
            "kimi-k2-thinking",
            "kimi-k2-thinking-turbo",
        ),
        **_retired(date(2026, 1, 28), "kimi-latest"),
        **_retired(date(2025, 11, 11), "kimi-thinking-preview"),
    }
)
"""The retired ids, exact. The platform publishes no successors. We suggest `kimi-k3`: it has no announced end, and more
accounts can use it than any other current model."""


def facts(model: str) -> ModelFacts:
    """The facts of the longest known family prefix of `model`, or `UNKNOWN`.

    A prefix counts only if "." or "-" follows it, so a future `kimi-k30` does not get the facts of `kimi-k3`.

    >>> facts("kimi-k3.1-pro-highspeed").family, facts("kimi-k3-2027-01-01").family, facts("kimi-k30").is_known
    ('kimi-k3', 'kimi-k3', False)
    """
    known = [family for family in MODELS if model == family or model.startswith((f"{family}.", f"{family}-"))]
    return MODELS[max(known, key=len)] if known else UNKNOWN


def successor(model: str) -> str | None:
    """The id to use instead of a retired one, or `None` if `model` is not retired.

    >>> successor("moonshot-v1-8k"), successor("kimi-k3")
    ('kimi-k3', None)
    """
    gone = RETIRED.get(model)
    return gone.successor if gone else None
