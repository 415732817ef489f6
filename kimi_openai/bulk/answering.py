"""One line of a bulk run: its answer as `complete` gives it, checked against its schema, or why there is none.

An answer is the JSON of a chat completion.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import openai

from kimi_openai._internal.flow import AnyClient, Flow, run_async, run_now
from kimi_openai._internal.json_values import as_dict
from kimi_openai.errors.exceptions import CompatError, Copyable, LimitsError, SettingsError
from kimi_openai.errors.explanations import fault_of
from kimi_openai.streaming.completion import complete
from kimi_openai.streaming.short_answer import complete_short, is_short
from kimi_openai.tools.json_schema import schema_problems
from kimi_openai.usage.costs import Tokens, tokens_of

from .requests import Request

__all__ = [
    "Answer",
    "Ask",
    "SchemaError",
    "answer_to",
    "asker",
    "ends_the_run",
    "kind_of",
    "schema_problems_of",
    "spent_by",
]

Ask = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

ENDING = (
    "account_empty",
    "daily_limit",
    "wrong_key",
    "permission_denied",
    "url_not_found",
    "not_offered",
    "redirected",
)
"""The kinds of faults that every line would meet."""

UNKNOWN_OUTCOME = ("timeout", "connection", "stream_cut", "gateway_timeout")
"""The kinds of faults after which a request may have been billed anyway."""


class SchemaError(Copyable, openai.OpenAIError):
    """An answer that does not fit the schema of its request, twice; `tokens` are those of both."""

    def __init__(self, problems: str, tokens: Tokens) -> None:
        self.tokens = tokens
        super().__init__(f"the answer does not fit the schema, also when asked again: {problems}")


@dataclass(frozen=True, slots=True)
class Answer:
    """The completion of a line, and the tokens of all requests that it took."""

    completion: dict[str, Any]
    tokens: Tokens


def asker(client: AnyClient, executor: Executor | None, *, max_parts: int) -> Ask:
    """A coroutine function for the answer to a body: streamed, unless its output limit is small. The calls of a
    synchronous client run in the threads of `executor`."""
    if isinstance(client, openai.AsyncOpenAI):
        return lambda body: run_async(_completion(client, body, max_parts))

    def ask(body: dict[str, Any]) -> Awaitable[dict[str, Any]]:
        return asyncio.get_running_loop().run_in_executor(executor, run_now, _completion(client, body, max_parts))

    return ask


def _completion(client: Any, body: dict[str, Any], max_parts: int) -> Flow[dict[str, Any]]:
    if is_short(client, body):
        return (yield from complete_short(client, body, max_parts=max_parts))
    completion = yield complete(client, **body, max_parts=max_parts)
    whole: dict[str, Any] = completion.model_dump(mode="json", exclude_unset=True, warnings=False)
    return whole


async def answer_to(request: Request, ask: Ask) -> Answer:
    """The answer. One that does not fit its schema is asked for once more, with the problems in the request.

    Raises what `complete` raises, and `SchemaError`.
    """
    body = {name: value for name, value in request.body.items() if name not in ("stream", "stream_options", "n")}
    completion = await ask(body)
    tokens = tokens_of(completion.get("usage"))
    problems = schema_problems_of(body, completion)
    if not problems:
        return Answer(completion, tokens)
    text = _message(completion).get("content") or ""
    again = [
        {"role": "assistant", "content": text},
        {"role": "user", "content": f"This does not fit the schema: {problems}. Answer again, with JSON that fits."},
    ]
    completion = await ask({**body, "messages": [*body["messages"], *(again if text else [])]})
    tokens += tokens_of(completion.get("usage"))
    problems = schema_problems_of(body, completion)
    if problems:
        raise SchemaError(problems, tokens)
    return Answer(completion, tokens)


def _message(completion: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = completion["choices"][0]["message"]
    return message


def schema_problems_of(body: dict[str, Any], completion: dict[str, Any]) -> str:
    """What does not fit the schema of the request, "" if there is none or all fits."""
    schema = as_dict(as_dict(body.get("response_format")).get("json_schema")).get("schema")
    message = _message(completion)
    if schema is None or message.get("tool_calls"):
        return ""
    try:
        value = json.loads(message.get("content") or "")
    except (ValueError, RecursionError) as error:
        return f"it is not JSON ({error})"
    return "; ".join(map(str, schema_problems(value, schema)[:5]))


def ends_the_run(error: BaseException) -> bool:
    """Whether every other line would fail for the same reason."""
    if isinstance(error, SettingsError) or (isinstance(error, LimitsError) and "tpd" in str(error)):
        return not isinstance(error, CompatError)
    return isinstance(error, openai.APIError) and fault_of(error).kind in ENDING


def kind_of(error: BaseException) -> str:
    """A short name for why a line failed."""
    return fault_of(error).kind if isinstance(error, openai.APIError) else type(error).__name__


def spent_by(error: BaseException) -> Tokens | None:
    """The tokens of a line that failed; `None` if they are not known and may have been billed."""
    if isinstance(error, SchemaError):
        return error.tokens
    completion = getattr(error, "completion", None)
    if completion is not None:
        return tokens_of(completion.usage)
    is_unknown = isinstance(error, openai.APIError) and fault_of(error).kind in UNKNOWN_OUTCOME
    return None if is_unknown else Tokens()
