"""stream_helper.py: the SDK's `.stream()` over chunks that do not fit together."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from openai.lib.streaming.chat import (
    AsyncChatCompletionStreamManager,
    ChatCompletionStream,
    ChatCompletionStreamManager,
)

from kimi_openai.errors.exceptions import UnexpectedAnswerError
from tests.canned import Canned
from tests.conftest import Mode

ASK: Any = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}


def chunk(index: Any = 0, finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "kimi-k3", "choices": [choice]}


def events(mode: Mode, *chunks: Any) -> tuple[list[str], Any]:
    """The types of the events of `.stream()`, and its final completion."""
    body = b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks)
    client = mode.client(api_key="sk-1", http_client=Canned(body + b"data: [DONE]\n\n").client(mode.is_async))
    manager: Any = client.chat.completions.stream(**ASK)
    assert isinstance(manager, AsyncChatCompletionStreamManager if mode.is_async else ChatCompletionStreamManager)
    stream = mode.run(manager.__aenter__() if mode.is_async else manager.__enter__())
    try:
        return [event.type for event in mode.each(stream)], mode.run(stream.get_final_completion())
    finally:
        mode.run((manager.__aexit__ if mode.is_async else manager.__exit__)(None, None, None))


def test_chunks_that_fit_together_are_the_sdks_events(mode: Mode) -> None:
    """The manager is the SDK's class, and so are the events."""
    types, final = events(mode, chunk(content="a"), chunk(content="b"), chunk(finish_reason="stop"))
    assert types == ["chunk", "content.delta", "chunk", "content.delta", "chunk", "content.done"]
    assert final.choices[0].message.content == "ab"


@pytest.mark.parametrize("misfit", [chunk(index=3, content="b"), chunk(tool_calls=[{"index": 0}])])
def test_chunks_that_do_not_fit_together_are_an_error_with_what_had_come(mode: Mode, misfit: Any) -> None:
    """The SDK alone raises an IndexError or an AssertionError."""
    with pytest.raises(UnexpectedAnswerError, match="chunks that fit together") as caught:
        events(mode, chunk(content="a"), misfit, chunk(finish_reason="stop"))
    assert caught.value.reply.content == "a"  # type: ignore[attr-defined]


def test_an_answer_of_no_chunks_is_an_error(mode: Mode) -> None:
    """The SDK alone raises an AssertionError for the final completion."""
    with pytest.raises(UnexpectedAnswerError, match="a whole answer") as caught:
        events(mode, {**chunk(content="a", finish_reason="stop"), "object": "x"})
    assert caught.value.reply.content == ""  # type: ignore[attr-defined]


def test_the_private_name_of_the_sdk_that_is_used_is_there() -> None:
    """If a new SDK renames it, this fails by name."""
    source = inspect.getsource(ChatCompletionStream)
    assert "self._state = ChatCompletionStreamState(" in source
    assert "self._state.handle_chunk(" in source
    assert "self._state.get_final_completion()" in source
