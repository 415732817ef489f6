"""Counting and cutting text: the emulator's own tokens, since the platform's tokenizer is not public.

Numbers are plausible and deterministic, not Moonshot's: a short "Say ok." costs about what was measured on K3.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from .wire import Json, encode, is_array, is_object

__all__ = ["Chunking", "cut_text", "message_tokens", "pieces", "prompt_overhead"]

Chunking = int | Literal["token", "word"]
"""How text is cut into chunks: by token, by word, or every so many characters."""

TOKEN = re.compile(r"\s*(?:[A-Za-z]{1,8}|[0-9]{1,3}|[^\sA-Za-z0-9])|\s+")
WORD = re.compile(r"\s*\S+|\s+")

PREAMBLE, THINKING_PREAMBLE, PER_MESSAGE = 14, 67, 4
MEDIA_TOKENS = {"image_url": 1024, "video_url": 4096}
"""Media are "counted dynamically" by the platform; here each costs the same."""


def count(text: str) -> int:
    """How many tokens a text has."""
    return len(TOKEN.findall(text))


def pieces(text: str, chunking: Chunking) -> list[str]:
    """The text in chunks that join to the text again.

    >>> pieces("Hello wide world", "word"), pieces("abcd", 3)
    (['Hello', ' wide', ' world'], ['abc', 'd'])
    """
    if isinstance(chunking, int):
        return [text[start : start + chunking] for start in range(0, len(text), chunking)]
    return (TOKEN if chunking == "token" else WORD).findall(text)


def cut_text(text: str, budget: int) -> tuple[str, int]:
    """As much of the text as the budget pays for, and what it costs.

    >>> cut_text("one two three", 2)
    ('one two', 2)
    """
    found = TOKEN.findall(text)
    if len(found) <= budget:
        return text, len(found)
    return "".join(found[:budget]), budget


def content_tokens(content: Any) -> int:
    """Tokens of a message's content: a string or parts."""
    if isinstance(content, str):
        return count(content)
    parts: list[Any] = content if is_array(content) else []
    return sum(
        count(str(part.get("text", ""))) + MEDIA_TOKENS.get(str(part.get("type")), 0)
        for part in parts
        if is_object(part)
    )


def message_tokens(message: Json) -> int:
    """Tokens of one message with its name, calls, reasoning and dynamic tools."""
    extras = [message[key] for key in ("tool_calls", "tools") if message.get(key)]
    texts = [message[key] for key in ("name", "reasoning_content") if isinstance(message.get(key), str)]
    return (
        PER_MESSAGE
        + content_tokens(message.get("content"))
        + sum(map(count, texts))
        + sum(count(encode(e)) for e in extras)
    )


def prompt_overhead(*, thinking: bool, extras: tuple[Any, ...] = ()) -> int:
    """Tokens of a prompt beside its messages: the preamble, tools, a response schema."""
    return PREAMBLE + (THINKING_PREAMBLE if thinking else 0) + sum(count(encode(extra)) for extra in extras if extra)
