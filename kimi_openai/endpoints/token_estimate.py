"""The size of a prompt before it is sent: `estimate_tokens`."""

from __future__ import annotations

import json
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any, overload

import openai

from kimi_openai._internal.counts import count_of
from kimi_openai._internal.flow import AnyClient, Flow, run
from kimi_openai.compat.messages import frozen_messages
from kimi_openai.compat.tools import has_tools
from kimi_openai.errors.exceptions import UnexpectedAnswerError
from kimi_openai.messages.builders import MessageLike

from .any_client import guarded

__all__ = ["estimate_tokens"]

PATH = "/tokenizers/estimate-token-count"


@overload
def estimate_tokens(client: openai.OpenAI, *, model: str, messages: Iterable[MessageLike]) -> int: ...
@overload
def estimate_tokens(
    client: openai.AsyncOpenAI, *, model: str, messages: Iterable[MessageLike]
) -> Coroutine[Any, Any, int]: ...
def estimate_tokens(
    client: AnyClient, *, model: str, messages: Iterable[MessageLike]
) -> int | Coroutine[Any, Any, int]:
    """The number of tokens of `messages` as a prompt of `model`, from POST /v1/tokenizers/estimate-token-count.

    Images and videos are counted. It is not documented whether tools and the thinking preamble are counted too; the
    `usage.prompt_tokens` of the chat can be higher. Tools in messages (`tool_message`) are counted as their JSON where
    the endpoint refuses them. Raises `ValueError` if `messages` is empty, `CompatError` if it has something else than
    messages in it, the SDK's errors, and `UnexpectedAnswerError` if the answer has another shape. Source: platform
    docs, estimate page.
    """
    body = {"model": model, "messages": frozen_messages(messages)}
    if not body["messages"]:
        raise ValueError("messages is empty; pass at least one message to be counted")
    return run(client, guarded("the token estimate", _estimate(client, body)))


def _estimate(client: AnyClient, body: dict[str, Any]) -> Flow[int]:
    try:
        answer = yield client.post(PATH, body=body, cast_to=object)
    except openai.BadRequestError:
        messages = [each for message in body["messages"] for each in _with_tools_as_text(message)]
        if messages == body["messages"]:
            raise
        answer = yield client.post(PATH, body={**body, "messages": messages}, cast_to=object)
    match answer:
        case {"data": {"total_tokens": total}} if (count := count_of(total)) is not None:
            return count
        case _:
            raise UnexpectedAnswerError("the token estimate", answer)


def _with_tools_as_text(message: Any) -> Iterator[Any]:
    """The message; one that declares tools as their JSON, and its content if it has one."""
    if not has_tools(message):
        yield message
        return
    yield {"role": "system", "content": json.dumps(message["tools"])}
    if message.get("content"):
        yield {name: value for name, value in message.items() if name != "tools"}
