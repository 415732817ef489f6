"""The reasoning of an answer, with its type: the SDK's classes keep the field and do not declare it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydantic
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage
from openai.types.chat.chat_completion_chunk import ChoiceDelta

from kimi_openai._internal.json_values import is_object

__all__ = ["reasoning_of"]


def reasoning_of(
    answer: ChatCompletionMessage | ChoiceDelta | ChatCompletion | ChatCompletionChunk | Mapping[str, object], /
) -> str | None:
    """The `reasoning_content` of a message or delta, None if it has none.

    `answer`: the SDK's object of `create`, `parse` or a stream, or the dict of a message or delta. Of a completion or
    chunk it is the reasoning of the first choice. An empty text is returned as it is: K2.6 sends one if it does not
    think. Raises `TypeError` for any other object. Source: platform docs, thinking guides.

    >>> reasoning_of({"role": "assistant", "content": "ok", "reasoning_content": "hm"})
    'hm'
    >>> reasoning_of({"role": "assistant", "content": "ok"}) is None
    True
    """
    holder: Any = answer
    if isinstance(holder, ChatCompletion | ChatCompletionChunk):
        if not holder.choices:
            return None
        choice: Any = holder.choices[0]
        holder = choice.delta if isinstance(holder, ChatCompletionChunk) else choice.message
    if isinstance(holder, pydantic.BaseModel):
        found: object = getattr(holder, "reasoning_content", None)
    elif is_object(holder):
        found = holder.get("reasoning_content")
    else:
        raise TypeError(f"reasoning_of takes a message, a delta or their completion, not {type(holder).__name__}")
    return found if isinstance(found, str) else None
