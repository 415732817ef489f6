"""Runs the calls of one turn, each in its own thread or task, and makes a message of what came out.

Nothing that a call does gets out as an exception: what it raises, arguments that do not fit and a call that was not
allowed are told to the model.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Protocol

from .toolbox import BadArguments, Tool, result_text, tool_message

__all__ = ["Approve", "Crew", "Tasks", "Threads", "ToolCall"]

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that waits for approval: its arguments fit. `turn` counts from 1; `id` is unique within its turn only."""

    name: str
    arguments: Json
    id: str
    turn: int


Approve = Callable[[ToolCall], "bool | str | Awaitable[bool | str]"]
"""True lets a call run; False or a text refuses it, and the text is what Kimi is told."""


@dataclass(frozen=True, slots=True)
class Job:
    """A call that can run: `function` with `bound` arguments; a builtin gives its arguments back as they came."""

    call: ToolCall
    function: Callable[..., Any]
    bound: inspect.BoundArguments

    def start(self) -> Any:
        """What the function gives, which may be awaitable."""
        return self.function(*self.bound.args, **self.bound.kwargs)


class Crew(Protocol):
    """Who runs the calls of a turn."""

    def run(self, calls: Sequence[Json], turn: int) -> Any:
        """The messages that answer `calls`, in their order; awaitable where the client is asynchronous."""


class _AnyCrew:
    def __init__(self, box: Mapping[str, Tool], approve: Approve | None, max_parallel: int) -> None:
        if max_parallel < 1:
            raise ValueError(f"max_parallel is {max_parallel}; it is a number of calls from 1 up")
        self.box, self.approve, self.max_parallel = box, approve, max_parallel

    def job_of(self, call: Json, turn: int) -> Job | str:
        """The job of a call, or why there is none."""
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        tool = self.box.get(name)
        if tool is None:
            return f"Error: there is no tool named {name!r}; there are: {', '.join(self.box)}"
        try:
            bound = tool.bind(arguments)
        except BadArguments as error:
            return f"Error: the arguments do not fit: {error}"
        waiting = ToolCall(name, json.loads(arguments or "{}"), call["id"], turn)
        return Job(waiting, tool.run or _echo(arguments), bound)


class Threads(_AnyCrew):
    """Runs the calls of a turn in threads; a single plain one where it is."""

    def run(self, calls: Sequence[Json], turn: int) -> list[dict[str, Any]]:
        """The messages that answer `calls`."""
        jobs = [self._approved(self.job_of(call, turn)) for call in calls]
        if len(jobs) == 1:
            results = [_result(jobs[0])]
        else:
            with ThreadPoolExecutor(self.max_parallel, "kimi-tool") as pool:
                running = [pool.submit(contextvars.copy_context().run, _result, job) for job in jobs]
                results = [each.result() for each in running]
        return [tool_message(call, result) for call, result in zip(calls, results, strict=True)]

    def _approved(self, job: Job | str) -> Job | str:
        if isinstance(job, str) or self.approve is None:
            return job
        said = self.approve(job.call)
        return _judged(job, _settled(said))


class Tasks(_AnyCrew):
    """Runs the calls of a turn in tasks, plain callables in threads."""

    async def run(self, calls: Sequence[Json], turn: int) -> list[dict[str, Any]]:
        """The messages that answer `calls`."""
        jobs = [await self._approved(self.job_of(call, turn)) for call in calls]
        limit = asyncio.Semaphore(self.max_parallel)
        results = await asyncio.gather(*(_result_async(job, limit) for job in jobs))
        return [tool_message(call, result) for call, result in zip(calls, results, strict=True)]

    async def _approved(self, job: Job | str) -> Job | str:
        if isinstance(job, str) or self.approve is None:
            return job
        said = self.approve(job.call)
        return _judged(job, await said if isawaitable(said) else said)


def _echo(arguments: str) -> Callable[..., str]:
    def run(**_: object) -> str:
        return arguments

    return run


def _judged(job: Job, said: bool | str) -> Job | str:
    return job if said is True else f"Error: the call was not allowed{f': {said}' if said else ''}"


def _settled(value: Any) -> Any:
    """A value, awaited if it must be: in a thread of its own, since a loop may run here (in a notebook)."""
    if not isawaitable(value):
        return value
    with ThreadPoolExecutor(1, "kimi-tool") as pool:
        return pool.submit(contextvars.copy_context().run, asyncio.run, _awaited(value)).result()


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value


def _result(job: Job | str) -> str:
    if isinstance(job, str):
        return job
    try:
        value = job.start()
        return result_text(_settled(value))
    except Exception as error:
        return _told(error)


async def _result_async(job: Job | str, limit: asyncio.Semaphore) -> str:
    if isinstance(job, str):
        return job
    async with limit:
        try:
            is_async = inspect.iscoroutinefunction(job.function)
            value = job.start() if is_async else await asyncio.to_thread(job.start)
            return result_text(await value if isawaitable(value) else value)
        except Exception as error:
            return _told(error)


def _told(error: Exception) -> str:
    return f"Error: {type(error).__name__}: {error}"
