"""`thinking` and `reasoning_effort`: which values Kimi refuses."""

from __future__ import annotations

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.chat_body import facts_of, thinking_is_fixed
from kimi_openai.emulator.errors import Problem
from kimi_openai.emulator.json_values import Json, is_object

__all__ = ["effort_problem", "thinking_problem"]


def thinking_problem(body: Json, behaviour: Behaviour) -> Problem | None:
    """A type, a `keep` or a further field that the model does not accept. Only K2.x checks the last two."""
    facts, thinking = facts_of(body), body.get("thinking")
    if not is_object(thinking):
        return None
    kind, keep = thinking.get("type", "enabled"), thinking.get("keep")
    if thinking_is_fixed(body, behaviour) and kind != "enabled":
        return Problem("invalid thinking: only type=enabled is allowed for this model")
    if facts.control != "thinking":
        return None
    if kind not in ("enabled", "disabled"):
        return Problem("invalid thinking: only type=enabled or type=disabled is allowed for this model")
    if keep not in facts.keeps:
        return Problem("invalid thinking: only keep=all or keep=null is allowed for this model")
    extra = next((key for key in thinking if key not in ("type", "keep")), None)
    return Problem(f"invalid thinking: {extra} is not allowed for this model") if extra else None


def effort_problem(body: Json, behaviour: Behaviour) -> Problem | None:
    """K2.x refuses only "none". K3 accepted every text (measured); with `strict_thinking` only its three values."""
    facts, effort = facts_of(body), body.get("reasoning_effort")
    if facts.control == "thinking" and effort == "none":
        return Problem('reasoning_effort value "none" is not supported')
    if effort is not None and behaviour.strict_thinking and facts.efforts and effort not in facts.efforts:
        return Problem(f'reasoning_effort value "{effort}" is not supported')
    return None
