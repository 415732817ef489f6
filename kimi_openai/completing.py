"""`complete`: one answer, whole or an error that says what is missing.

It is streamed under the hood, so that no gateway gives up on a long answer, and what a full budget cut off is asked
for by partial mode. The joining is `exchange.py`'s; what counts as whole is decided here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from typing import Any, overload

import openai
from openai.types.chat import ChatCompletion

from .asking import pace_of, request_of
from .errors import UnexpectedAnswerError
from .exchange import Exchange
from .flows import AnyClient
from .messages import MessageLike
from .models import facts
from .resuming import asks_for_json
from .streaming import AsyncChatStream, ChatStream

__all__ = ["TruncatedAnswerError", "complete"]

ENOUGH_TO_THINK = 16_000
"""Tokens of budget that the platform docs recommend as the least for thinking models."""


class TruncatedAnswerError(openai.LengthFinishReasonError):
    """An answer that its budget cut off and that could not be continued; `completion` is what had come."""

    def __init__(self, why: str, completion: ChatCompletion) -> None:
        super().__init__(completion=completion)
        self.args = (why,)


@overload
def complete(
    client: openai.OpenAI,
    *,
    model: str,
    messages: Iterable[MessageLike],
    max_parts: int = ...,
    max_total_tokens: int | None = ...,
    **params: Any,
) -> ChatCompletion: ...
@overload
def complete(
    client: openai.AsyncOpenAI,
    *,
    model: str,
    messages: Iterable[MessageLike],
    max_parts: int = ...,
    max_total_tokens: int | None = ...,
    **params: Any,
) -> Awaitable[ChatCompletion]: ...
def complete(
    client: AnyClient,
    *,
    model: str,
    messages: Iterable[MessageLike],
    max_parts: int = 8,
    max_total_tokens: int | None = None,
    **params: Any,
) -> ChatCompletion | Awaitable[ChatCompletion]:
    """A `ChatCompletion` whose answer is whole; awaitable for an asynchronous client.

    An answer that its budget cut off (`finish_reason` "length") is continued by partial mode and joined without seams,
    up to `max_parts` parts of `max_completion_tokens` each, and as long as the parts' `total_tokens` are below
    `max_total_tokens`. Cut connections are mended as by `stream`. `usage` is the sum of all parts. A JSON answer
    (`response_format`) is parsed before it is returned; a Markdown fence around it is taken off (K2.6 may add one).
    `params`: what `chat.completions.create` takes, without `stream`.

    Raises `TruncatedAnswerError` (a `LengthFinishReasonError`, with `completion`) where the answer is not whole: the
    budget ended inside the reasoning, a tool call or JSON, or the limits were reached; the SDK's
    `ContentFilterFinishReasonError`, with `completion` too; `UnexpectedAnswerError` for JSON that does not parse.
    Source: platform docs, partial mode guide; chat page, max_completion_tokens.
    """
    body, options = request_of(model, messages, params)
    exchange = Exchange(body, pace_of(client), max_parts=max_parts, max_total_tokens=max_total_tokens)
    if isinstance(client, openai.AsyncOpenAI):
        return _complete_async(AsyncChatStream(client, exchange, options), exchange)
    with ChatStream(client, exchange, options) as stream:
        stream.get_final_completion()
    return _whole(exchange)


async def _complete_async(stream: AsyncChatStream, exchange: Exchange) -> ChatCompletion:
    async with stream:
        await stream.get_final_completion()
    return _whole(exchange)


def _whole(exchange: Exchange) -> ChatCompletion:
    """The completion if its answer is whole."""
    completion, reply, body = exchange.completion(), exchange.reply(), exchange.body
    if reply.finish_reason == "length":
        raise TruncatedAnswerError(_why_not_whole(exchange), completion)
    if reply.finish_reason == "content_filter":
        filtered: Any = openai.ContentFilterFinishReasonError()
        filtered.args = ("the content filter ended the answer; the request's side; change what is asked",)
        filtered.completion, filtered.reply = completion, reply
        raise filtered
    if asks_for_json(body) and not reply.tool_calls:
        found = json_text(reply.content)
        if found is None:
            what = f"valid JSON (finish_reason {reply.finish_reason!r})"
            error: Any = UnexpectedAnswerError(what, reply.content)
            error.reply = reply
            raise error
        if found != reply.content:
            completion.choices[0].message.content = replace(reply, content=found).content
    return completion


def _why_not_whole(exchange: Exchange) -> str:
    reply, body = exchange.reply(), exchange.body
    given = body.get("max_completion_tokens") or body.get("max_tokens")
    budget = given or facts(body["model"]).default_output
    named = f"max_completion_tokens={budget}" + ("" if given else ", the default,") if budget else "the output budget"
    better = f"raise it, to {max(ENOUGH_TO_THINK, 2 * (budget or 0))} for example"
    if not reply.content and not reply.tool_calls:
        return f"{named} was used up by the reasoning, before any answer; {better}"
    if reply.tool_calls:
        return f"{named} ended inside the arguments of a tool call, which cannot be continued; {better}"
    if asks_for_json(body):
        return f"{named} ended inside the JSON, which partial mode must not continue; {better}"
    parts = len(exchange.parts)
    return (
        f"the answer is not whole after {parts} part{'s' * (parts > 1)} of {named} each and "
        f"{(reply.usage or {}).get('total_tokens')} tokens in all; raise max_parts, max_total_tokens or the budget"
    )


def json_text(content: str) -> str | None:
    """The JSON in an answer, without a Markdown fence around all of it; `None` if it is not JSON.

    >>> json_text('```json\\n{"a": 1}\\n```'), json_text('{"a": 1'), json_text(' {"a": 1}')
    ('{"a": 1}', None, ' {"a": 1}')
    >>> json_text('{"a": NaN}') is None
    True
    """
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", content, re.DOTALL | re.IGNORECASE)
    text = fenced[1] if fenced else content
    try:
        json.loads(text, parse_constant=_refuse)
    except ValueError:
        return None
    return text


def _refuse(word: str) -> None:
    """`NaN` and `Infinity`, which Python reads and JSON does not have."""
    raise ValueError(word)
