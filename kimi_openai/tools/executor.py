"""Runs the calls of a turn: in threads for a synchronous client, in tasks for an asynchronous one.

Threads are daemons, so one that never ends does not keep the interpreter alive. Whatever a call raises becomes the text
of its result, except `KeyboardInterrupt`. `turn` decides which calls run, and when one is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Awaitable, Callable
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, cast

from .results import error_text, result_text
from .turn import Approve, BoundCall, ToolCall

__all__ = ["TaskExecutor", "ThreadExecutor"]

LONGEST_WAIT = 3600.0
"""Seconds of one wait for a thread; the lock of the queue takes no endless number."""

GRACE = 1.0
"""Seconds that cancelled tasks get to clean up before the caller's own cancellation goes on."""

Value = TypeVar("Value")
Found = str | KeyboardInterrupt | Awaitable[Any]
"""What a call has come to: a text, the interrupt of the user, or something to await."""


def _result(call: BoundCall) -> Found:
    """The text of a call's result, or the result itself if it must be awaited."""
    try:
        value = call.run()
        return value if isawaitable(value) else result_text(value)
    except KeyboardInterrupt as error:
        return error
    except BaseException as error:
        return error_text(error)


async def _awaited_result(value: Awaitable[Any]) -> str | KeyboardInterrupt:
    """The text of a result that must be awaited."""
    try:
        return result_text(await value)
    except KeyboardInterrupt as error:
        return error
    except BaseException as error:  # `CancelledError` too: the tool may have raised it
        return error_text(error)


def _start_thread(function: Callable[[], object]) -> None:
    """Runs the function in a daemon thread, with the context variables of the caller."""
    context = contextvars.copy_context()
    threading.Thread(target=lambda: context.run(function), name="kimi-tool", daemon=True).start()


class ThreadExecutor:
    """Runs each call in a thread, and a call that is alone in the thread of the caller."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._ended: SimpleQueue[KeyboardInterrupt | None] = SimpleQueue()

    def decide(self, approve: Approve, call: ToolCall) -> bool | str:
        """What the hook returns, awaited."""
        decision = approve(call)
        return run_awaitable(decision) if isawaitable(decision) else decision

    def start(self, _: int, call: BoundCall, end: Callable[[str], None], is_alone: bool, /) -> None:
        """Begins a call, or runs it if it is alone."""

        def work() -> None:
            value = _result(call)
            found = run_awaitable(_within(self._timeout, _awaited_result(value))) if isawaitable(value) else value
            if isinstance(found, str):
                end(found)
            self._ended.put(found if isinstance(found, KeyboardInterrupt) else None)

        if is_alone:
            work()
        else:
            _start_thread(work)

    def wait(self, seconds: float | None) -> None:
        """Returns when a call has ended, or after so many seconds at most."""
        with contextlib.suppress(Empty):
            interrupt = self._ended.get(timeout=None if seconds is None else min(seconds, LONGEST_WAIT))
            if interrupt is not None:
                raise interrupt

    def give_up(self, _: int, /) -> None:
        """A thread cannot be ended."""

    def close(self) -> None:
        """A thread cannot be ended."""


def run_awaitable(value: Awaitable[Value]) -> Value:
    """The value, awaited in another thread, since an event loop may run in this one (notebooks)."""
    outcomes: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    async def outcome() -> tuple[Any, BaseException | None]:
        try:
            return await value, None
        except BaseException as error:
            return None, error

    def work() -> None:
        try:
            outcomes.put(asyncio.run(outcome()))
        except BaseException as error:
            outcomes.put((None, error))

    _start_thread(work)
    result, error = outcomes.get()
    if error is not None:
        raise error
    return cast(Value, result)


async def _within(seconds: float | None, result: Awaitable[Value]) -> Value | None:
    """The result, or `None` if it was cancelled after so many seconds: `turn` writes the text of such a call."""
    task = asyncio.ensure_future(result)
    ended, _ = await asyncio.wait({task}, timeout=seconds)
    task.cancel()  # without effect if it has ended
    found = await task
    return found if ended else None


class TaskExecutor:
    """Runs each call in a task of the running event loop, and plain functions in threads."""

    def __init__(self) -> None:
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._interrupt: KeyboardInterrupt | None = None

    async def decide(self, approve: Approve, call: ToolCall) -> bool | str:
        """What the hook returns, awaited."""
        decision = approve(call)
        return await decision if isawaitable(decision) else decision

    def start(self, position: int, call: BoundCall, end: Callable[[str], None], _: bool, /) -> None:
        """Begins a call."""

        async def work() -> None:
            try:
                found = _result(call) if iscoroutinefunction(call.function) else await _in_thread(call)
                if not isinstance(found, str | KeyboardInterrupt):
                    found = await _awaited_result(found)
            except BaseException as error:  # the task is cancelled, or no thread can be started
                found = error_text(error)
            if isinstance(found, KeyboardInterrupt):
                self._interrupt = found
            elif position in self._tasks:  # not given up
                end(found)

        self._tasks[position] = asyncio.get_running_loop().create_task(work(), name="kimi-tool")

    async def wait(self, seconds: float | None) -> None:
        """Returns when a call has ended, or after so many seconds. Cancels the calls if the caller is cancelled."""
        try:
            ended, _ = await asyncio.wait(self._tasks.values(), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            tasks = [*self._tasks.values()]
            self.close()
            await asyncio.wait(tasks, timeout=GRACE)
            raise
        self._tasks = {position: task for position, task in self._tasks.items() if task not in ended}
        if self._interrupt is not None:
            raise self._interrupt

    def give_up(self, position: int, /) -> None:
        """Cancels a call. A plain function continues in its thread."""
        task = self._tasks.pop(position)
        _cancelled.add(task)
        task.add_done_callback(_cancelled.discard)
        task.cancel()

    def close(self) -> None:
        """Cancels every call."""
        for position in [*self._tasks]:
            self.give_up(position)


_cancelled: set[asyncio.Task[None]] = set()
"""Tasks that are cancelled and have not ended; the event loop itself holds no reference to a task."""


async def _in_thread(call: BoundCall) -> Found:
    """`_result` of a call in a thread."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Found] = loop.create_future()

    def deliver(found: Found) -> None:
        if not future.done():
            future.set_result(found)
        elif iscoroutine(found):
            found.close()

    def work() -> None:
        found = _result(call)
        try:
            loop.call_soon_threadsafe(deliver, found)
        except RuntimeError:  # the loop is closed
            if iscoroutine(found):
                found.close()

    _start_thread(work)
    return await future
