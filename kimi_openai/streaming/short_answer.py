"""The answer to a request whose output limit is small: asked for without streaming, which costs a third of the work.

A stream is for answers that take minutes, during which gateways give up on a connection that is silent. What does not
come whole goes on as a stream: `session` continues it, asks again for an empty one, and says what is missing.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import openai
from pydantic_core import to_json

from kimi_openai._internal.flow import AnyClient, Flow
from kimi_openai._internal.json_values import as_dict
from kimi_openai.client.plain_answer import PlainCompletion
from kimi_openai.compat.empty_answer import is_partial
from kimi_openai.compat.fenced_json import asks_for_json, unfenced_json
from kimi_openai.retry.budget import RetryBudget

from .completion import completed
from .request import OPTIONS, budget_of, request_of
from .session import Session

__all__ = ["SHORT", "complete_short", "is_short"]

SHORT = 4096
"""Output tokens that take a few minutes at most. Source: platform docs, errors page: a request without a response ends
after 900 s; the SDK's own limit is 600 s."""

CAPS = ("max_completion_tokens", "max_tokens")
NOT_PLAIN = frozenset((*OPTIONS, "extra_body", "functions", "stream", "n"))
"""Arguments of `complete` that are no fields of the body, and fields that need more than a plain request."""

DOCUMENT = SimpleNamespace(headers={"content-type": "application/json"}, extensions={}, request=None)
"""Where a plain answer is read from, for the reader of streams."""


def is_short(client: AnyClient, body: dict[str, Any]) -> bool:
    """Whether the answer can be asked for without streaming: its output is limited to `SHORT` tokens. A client of the
    SDK's own has no checks for a plain answer.
    """
    cap = next((body[name] for name in CAPS if body.get(name) is not None), None)
    is_small = isinstance(cap, int) and cap <= SHORT
    return is_small and hasattr(client, "kimi_options") and NOT_PLAIN.isdisjoint(body) and not is_partial(body)


def complete_short(client: Any, body: dict[str, Any], *, max_parts: int) -> Flow[dict[str, Any]]:
    """The JSON of the answer that `complete` would return, for a body that `is_short`. Raises what `complete` raises.

    It is asked for as often as `complete` would.
    """
    budget = budget_of(client)
    try:
        answer: dict[str, Any] = yield client.post(
            "/chat/completions", body=body, cast_to=PlainCompletion, options={"max_retries": budget.attempts - 1}
        )
    except openai.APIResponseValidationError:  # such as half of a JSON document
        if budget.attempts == 1:
            raise
        answer = {}
    if _is_whole(body, answer):
        return answer
    completion = yield _rest(client, body, answer, budget, max_parts)
    rest: dict[str, Any] = completion.model_dump(mode="json", exclude_unset=True, warnings=False)
    return rest


def _is_whole(body: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Whether there is nothing to do about the answer."""
    if _finish_reason(answer) in (None, "length", "content_filter"):
        return False
    message = answer["choices"][0]["message"]
    if message.get("tool_calls"):
        return True
    content = message.get("content") or ""
    return unfenced_json(content) == content if asks_for_json(body) else bool(content.strip())


def _finish_reason(answer: dict[str, Any]) -> str | None:
    return as_dict(next(iter(answer.get("choices") or ()), None)).get("finish_reason")


def _rest(client: Any, body: dict[str, Any], answer: dict[str, Any], budget: RetryBudget, max_parts: int) -> Any:
    """The completion of a session that has this answer already."""
    params = {name: value for name, value in body.items() if name not in ("model", "messages")}
    streamed, options = request_of(client, body["model"], body["messages"], params)
    session = Session(streamed, budget, max_parts=max_parts)
    if _finish_reason(answer):
        reader = session.opened(DOCUMENT)
        reader.feed(to_json(answer))
        session.ended(reader)
    return completed(client, session, options)
