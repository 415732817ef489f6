"""What to send so that a model thinks as wanted: on or off, how much, and whether past reasoning stays in the context.

Pure. What each model accepts stands in `catalog`; what Kimi would answer with 400 raises `ValueError` here.
"""

from __future__ import annotations

from typing import Any, Literal

from .catalog import ModelFacts, facts

__all__ = ["Effort", "nearest_effort", "thinking"]

Effort = Literal["low", "high", "max"]

NEAREST_EFFORT = {
    "none": "low",
    "off": "low",
    "disabled": "low",
    "minimal": "low",
    "medium": "high",
    "xhigh": "max",
}
"""OpenAI's effort levels and K3's nearest one; what K3 does with other words is not documented. Source of `medium` and
`xhigh`: second-hand documentation of Kimi Code, 2026-10-24. The others ask for less than "low", K3's least level."""


def thinking(
    model: str, *, enabled: bool | None = None, keep: Literal["all"] | None = None, effort: Effort | None = None
) -> dict[str, Any]:
    """The dict for `extra_body` that sets how `model` thinks; `{}` if nothing needs to be sent.

    `enabled`: thinking on or off; only K2.6 can be switched off. `keep="all"`: past reasoning stays in the context (K2
    only; K3 always keeps it). `effort`: "low", "high" or "max" (K3 only, which uses "max" by default). An unknown model
    gets the values as they are. Merge with other fields by `extra_body={**thinking(...), ...}`.

    Raises `ValueError` if the documentation says that the model cannot do it. Source: platform docs, thinking guides
    and chat page, 2026-09-03.

    >>> thinking("kimi-k3", effort="low")
    {'reasoning_effort': 'low'}
    >>> thinking("kimi-k3", enabled=False)
    Traceback (most recent call last):
    ...
    ValueError: kimi-k3 is documented as always thinking; effort='low' is the least it can do
    """
    known = facts(model)
    problem = _problem(model, known, enabled, keep, effort)
    if problem:
        raise ValueError(problem)
    body: dict[str, Any] = {}
    if effort is not None:
        body["reasoning_effort"] = effort
    if known.control != "reasoning_effort" and (enabled is not None or keep is not None):
        body["thinking"] = {"type": "disabled" if enabled is False else "enabled"}
        if keep is not None:
            body["thinking"]["keep"] = keep
    return body


def nearest_effort(known: ModelFacts, word: str) -> str | None:
    """The model's effort level for OpenAI's or Kimi's `word`, `None` if there is none.

    >>> nearest_effort(facts("kimi-k3"), "medium"), nearest_effort(facts("kimi-k3"), "low")
    ('high', 'low')
    """
    level = word if word in known.efforts else NEAREST_EFFORT.get(word)
    return level if level in known.efforts else None


def _problem(model: str, known: ModelFacts, enabled: bool | None, keep: str | None, effort: str | None) -> str | None:
    if enabled is False and keep is not None:
        return "keep says what happens to past reasoning and needs thinking on; leave out enabled=False or keep"
    if enabled is False and effort is not None:
        return "effort says how much to think and needs thinking on; leave out enabled=False or effort"
    if not known.is_known:
        return None
    if enabled is False and known.thinking == "always":
        if known.efforts:
            least = known.efforts[0]
            return f"{model} is documented as always thinking; effort={least!r} is the least it can do"
        return f"{model} always thinks (400 'invalid thinking: only type=enabled ...'); leave `enabled` out"
    if keep is not None and not known.keeps:
        return f"{model} has no `keep`: it always keeps past reasoning; leave it out"
    if keep is not None and keep not in known.keeps:
        return f"keep is {_quoted(keep)}; {model} knows {' and '.join(repr(word) for word in known.keeps)}"
    if effort is not None and not known.efforts:
        return f"{model} has no effort levels; leave `effort` out"
    if effort is not None and effort not in known.efforts:
        near = nearest_effort(known, effort)
        levels = ", ".join(map(repr, known.efforts))
        return f"effort is {_quoted(effort)}; {model} knows {levels}" + (f" (the nearest is {near!r})" if near else "")
    return None


def _quoted(word: object) -> str:
    """The word, unless it may be a key that was put in the wrong place."""
    return repr(word) if str(word).isalpha() else "no word"
