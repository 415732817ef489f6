"""The SDK's `chat.completions.stream()`, whose events it makes from chunks that must fit together.

Chunks come checked, one by one, from `chunks.py`. If they contradict each other, such as a tool call whose index is
skipped, the SDK raises anything; here it is one of its own exceptions. Private name of the SDK in use, with a test that
names it: `_state` of its chat streams.
"""

from __future__ import annotations

from typing import Any, cast

import openai
from openai.lib.streaming.chat import (
    AsyncChatCompletionStreamManager,
    ChatCompletionStreamManager,
    ChatCompletionStreamState,
)
from openai.types.chat import ChatCompletionChunk

from kimi_openai.errors.exceptions import UnexpectedAnswerError
from kimi_openai.messages.reply import Reply

from .sdk_errors import sdk_errors_as

__all__ = ["checked"]


def checked(manager: Any) -> Any:
    """The SDK's stream manager, made to use `CheckedState`. Anything else is returned as it is."""
    if type(manager) is ChatCompletionStreamManager:
        manager.__class__ = CheckedManager
    elif type(manager) is AsyncChatCompletionStreamManager:
        manager.__class__ = AsyncCheckedManager
    return manager


class CheckedManager(ChatCompletionStreamManager[Any]):
    """The SDK's manager of a stream."""

    def __enter__(self) -> Any:
        return _with_checked_state(super().__enter__())


class AsyncCheckedManager(AsyncChatCompletionStreamManager[Any]):
    """The SDK's manager of an asynchronous stream."""

    async def __aenter__(self) -> Any:
        return _with_checked_state(await super().__aenter__())


def _with_checked_state(stream: Any) -> Any:
    stream._state.__class__ = CheckedState
    return stream


class CheckedState(ChatCompletionStreamState[Any]):
    """The SDK's accumulator of chunks. Raises `UnexpectedAnswerError`, with what had come as `reply`, if they do not
    fit together."""

    def handle_chunk(self, chunk: ChatCompletionChunk) -> Any:
        """The events that the chunk leads to."""
        with sdk_errors_as(lambda error: self._error("chunks that fit together", error, chunk)):
            return super().handle_chunk(chunk)

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
