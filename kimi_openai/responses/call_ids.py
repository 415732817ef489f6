"""The ids of calls in the input of a Responses request: each call has a unique one, which its output has too.

Pure. Source: platform docs, Responses page, 2026-09-03; reports of ids that occur twice in a conversation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kimi_openai._internal.json_values import as_dict
from kimi_openai.messages.tool_calls import CallIds

from .context import LONGEST_QUOTE, ItemContext

__all__ = ["CALLS", "call_ids", "with_unique_ids"]

CALLS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
OUTPUTS = frozenset(CALLS.values())


def call_ids(items: Iterable[Any]) -> Iterator[str]:
    """The ids of the calls in these items, in order.

    >>> list(call_ids([{"type": "function_call", "call_id": "f_0"}, {"role": "user"}]))
    ['f_0']
    """
    for item in map(as_dict, items):
        if item.get("type") in CALLS and isinstance(item.get("call_id"), str):
            yield item["call_id"]


def with_unique_ids(items: list[Any], places: list[int], context: ItemContext) -> list[Any]:
    """The items with a unique id for each call, which its output has too. The first call keeps its id.

    `places` are the positions of the items in the caller's input.
    """
    all_ids = list(call_ids(items))
    if len(all_ids) == len(set(all_ids)):
        return items
    ids = CallIds()
    ids.reserve(all_ids)
    waiting: dict[str, list[str]] = {}
    accepted: list[Any] = []
    for context.index, item in zip(places, items, strict=True):
        given = as_dict(item).get("call_id")
        sent = given
        if isinstance(given, str) and item.get("type") in CALLS:
            sent = ids.claim(given, str(item.get("name") or "call"))
            waiting.setdefault(given, []).append(sent)
            if sent != given:
                why = f"two calls have the id {given[:LONGEST_QUOTE]!r}, and Kimi's chat answers 400 to that"
                fix = "give each call of the conversation a unique id"
                context.note("duplicate_id", ".call_id", f"sent as {sent!r}, with its output", why, fix)
        elif isinstance(given, str) and item.get("type") in OUTPUTS and waiting.get(given):
            sent = waiting[given].pop(0)
        accepted.append(item if sent == given else {**item, "call_id": sent})
    return accepted
