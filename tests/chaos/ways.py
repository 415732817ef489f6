"""The ways of asking, each as one coroutine function for both kinds of client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kimi_openai import complete, estimate_tokens, extract_text, get_balance, list_models, run_tools, stream

from . import judges
from .clients import Both, each, now
from .plans import Plan
from .wire import Answer

__all__ = ["WAYS", "Way"]

ASK: Any = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}


@dataclass(frozen=True)
class Way:
    """`ask` takes a client and a plan. `judge` takes the plan, the value of `ask` and the server's answers, and returns
    what is wrong, "" if nothing is. `calls` is the number of calls that it makes, each with the client's patience."""

    ask: Callable[[Any, Plan], Awaitable[Any]]
    judge: Callable[[Plan, Any, Sequence[Answer]], str]
    calls: int = 1


async def _create(client: Any, _: Plan) -> Any:
    return await now(client.chat.completions.create(**ASK))


async def _create_stream(client: Any, plan: Plan) -> Any:
    usage: Any = {"stream_options": {"include_usage": True}} if plan.asks_for_usage else {}
    chunks = await now(client.chat.completions.create(**ASK, **usage, stream=True))
    return [chunk async for chunk in each(chunks)]


async def _complete(client: Any, _: Plan) -> Any:
    return await now(complete(client, **ASK))


async def _stream(client: Any, _: Plan) -> Any:
    """What a user has who adds up the events and starts anew at `restarted`; and the completion."""
    answer: Any = stream(client, **ASK)
    async with Both(answer):
        told = {"content.delta": "", "reasoning.delta": ""}
        async for event in each(answer):
            if event.type == "restarted":
                told = dict.fromkeys(told, "")
            elif event.type in told:
                told[event.type] += event.delta
        return told, await now(answer.get_final_completion())


def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


def shout(word: str) -> str:
    """Shouts."""
    return f"{word.upper()}!"


async def _run_tools(client: Any, _: Plan) -> Any:
    return await now(run_tools(client, **ASK, tools=[add, shout], max_turns=4))


async def _get_balance(client: Any, _: Plan) -> Any:
    return await now(get_balance(client))


async def _list_models(client: Any, _: Plan) -> Any:
    return await now(list_models(client))


async def _estimate_tokens(client: Any, _: Plan) -> Any:
    return await now(estimate_tokens(client, **ASK))


async def _extract_text(client: Any, plan: Plan) -> Any:
    return await now(extract_text(client, plan.document, filename="note.txt"))


WAYS: Mapping[str, Way] = {
    "create": Way(_create, judges.create),
    "create(stream)": Way(_create_stream, judges.create_stream),
    "stream": Way(_stream, judges.stream),
    "complete": Way(_complete, judges.complete),
    "run_tools": Way(_run_tools, judges.run_tools, calls=2),
    "get_balance": Way(_get_balance, judges.balance),
    "list_models": Way(_list_models, judges.models),
    "estimate_tokens": Way(_estimate_tokens, judges.estimate),
    "extract_text": Way(_extract_text, judges.extracted, calls=3),
}
