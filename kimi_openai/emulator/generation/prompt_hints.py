"""What a prompt says about its answer: the keys of a JSON object, and the question for the effort."""

from __future__ import annotations

import re
from typing import Any

from kimi_openai.emulator.chat_body import facts_of
from kimi_openai.emulator.json_values import Json, is_object

__all__ = ["asks_for_effort", "effort_of", "json_keys"]

KEY_WITH_VALUE = re.compile(r"[\"'“]([A-Za-z_]\w*)[\"'”]\s*:\s*(\S?)")
QUOTED = re.compile(r"[\"'`“]([A-Za-z_]\w*)[\"'`”]")
NAMED = re.compile(r"\b(?:keys?|fields?|properties)\b:?\s+((?:\w+\s*,\s*(?:and\s+)?|\w+\s+and\s+)*\w+)", re.IGNORECASE)
EFFORT = re.compile(r"\b(?:reasoning|thinking)[ _-]?effort\b|\beffort level\b", re.IGNORECASE)

EXAMPLES: dict[str, Any] = {"[": [], "{": {}, "t": True, "f": False, **dict.fromkeys("-0123456789", 1)}
"""A value by the first character of the value that the prompt shows."""


def json_keys(prompt: str) -> Json:
    """The keys that a prompt shows or quotes or lists, each with a value.

    >>> json_keys('Reply as {"city": "...", "people": 3}'), json_keys("Reply as JSON with keys city and country.")
    ({'city': 'city', 'people': 1}, {'city': 'city', 'country': 'country'})
    """
    shown = {key: EXAMPLES.get(first, key) for key, first in KEY_WITH_VALUE.findall(prompt)}
    if shown:
        return shown
    listed = NAMED.search(prompt)
    names = QUOTED.findall(prompt) or (re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", listed[1]) if listed else [])
    return {name: name for name in names}


def effort_of(body: Json) -> str | None:
    """The effort of a request, or None for a model without one.

    `thinking.effort` is not documented; a conformance test of Moonshot expects that it wins over `reasoning_effort`.
    """
    known, thinking = facts_of(body), body.get("thinking")
    if not known.efforts:
        return None
    chosen = thinking.get("effort") if is_object(thinking) else None
    return str(chosen or body.get("reasoning_effort") or known.default_effort)


def asks_for_effort(question: str) -> bool:
    """Whether a question asks for the effort.

    >>> asks_for_effort("What is your reasoning effort?"), asks_for_effort("Spare no effort.")
    (True, False)
    """
    return EFFORT.search(question) is not None
