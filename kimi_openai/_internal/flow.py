"""One implementation for synchronous and asynchronous clients.

A flow is a generator that calls a client's methods, yields what they return (a value or an awaitable), and gets the
value back. `run` drives it: at once for a synchronous client, as a coroutine for an asynchronous one. Errors are raised
where the flow yields, so its `try` and `finally` work for both.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

import openai

__all__ = ["AnyClient", "Flow", "run", "run_async", "run_now"]

Result = TypeVar("Result")
Flow = Generator[Any, Any, Result]
AnyClient = openai.OpenAI | openai.AsyncOpenAI


def run(client: AnyClient, flow: Flow[Result]) -> Result | Coroutine[Any, Any, Result]:
    """The result of `flow`, or a coroutine of it if `client` is asynchronous."""
    return run_async(flow) if isinstance(client, openai.AsyncOpenAI) else run_now(flow)


def run_now(flow: Flow[Result]) -> Result:
    """The result of a flow over synchronous methods."""
    try:
        value = next(flow)
        while True:
            value = flow.send(value)
    except StopIteration as end:
        result: Result = end.value
        return result


async def run_async(flow: Flow[Result]) -> Result:
    """The result of a flow over asynchronous methods."""
    try:
        step = next(flow)
        while True:
            try:
                value = await step
            except BaseException as error:  # noqa: PERF203 - cancellation too must reach the flow's `finally`
                step = flow.throw(error)
            else:
                step = flow.send(value)
    except StopIteration as end:
        result: Result = end.value
        return result
