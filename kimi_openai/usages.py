"""Kimi's usage, put where OpenAI code looks for it: on the typed answers, beside where Kimi put it.

Kimi counts a stream in `choices[0].usage` of its last choice, and cached tokens in a flat `cached_tokens`. Source:
platform docs, streaming guide and chat page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pydantic
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.completion_usage import PromptTokensDetails

__all__ = ["Observer", "observed", "settle_usage", "take_usage_from_choice"]

Observer = Callable[[str, Any], object]
"""Called with the model and the usage of an answer; the usage is `None` where the answer ended before it."""


Answer = TypeVar("Answer")


def settle_usage(answer: Answer) -> Answer:
    """Repeat a flat `usage.cached_tokens` as `usage.prompt_tokens_details.cached_tokens`, unless that is there."""
    usage = answer.usage if isinstance(answer, ChatCompletion | ChatCompletionChunk) else None
    extra = usage.model_extra if isinstance(usage, CompletionUsage) else None
    cached = extra.get("cached_tokens") if extra else None
    if usage is None or not isinstance(cached, int):
        return answer
    details: Any = usage.prompt_tokens_details
    if details is None:
        usage.prompt_tokens_details = PromptTokensDetails(cached_tokens=cached)
    elif isinstance(details, PromptTokensDetails) and details.cached_tokens is None:
        details.cached_tokens = cached
    return answer


def take_usage_from_choice(chunk: ChatCompletionChunk) -> None:
    """Repeat the usage inside the chunk's choice as `chunk.usage`, unless that is there."""
    if chunk.usage is not None:
        return
    for choice in chunk.choices:
        usage: Any = (choice.model_extra or {}).get("usage")
        if isinstance(usage, dict):
            try:
                chunk.usage = CompletionUsage.model_validate(usage)
            except pydantic.ValidationError:
                continue  # not a usage as either documents it; it stays where it is
            return


def observed(client: Any, model: Any, usage: Any) -> None:
    """Tell the observers of a client, and of those it was copied from or to, of an answer that is over."""
    for observer in getattr(getattr(client, "kimi_options", None), "observers", ()):
        observer(str(model), usage)
