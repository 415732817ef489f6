"""The rules for reasoning: `reasoning_effort`, `thinking`, and `reasoning_content` in messages that call tools.

Whether the model thinks decides which sampling values and tool choices it accepts, so these rules apply before those.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kimi_openai._internal.json_values import is_object
from kimi_openai.models.catalog import ModelFacts
from kimi_openai.models.reasoning import nearest_effort

from .rule import REMOVE, Body, Changes, Message, MessageContext, changed

__all__ = ["reasoning_content", "reasoning_effort", "thinking"]

OFF_WORDS = ("none", "off", "disabled")

NOT_KEPT = "(not kept)"
"""Sent for lost reasoning: no report says that Kimi refuses a short text."""


def reasoning_effort(body: Body, model: ModelFacts) -> Changes | None:
    """OpenAI's levels become the nearest of the model's; a model without levels gets none.

    "none" disables thinking on a model that can switch it off.
    """
    asked = body.get("reasoning_effort")
    word = asked.get("effort") if is_object(asked) else asked
    if asked is None or (not isinstance(word, str) and word is asked):
        return None
    if not model.efforts:
        return _effort_without_levels(body, model, word)
    level = nearest_effort(model, word) if isinstance(word, str) else None
    if level == asked:
        return None
    levels = ", ".join(model.efforts)
    change = f"sent as {level!r}" if level else f"left out, so {model.default_effort!r} holds"
    why = f"the model knows {levels}, and what it does with another value is not documented"
    if word in OFF_WORDS:
        why = f"the model is documented as always thinking; it knows {levels}"
    return changed("reasoning_effort", {"reasoning_effort": level or REMOVE}, change, why, f"write one of {levels}")


def _effort_without_levels(body: Body, model: ModelFacts, word: object) -> Changes:
    fields: dict[str, Any] = {"reasoning_effort": REMOVE}
    change, fix = "left out", "leave reasoning_effort out"
    if word in OFF_WORDS and model.thinking == "switchable" and body.get("thinking") is None:
        fields["thinking"] = {"type": "disabled"}
        change, fix = "sent as thinking disabled", 'write extra_body={"thinking": {"type": "disabled"}}'
    why = "the model has no effort levels: any word is without effect, and 'none' is a 400"
    return changed("reasoning_effort", fields, change, why, fix)


def thinking(body: Body, model: ModelFacts) -> Changes | None:
    """`thinking` in the form that the model accepts; on a model without it, an effort in its place."""
    asked = body.get("thinking")
    wish = {"type": "enabled" if asked else "disabled"} if isinstance(asked, bool) else asked
    if not is_object(wish):
        return None
    if model.control == "reasoning_effort":
        return _thinking_as_effort(body, wish, model)
    if wish.get("type") == "disabled" and model.thinking == "always":
        why = "the model always thinks: 400 'invalid thinking: only type=enabled is allowed for this model'"
        fix = "leave thinking out, or use a model that can be switched off"
        return changed("thinking", {"thinking": REMOVE}, "left out; the model thinks", why, fix)
    accepted = dict(_accepted_thinking(wish, model))
    if accepted == asked:
        return None
    change = f"sent as {accepted}" if accepted else "left out"
    why = "Kimi takes an object of type (enabled, disabled) and keep ('all' or null), and nothing else"
    fix = "use kimi_openai.thinking(...) for extra_body"
    return changed("thinking", {"thinking": accepted or REMOVE}, change, why, fix)


def _accepted_thinking(wish: Body, model: ModelFacts) -> Iterator[tuple[str, Any]]:
    if wish.get("type") in ("enabled", "disabled"):
        yield "type", wish["type"]
        if "keep" in wish and wish["keep"] in model.keeps:
            yield "keep", wish["keep"]


def _thinking_as_effort(body: Body, wish: Body, model: ModelFacts) -> Changes:
    fields: dict[str, Any] = {"thinking": REMOVE}
    change, why = "left out", "the model always thinks and is steered by reasoning_effort only"
    if body.get("reasoning_effort") is None:
        word = wish.get("effort")
        level = nearest_effort(model, word) if isinstance(word, str) else None
        if wish.get("type") == "disabled":
            level, why = model.efforts[0], "the model is documented as always thinking"
        if level:
            fields["reasoning_effort"] = level
            change = f"sent as reasoning_effort={level!r}"
    return changed("thinking", fields, change, why, f"write reasoning_effort, one of {', '.join(model.efforts)}")


def reasoning_content(message: Message, context: MessageContext) -> Message:
    """A placeholder for the lost reasoning of a tool call, where the model requires it.

    An empty text counts as missing. K2.6 answers with one if thinking is disabled, and refuses it on a later request
    with thinking enabled (two independent measurements; one source says that it is accepted).
    """
    if not (context.is_thinking and context.model.needs_reasoning_in_tool_calls and message.get("tool_calls")):
        return message
    if message.get("reasoning_content"):
        return message
    why = (
        "Kimi answers 400 'thinking is enabled but reasoning_content is missing in assistant tool call message at "
        "index ...'"
    )
    fix = "append the answer's message itself, or kimi_openai.replay_message(answer), to the messages"
    if message.get("reasoning_content") == "":
        why += " to an empty one too"
        fix = "keep thinking disabled in all turns of a tool loop, or enabled in all"
    context.note("reasoning_content", ".reasoning_content", f"sent as {NOT_KEPT!r}", why, fix)
    return {**message, "reasoning_content": NOT_KEPT}
