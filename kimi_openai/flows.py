"""One path for sync and async.

A flow is a generator that yields what a client's method returned, plain or awaitable, and gets the value back; `run`
drives it in the way of the client that it is for. Errors reach the flow where it yields, so its `try` and `finally`
hold for both.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

import openai

__all__ = ["AnyClient", "Flow", "run"]

Result = TypeVar("Result")
Flow = Generator[Any, Any, Result]
AnyClient = openai.OpenAI | openai.AsyncOpenAI


def run(client: AnyClient, flow: Flow[Result]) -> Result | Coroutine[Any, Any, Result]:
    """The result of `flow`, or a coroutine of it if `client` is asynchronous."""
    return _await_each(flow) if isinstance(client, openai.AsyncOpenAI) else _hand_back_each(flow)


def _hand_back_each(flow: Flow[Result]) -> Result:
    try:
        value = next(flow)
        while True:
            value = flow.send(value)
    except StopIteration as end:
        result: Result = end.value
        return result


async def _await_each(flow: Flow[Result]) -> Result:
    try:
        step = next(flow)
        while True:
            try:
                value = await step
            except BaseException as error:  # noqa: PERF203 - a cancelled step reaches the flow's `finally` too
                step = flow.throw(error)
            else:
                step = flow.send(value)
    except StopIteration as end:
        result: Result = end.value
        return result
