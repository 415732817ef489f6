"""The SDK's `chat.completions.stream()`, whose events it makes from chunks that must fit together.

Chunks come checked, one by one, from `chunks.py`. If they contradict each other, such as a tool call whose index is
skipped, the SDK raises anything; here it is one of its own exceptions. Private name of the SDK in use, with a test that
names it: `_state` of its chat streams.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, cast

import openai
from openai.lib.streaming.chat import (
    AsyncChatCompletionStreamManager,
    ChatCompletionStreamManager,
    ChatCompletionStreamState,
)
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice

from kimi_openai.compat.adapt import report_answer
from kimi_openai.compat.fenced_json import FenceRemover, fence_removed
from kimi_openai.errors.exceptions import UnexpectedAnswerError
from kimi_openai.messages.reply import Reply

from .sdk_errors import sdk_errors_as

__all__ = ["Fences", "checked"]


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


def checked(manager: Any, *, json_client: Any) -> Any:
    """The SDK's stream manager, made to use `CheckedState`. Anything else is returned as it is.

    `json_client` is the client if the answer is parsed as JSON: a fence around it is removed, and noted for the client.
    """
    if type(manager) is ChatCompletionStreamManager:
        manager.__class__ = CheckedManager
    elif type(manager) is AsyncChatCompletionStreamManager:
        manager.__class__ = AsyncCheckedManager
    else:
        return manager
    cast(Any, manager).json_client = json_client
    return manager


class CheckedManager(ChatCompletionStreamManager[Any]):
    """The SDK's manager of a stream."""

    json_client: Any

    def __enter__(self) -> Any:
        return _with_checked_state(super().__enter__(), self.json_client)


class AsyncCheckedManager(AsyncChatCompletionStreamManager[Any]):
    """The SDK's manager of an asynchronous stream."""

    json_client: Any

    async def __aenter__(self) -> Any:
        return _with_checked_state(await super().__aenter__(), self.json_client)


def _with_checked_state(stream: Any, client: Any) -> Any:
    state = stream._state
    state.__class__ = CheckedState
    state.fences = None if client is None else Fences(client)
    return stream


class CheckedState(ChatCompletionStreamState[Any]):
    """The SDK's accumulator of chunks. Raises `UnexpectedAnswerError`, with what had come as `reply`, if they do not
    fit together. `fences` is there if the SDK parses the answer as JSON."""

    fences: Fences | None

    def handle_chunk(self, chunk: ChatCompletionChunk) -> Any:
        """The events that the chunk leads to."""
        with sdk_errors_as(lambda error: self._error("chunks that fit together", error, chunk)):
            return super().handle_chunk(chunk if self.fences is None else self.fences.removed_from(chunk))

    def get_final_completion(self) -> Any:
        """The whole answer."""
        with sdk_errors_as(lambda error: self._error("a whole answer", error, None)):
            return super().get_final_completion()

    def _error(self, what: str, cause: Exception, body: object) -> openai.OpenAIError:
        error = UnexpectedAnswerError(f"{what} ({type(cause).__name__}: {cause})", body)
        cast(Any, error).reply = self._reply()
        return error

    def _reply(self) -> Reply:
        try:
            message: Any = self.current_completion_snapshot.choices[0].message
        except (AssertionError, LookupError):  # nothing has come
            return Reply()
        return Reply(content=message.content or "", reasoning=getattr(message, "reasoning_content", None))
