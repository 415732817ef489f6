"""`run_tools`: asks, runs what Kimi calls, and asks again, until there is an answer.

The loop is one flow for both worlds. What a callable looks like to Kimi is `toolbox.py`'s, running the calls of a turn
`crew.py`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, cast, overload

import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from .completing import complete
from .crew import Approve, Crew, Tasks, Threads, ToolCall
from .flows import AnyClient, Flow, run
from .messages import MessageLike, replay_message
from .replies import reply_of, sum_usage
from .toolbox import ToolLike, toolbox

__all__ = ["Approve", "TooManyTurnsError", "ToolCall", "ToolLike", "ToolRun", "run_tools"]

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRun:
    """How it went: the last `completion`, all `messages` (those given, the calls, the results, the answer; to be sent
    again as they are), the `usage` of all `turns` as on the wire."""

    completion: ChatCompletion
    messages: list[ChatCompletionMessageParam]
    usage: Json | None
    turns: int


class TooManyTurnsError(openai.OpenAIError):
    """`max_turns` answers, and Kimi still wants to call tools; `result` has the transcript, whose last calls did not
    run."""

    def __init__(self, result: ToolRun) -> None:
        self.result = result
        super().__init__(
            f"after {result.turns} turns the model still calls tools; the request's side; raise max_turns, or see in "
            "result.messages what it is after"
        )


@overload
def run_tools(
    client: openai.OpenAI,
    *,
    model: str,
    messages: Iterable[MessageLike],
    tools: Iterable[ToolLike],
    max_turns: int = ...,
    max_parallel: int = ...,
    approve: Approve | None = ...,
    **params: Any,
) -> ToolRun: ...
@overload
def run_tools(
    client: openai.AsyncOpenAI,
    *,
    model: str,
    messages: Iterable[MessageLike],
    tools: Iterable[ToolLike],
    max_turns: int = ...,
    max_parallel: int = ...,
    approve: Approve | None = ...,
    **params: Any,
) -> Awaitable[ToolRun]: ...
def run_tools(
    client: AnyClient,
    *,
    model: str,
    messages: Iterable[MessageLike],
    tools: Iterable[ToolLike],
    max_turns: int = 16,
    max_parallel: int = 8,
    approve: Approve | None = None,
    **params: Any,
) -> ToolRun | Awaitable[ToolRun]:
    """A `ToolRun` once Kimi has answered without calling a tool; awaitable for an asynchronous client.

    `tools`: callables, plain or async, whose schema comes from signature (pydantic's types, `Annotated`) and docstring;
    `(definition, callable)` where you have the schema; `{"type": "builtin_function", "function": {"name":
    "$web_search"}}`, which runs at Kimi. The calls of one turn run at once, `max_parallel` of them, plain callables in
    threads. What a tool returns is sent as text, or as JSON; what it raises, an unknown name and arguments that do not
    fit are told to the model, which may try again. `approve` is asked before each call, one after the other.
    `tool_choice` other than "auto" holds for the first turn. `params`: as for `complete`.

    Raises `TooManyTurnsError` after `max_turns` answers (with `result`), and what `complete` raises, which then has the
    transcript as `messages`. Source: platform docs, tool calls and web search guides.
    """
    box = toolbox(tools)
    asked = {**params, "model": model, "tools": [tool.definition for tool in box.values()]}
    crew = Tasks if isinstance(client, openai.AsyncOpenAI) else Threads
    work = crew(box, approve, max_parallel)
    return run(client, _loop(client, [_plain(each) for each in messages], asked, work, max_turns))


def _loop(
    client: AnyClient, messages: list[Any], asked: Mapping[str, Any], work: Crew, max_turns: int
) -> Flow[ToolRun]:
    usages: list[Json | None] = []
    for turn in count(1):
        try:
            completion: ChatCompletion = yield complete(client, messages=messages, **asked)
        except openai.OpenAIError as error:
            cast(Any, error).messages = messages
            raise
        reply = reply_of(completion)
        usages.append(reply.usage)
        message = reply.message()
        calls = message["tool_calls"] = _with_own_ids(message.get("tool_calls") or [])
        if not calls:
            del message["tool_calls"]
        messages = [*messages, message]
        result = ToolRun(completion=completion, messages=messages, usage=sum_usage(usages), turns=turn)
        if not calls:
            return result
        if turn >= max_turns:
            raise TooManyTurnsError(result)
        messages = [*messages, *(yield work.run(calls, turn))]
        asked = {**asked, "tool_choice": "auto"} if asked.get("tool_choice") not in (None, "none") else asked
    raise AssertionError("unreachable")


def _plain(message: MessageLike) -> Any:
    return message if isinstance(message, Mapping) else replay_message(message)


def _with_own_ids(calls: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The calls with an id each: Kimi's, unless it is missing or another call of this turn has it."""
    seen: set[str] = set()
    for position, call in enumerate(calls):
        own = call.get("id") or f"{call['function']['name']}_{position}"
        while own in seen:
            own = f"{own}_{position}"
        seen.add(own)
        call["id"] = own
    return list(calls)
