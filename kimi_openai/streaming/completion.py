"""`complete`: one whole answer, or an error that says what is missing.

The answer is streamed, so that no gateway gives up on a long one, and a part that a full token budget cut off is
continued by partial mode. `session` joins the parts; what counts as a whole answer is decided here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import replace
from typing import Any, overload

import openai
from openai.types.chat import ChatCompletion

from kimi_openai._internal.flow import AnyClient
from kimi_openai.compat.adapt import report_answer
from kimi_openai.compat.fenced_json import asks_for_json, fence_removed, unfenced_json
from kimi_openai.errors.exceptions import TruncatedAnswerError, UnexpectedAnswerError
from kimi_openai.messages.builders import MessageLike
from kimi_openai.models.catalog import facts

from .chat_stream import AsyncChatStream, ChatStream
from .request import budget_of, request_of
from .session import Session

__all__ = ["complete", "completed"]

ENOUGH_TO_THINK = 16_000
"""The smallest budget, in tokens, that the platform docs recommend for thinking models."""


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
    """A `ChatCompletion` with a whole answer; awaitable for an asynchronous client.

    An answer that its token budget cut off (`finish_reason` "length") is continued by partial mode, and the parts are
    joined: up to `max_parts` parts of `max_completion_tokens` each, while their `total_tokens` are below
    `max_total_tokens`. `usage` is the sum of all parts. A cut connection is handled as by `stream`. A JSON answer
    (`response_format`) is checked before it is returned; a Markdown fence around it is removed, with a `Note`. An
    answer that ended without text, after its reasoning only, is asked for once more, with a `Note`; if the second one
    has no text either, it is returned with another `Note`. `params` are the parameters of `chat.completions.create`,
    without `stream`; they are copied at the call, as `messages` are.

    Raises `TruncatedAnswerError` (a `LengthFinishReasonError`, with `completion`) if the answer is not whole: the
    budget ended inside the reasoning, a tool call or JSON, or one of the limits was reached. Raises the SDK's
    `ContentFilterFinishReasonError`, with `completion` too, and `UnexpectedAnswerError` for JSON that does not parse.
    Source: platform docs, partial mode guide; chat page, max_completion_tokens.
    """
    body, options = request_of(client, model, messages, params)
    session = Session(body, budget_of(client), max_parts=max_parts, max_total_tokens=max_total_tokens)
    return completed(client, session, options)


def completed(
    client: AnyClient, session: Session, options: Mapping[str, Any]
) -> ChatCompletion | Awaitable[ChatCompletion]:
    """The whole answer of a session, which may have begun already, as `complete` returns it."""
    if isinstance(client, openai.AsyncOpenAI):
        return _complete_async(client, AsyncChatStream(client, session, options), session)
    with ChatStream(client, session, options) as stream:
        stream.get_final_completion()
    return _whole(client, session)


async def _complete_async(client: AnyClient, stream: AsyncChatStream, session: Session) -> ChatCompletion:
    async with stream:
        await stream.get_final_completion()
    return _whole(client, session)


def _whole(client: AnyClient, session: Session) -> ChatCompletion:
    """The completion of a session that is over. Raises if its answer is not whole."""
    completion, reply, body = session.completion(), session.reply(), session.body
    if reply.finish_reason == "length":
        raise TruncatedAnswerError(_why_not_whole(session), completion)
    if reply.finish_reason == "content_filter":
        filtered: Any = openai.ContentFilterFinishReasonError()
        filtered.args = ("the content filter ended the answer; the request's side; change what is asked",)
        filtered.completion, filtered.reply = completion, reply
        raise filtered
    if asks_for_json(body) and not reply.tool_calls:
        found = unfenced_json(reply.content)
        if found is None:
            what = f"valid JSON (finish_reason {reply.finish_reason!r})"
            error: Any = UnexpectedAnswerError(what, reply.content)
            error.reply = reply
            raise error
        if found != reply.content:
            report_answer(fence_removed(), getattr(client, "kimi_options", None))
            completion.choices[0].message.content = replace(reply, content=found).content
    return completion


def _why_not_whole(session: Session) -> str:
    reply, body = session.reply(), session.body
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
    parts = len(session.parts)
    return (
        f"the answer is not whole after {parts} part{'s' * (parts > 1)} of {named} each and "
        f"{(reply.usage or {}).get('total_tokens')} tokens in all; raise max_parts, max_total_tokens or the budget"
    )
