"""Warns when a conversation goes on with another beginning, which the prompt cache does not know.

The cache needs the prefix of a prompt to be identical byte for byte, with the reasoning and the order of keys (staff,
forum.moonshot.ai t/216). `Ledger` passes each answer here if it was asked to; nothing is sent from here.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kimi_openai._internal.decode import decode_json
from kimi_openai._internal.json_values import as_dict, as_list
from kimi_openai._internal.warn import warn
from kimi_openai.errors.exceptions import KimiCompatWarning
from kimi_openai.models.prices import PRICES

from .costs import Tokens

__all__ = ["PrefixWatch", "first_difference"]

REMEMBERED = 32
"""How many prompts are remembered."""

ALIKE = 0.5
"""The share of two texts, at their beginnings and ends, that must be equal for one to be the other, edited."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The parts of a prompt in the order in which they are cached, each a name and its JSON, and its cached tokens."""

    model: str
    names: tuple[str, ...]
    parts: tuple[str, ...]
    cached: int


class PrefixWatch:
    """Compares each prompt with those before it."""

    def __init__(self) -> None:
        self._prompts: deque[Prompt] = deque(maxlen=REMEMBERED)

    def see(self, model: str, sent: bytes, tokens: Tokens) -> None:
        """Compare the prompt of an answer, and remember it. `sent` is the body of the request."""
        try:
            body = as_dict(decode_json(sent))
        except ValueError:
            return
        field = "messages" if "messages" in body else "input"  # of Responses
        messages = _items(body.get(field))
        named: list[tuple[str, Any]] = [
            *((name, body[name]) for name in ("tools", "instructions") if body.get(name)),
            *((f"{field}.{index} ({as_dict(each).get('role')})", each) for index, each in enumerate(messages)),
        ]
        if not messages:
            return
        parts = tuple(json.dumps(part, ensure_ascii=False) for _, part in named)
        price = PRICES.get(model)
        are_writes_reported = price is None or price.write_5m is not None
        kept = tokens.cached + tokens.written if are_writes_reported else tokens.prompt
        prompt = Prompt(model, tuple(name for name, _ in named), parts, kept)
        self._compare(prompt, tokens)
        self._prompts.append(prompt)

    def _compare(self, prompt: Prompt, tokens: Tokens) -> None:
        for before in reversed(self._prompts):
            if before.model != prompt.model or not before.cached:
                continue
            if prompt.parts[: len(before.parts)] == before.parts:
                return  # it goes on as it was
            index = first_difference(before.parts, prompt.parts)
            if index is not None and tokens.cached < before.cached:
                names = prompt.names if index < len(prompt.names) else before.names
                warn(
                    f"the prompt cache does not know this prompt: {names[index]} is not as it was sent before, so that "
                    f"{tokens.cached} tokens came from the cache, where {before.cached} were in it; what was sent once "
                    "must stay as it is, byte for byte (put what changes, such as the time, at the end)",
                    KimiCompatWarning,
                )
                return


def _items(given: object) -> list[Any]:
    """The messages of a chat or the items of an input, a text as the item that stands for it in the next request."""
    return [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else as_list(given)


def first_difference(before: Sequence[str], now: Sequence[str]) -> int | None:
    """The index of the first part that differs, if `now` is `before` going on with something changed; else None.

    A prompt that only begins alike is another conversation.

    >>> first_difference(["It is 10:01. Be brief.", "Hi"], ["It is 10:02. Be brief.", "Hi", "Hello", "And?"])
    0
    >>> print(first_difference(["Be brief.", "Name a prime."], ["Be brief.", "Who was Ada Lovelace?"]))
    None
    """
    pairs = list(zip(before, now, strict=False))
    index = next((index for index, (old, new) in enumerate(pairs) if old != new), None)
    if index is None:
        return None
    goes_on = any(old == new for old, new in pairs[index + 1 :])
    is_edited = _are_alike(*pairs[index]) and (index < len(before) - 1 or len(now) > len(before))
    return index if goes_on or is_edited else None


def _are_alike(old: str, new: str) -> bool:
    shortest = min(len(old), len(new))
    start = next((at for at in range(shortest) if old[at] != new[at]), shortest)
    rest = shortest - start
    end = next((at for at in range(rest) if old[-1 - at] != new[-1 - at]), rest)
    return start + end >= ALIKE * max(len(old), len(new))
