"""One wish about thinking (on or off, keep, effort) becomes the right `extra_body` for a model.

Pure; which model takes what stands in `models.py`. A wish that Kimi would answer with a 400 is a `ValueError` here.
"""

from __future__ import annotations

from typing import Any, Literal

from .models import ModelFacts, facts

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
"""OpenAI's words for what Kimi K3 calls otherwise; a word it does not know is answered in ways that are not
documented."""


def thinking(
    model: str, *, enabled: bool | None = None, keep: Literal["all"] | None = None, effort: Effort | None = None
) -> dict[str, Any]:
    """The dict for `extra_body` that makes `model` think as wished; `{}` where nothing needs to be sent.

    `enabled`: on or off; only K2.6 can be switched off. `keep="all"`: past reasoning stays in the context (K2 only; K3
    always keeps it). `effort`: "low", "high" or "max", the default (K3 only). An unknown model gets what was asked for,
    as it is. Merge with other fields by `extra_body={**thinking(...), ...}`.

    Raises `ValueError` where the model is documented not to do so. Source: platform docs, thinking guides, chat page.

    >>> thinking("kimi-k3", effort="low"), thinking("kimi-k2.6", enabled=False)
    ({'reasoning_effort': 'low'}, {'thinking': {'type': 'disabled'}})
    >>> thinking("kimi-k2.7-code", enabled=False)
    Traceback (most recent call last):
    ...
    ValueError: kimi-k2.7-code always thinks (400 'invalid thinking: only type=enabled ...'); leave `enabled` out
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
    """The model's own effort level for `word` in OpenAI's or Kimi's vocabulary, `None` if there is none.

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
        return f"keep is {keep!r}; {model} knows {' and '.join(repr(word) for word in known.keeps)}"
    if effort is not None and not known.efforts:
        return f"{model} has no effort levels; leave `effort` out"
    if effort is not None and effort not in known.efforts:
        near = nearest_effort(known, effort)
        levels = ", ".join(map(repr, known.efforts))
        return f"effort is {effort!r}; {model} knows {levels}" + (f" (the nearest is {near!r})" if near else "")
    return None
