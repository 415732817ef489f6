"""Takes the Markdown fence off JSON answers of chat completions, whole or in chunks, and notes it.

The client calls it for every answer to a request that asks for JSON: whoever reads the answer parses it, and no parser
knows fences. The text functions are in `compat.fenced_json`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice

from kimi_openai.compat.adapt import report_answer
from kimi_openai.compat.fenced_json import FenceRemover, fence_removed, remove_fences

__all__ = ["Fences", "take_fences_off"]


def take_fences_off(completion: ChatCompletion, client: Any) -> None:
    """Remove the fences around the texts of a completion, in place."""
    if remove_fences(completion):
        report_answer(fence_removed(), client.kimi_options)


class Fences:
    """Removes the Markdown fence around JSON from the chunks of an answer, and notes it once."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._removers: defaultdict[int, FenceRemover] = defaultdict(FenceRemover)
        self._is_noted = False

    def removed_from(self, chunk: ChatCompletionChunk) -> ChatCompletionChunk:
        """The chunk without what belongs to a fence; the same object if there is nothing to remove."""
        texts = [self._text(choice) for choice in chunk.choices]
        if all(text == (choice.delta.content or "") for choice, text in zip(chunk.choices, texts, strict=True)):
            return chunk
        chunk = chunk.model_copy(deep=True)
        for choice, text in zip(chunk.choices, texts, strict=True):
            choice.delta.content = text
        return chunk

    def _text(self, choice: Choice) -> str:
        remover = self._removers[choice.index]
        text = remover.feed(choice.delta.content or "")
        if choice.finish_reason or choice.delta.tool_calls:
            text += remover.flush()
            if remover.is_fenced and not self._is_noted:
                self._is_noted = True
                report_answer(fence_removed(), self._client.kimi_options)
        return text
