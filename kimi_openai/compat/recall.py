"""Puts the reasoning that a client remembers back into a request whose messages have lost it.

`adapt` calls it before the rules, which send a placeholder for reasoning that is still missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from kimi_openai._internal.json_values import is_array
from kimi_openai.errors.exceptions import Note
from kimi_openai.messages.reasoning_memory import ReasoningMemory
from kimi_openai.models.catalog import UNKNOWN, facts

from .pipeline import shape
from .rule import Body, is_thinking

__all__ = ["with_reasoning"]

DECIDING = ("model", "thinking", "reasoning_effort", "tools", "tool_choice")
"""The parameters that decide whether the model thinks."""


def with_reasoning(
    body: dict[str, Any], memory: ReasoningMemory, *, aliases: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """The body with the remembered reasoning where a message with tool calls has none, and a quiet note about it.

    Reasoning that the caller sent stays, also an empty text, unless the model would refuse that. The same body, without
    a note, if there is nothing to put back.
    """
    messages = body.get("messages")
    if not is_array(messages):
        return body, ()
    found = memory.recalled(messages, replace_empty=partial(_refuses_empty_reasoning, body, aliases))
    if not found:
        return body, ()
    restored = [
        {**message, "reasoning_content": found[index]} if index in found else message
        for index, message in enumerate(messages)
    ]
    return {**body, "messages": restored}, (_restored(found),)


def _refuses_empty_reasoning(body: Body, aliases: Mapping[str, str] | None) -> bool:
    """Whether the model counts an empty text as missing reasoning: see `reasoning.reasoning_content`."""
    sent = shape({name: body[name] for name in DECIDING if name in body}, aliases=aliases).body
    model = facts(sent["model"]) if isinstance(sent.get("model"), str) else UNKNOWN
    return model.needs_reasoning_in_tool_calls and is_thinking(sent, model)


def _restored(found: Mapping[int, str]) -> Note:
    places = ", ".join(map(str, found))
    return Note(
        "remembered_reasoning",
        "messages",
        f"reasoning_content is sent again in {places}",
        "it came with the tool calls there and was not sent back",
        "nothing to fix; or append the answer's message itself, or kimi_openai.replay_message(answer)",
        quiet=True,
    )
