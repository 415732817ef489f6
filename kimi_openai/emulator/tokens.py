"""Counting and cutting text with the emulator's own tokens, since the platform's tokenizer is not public.

The numbers are plausible and deterministic, not Moonshot's: a short "Say ok." costs what was measured.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from .behaviour import Behaviour
from .chat_body import facts_of, messages_of, thinks, tool_choice_kind
from .json_values import Json, encode, is_array, is_object

__all__ = ["Chunking", "count_tokens", "cut_text", "message_tokens", "prompt_tokens", "split_text"]

Chunking = int | Literal["token", "word"]
"""How text is split into chunks: by token, by word, or every so many characters."""

TOKEN = re.compile(r"\s*(?:[A-Za-z]{1,8}|[0-9]{1,3}|[^\sA-Za-z0-9])|\s+")
WORD = re.compile(r"\s*\S+|\s+")

PREAMBLE, K2_PREAMBLE, THINKING_PREAMBLE, PER_MESSAGE = 14, 3, 67, 4
"""Tokens of a prompt that no text of the request accounts for. "Say ok." was measured as 10 tokens on K2.6, as 21 on K3
without thinking and as 88 with it."""

TOOL_CHOICE, JSON_MODE = 37, 64
"""Tokens that K3 adds for `tool_choice` "none" or "required" and for `json_object`: what was measured on 2026-09-03,
less what the other texts of those requests account for. K2 was not measured; here it adds none."""

MEDIA_TOKENS = {"image_url": 1024, "video_url": 4096}
"""The platform counts media "dynamically"; here each image and each video costs the same."""


def split_text(text: str, chunking: Chunking) -> list[str]:
    """The text in pieces that join to the text again.

    >>> split_text("Hello wide world", "word"), split_text("abcd", 3)
    (['Hello', ' wide', ' world'], ['abc', 'd'])
    """
    if isinstance(chunking, int):
        return [text[start : start + chunking] for start in range(0, len(text), chunking)]
    return (TOKEN if chunking == "token" else WORD).findall(text)


def cut_text(text: str, budget: int) -> tuple[str, int]:
    """The beginning of the text that fits into `budget` tokens, and how many tokens it has.

    >>> cut_text("one two three", 2)
    ('one two', 2)
    """
    found = TOKEN.findall(text)
    if len(found) <= budget:
        return text, len(found)
    return "".join(found[:budget]), budget


def message_tokens(message: Json) -> int:
    """Tokens of one message with its name, calls, reasoning and dynamic tools."""
    texts = [message[key] for key in ("name", "reasoning_content") if isinstance(message.get(key), str)]
    texts += [encode(message[key]) for key in ("tool_calls", "tools") if message.get(key)]
    return PER_MESSAGE + _content_tokens(message.get("content")) + sum(map(count_tokens, texts))


def prompt_tokens(body: Json, behaviour: Behaviour, *, preamble: bool = True) -> int:
    """Tokens of a prompt: messages, tools and response schema, with or without the preamble that thinking adds."""
    control = facts_of(body).control
    before = K2_PREAMBLE if control == "thinking" else PREAMBLE
    if preamble and control == "reasoning_effort" and thinks(body, behaviour):
        before += THINKING_PREAMBLE
    if control == "reasoning_effort":
        before += _instructions(body)
    response_format = body.get("response_format")
    schema = response_format.get("json_schema") if is_object(response_format) else None
    extras = sum(count_tokens(encode(extra)) for extra in (body.get("tools"), schema) if extra)
    return before + extras + sum(map(message_tokens, messages_of(body)))


def _instructions(body: Json) -> int:
    response_format, choice = body.get("response_format"), tool_choice_kind(body)
    is_json = is_object(response_format) and response_format.get("type") == "json_object"
    return JSON_MODE * is_json + TOOL_CHOICE * (choice in ("none", "required") and bool(body.get("tools")))


def count_tokens(text: str) -> int:
    """Tokens of a text."""
    return len(TOKEN.findall(text))


def _content_tokens(content: Any) -> int:
    if isinstance(content, str):
        return count_tokens(content)
    parts: list[Any] = content if is_array(content) else []
    return sum(
        count_tokens(str(part.get("text", ""))) + MEDIA_TOKENS.get(str(part.get("type")), 0)
        for part in parts
        if is_object(part)
    )
