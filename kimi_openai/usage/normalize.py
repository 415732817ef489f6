"""Puts Kimi's usage where OpenAI code looks for it, and reports it to the observers of a client.

Kimi sends the usage of a stream in `choices[0].usage` of the last chunk, and cached tokens as `usage.cached_tokens`.
These fields stay where they are and are repeated where the SDK has them. Source: platform docs, streaming guide and
chat page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import pydantic
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.completion_usage import PromptTokensDetails

from kimi_openai._internal.counts import checked_usage, count_of
from kimi_openai._internal.json_values import Json, is_object

from .costs import CacheTtl, Tokens

__all__ = [
    "BatchUse",
    "Observer",
    "copy_cached_tokens",
    "copy_choice_usage",
    "notify_observers",
    "notify_of_batch",
    "notify_of_call",
    "with_cached_details",
]


@dataclass(frozen=True, slots=True)
class BatchUse:
    """What the answers of one model in one batch used. `uncounted` of the `calls` answers have no usage."""

    batch_id: str
    calls: int = 0
    uncounted: int = 0
    tokens: Tokens = field(default_factory=Tokens)


class Observer(Protocol):
    """Called at the end of each answer, and of the reading of a batch."""

    def __call__(self, model: str, usage: Any, cache_ttl: CacheTtl, sent: bytes, /) -> object:
        """`usage` is None if the answer ended before its usage arrived, and a `BatchUse` for a batch. `cache_ttl` is
        the lifetime of the cache that the request asked for, `sent` its body; b"" for a batch or an official tool."""
        ...


ONE_HOUR = re.compile(rb'"prompt_cache_options":\s*\{[^{}]*"ttl":\s*"1h"')

Answer = TypeVar("Answer")


def copy_cached_tokens(answer: Answer) -> Answer:
    """Copy `usage.cached_tokens` to `usage.prompt_tokens_details`, if it is missing there. Returns `answer`."""
    usage = answer.usage if isinstance(answer, ChatCompletion | ChatCompletionChunk) else None
    extra = usage.model_extra if isinstance(usage, CompletionUsage) else None
    cached = count_of(extra.get("cached_tokens")) if extra else None
    if usage is None or cached is None:
        return answer
    details: Any = usage.prompt_tokens_details
    if details is None:
        usage.prompt_tokens_details = PromptTokensDetails(cached_tokens=cached)
    elif isinstance(details, PromptTokensDetails) and details.cached_tokens is None:
        details.cached_tokens = cached
    return answer


def with_cached_details(usage: Json) -> Json:
    """`copy_cached_tokens` for a usage as JSON, which is not changed.

    >>> with_cached_details({"total_tokens": 3, "cached_tokens": 2})
    {'total_tokens': 3, 'cached_tokens': 2, 'prompt_tokens_details': {'cached_tokens': 2}}
    """
    cached: Any = usage.get("cached_tokens")
    details: Any = usage.get("prompt_tokens_details") or {}
    if not isinstance(cached, int) or not is_object(details) or details.get("cached_tokens") is not None:
        return usage
    return {**usage, "prompt_tokens_details": {**details, "cached_tokens": cached}}


def copy_choice_usage(chunk: ChatCompletionChunk) -> None:
    """Copy the usage inside a choice of the chunk to `chunk.usage`, if that is missing."""
    if chunk.usage is not None:
        return
    for choice in chunk.choices:
        usage = checked_usage((choice.model_extra or {}).get("usage"))
        if usage is not None:
            try:
                chunk.usage = CompletionUsage.model_validate(usage)
            except pydantic.ValidationError:
                continue  # not a usage as Kimi or OpenAI documents it
            return


def notify_observers(client: Any, model: Any, usage: Any, *, response: Any) -> None:
    """Call the observers of a client, which it shares with its copies, at the end of an answer.

    `response` is the HTTP library's; what was sent is read from its request.
    """
    body = response.request.content
    _notify(client, str(model), usage, "1h" if ONE_HOUR.search(body) else "5m", body)


def notify_of_batch(client: Any, uses: Mapping[str, BatchUse]) -> None:
    """Call the observers of a client when the results of a batch have been read, with what each model used."""
    for model, use in uses.items():
        _notify(client, model, use, "5m", b"")


def _notify(client: Any, model: str, usage: Any, cache_ttl: CacheTtl, sent: bytes) -> None:
    for observer in getattr(getattr(client, "kimi_options", None), "observers", ()):
        observer(model, usage, cache_ttl, sent)


def notify_of_call(client: Any, name: str, *, is_answered: bool) -> None:
    """Call the observers of a client for a call of an official tool, which has no tokens.

    A call without an answer may be billed too; its usage is None.
    """
    _notify(client, name, {} if is_answered else None, "5m", b"")
