"""Asking in a task of the event loop, or in a thread of its own for a synchronous client."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any

from .clients import outcome
from .plans import Plan
from .watch import RUN
from .ways import Way

__all__ = ["Asked", "Work", "closed", "in_task", "in_thread"]


@dataclass
class Asked:
    """What came of asking: `value` or `error`, after so many seconds."""

    value: Any = None
    error: BaseException | None = None
    seconds: float = 0.0


@dataclass
class Work:
    """The future of a result, and the id of the thread that works for it; None for a task."""

    future: asyncio.Future[Asked]
    thread: int | None = None

    def done(self) -> bool:
        """Whether there is a result."""
        return self.future.done()


def in_task(way: Way, client: Any, plan: Plan) -> Work:
    """Ask in a task, which is not made by the loop's factory: it is not one that the client may leave."""

    async def ask() -> Asked:
        RUN.set(plan.seed)
        started = time.monotonic()
        try:
            return Asked(await way.ask(client, plan), None, time.monotonic() - started)
        except (Exception, asyncio.CancelledError, GeneratorExit) as error:
            return Asked(None, error, time.monotonic() - started)

    return Work(asyncio.Task(ask(), loop=asyncio.get_running_loop()))


def in_thread(way: Way, client: Any, plan: Plan) -> Work:
    """Ask in a thread."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Asked] = loop.create_future()

    def ask() -> None:
        RUN.set(plan.seed)
        started = time.monotonic()
        try:
            asked = Asked(outcome(way.ask(client, plan)), None, time.monotonic() - started)
        except BaseException as error:
            asked = Asked(None, error, time.monotonic() - started)
        loop.call_soon_threadsafe(_set, future, asked)

    thread = threading.Thread(target=ask, name=f"chaos-run-{plan.seed}", daemon=True)
    thread.start()
    return Work(future, thread.ident)


def _set(future: asyncio.Future[Asked], asked: Asked) -> None:
    if not future.done():
        future.set_result(asked)


async def closed(client: Any, seed: int) -> None:
    """Close a client of either kind."""
    RUN.set(seed)
    if iscoroutinefunction(client.close):
        await client.close()
    else:
        await asyncio.to_thread(client.close)
