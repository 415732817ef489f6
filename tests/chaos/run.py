"""Runs many plans at once, each from an open port to a closed client, and writes down what is wrong.

A run is wrong if it takes longer than the patience of its client, raises anything but an `openai.OpenAIError`, delivers
what the server did not mean, or leaves something open.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import openai

from kimi_openai.emulator import Emulator, call, say, think, usage

from .clients import client_of
from .plans import KEY, UNIT, Plan
from .proxy import Proxy
from .results import Chaos, Result
from .shapes import meant_now
from .watch import Heartbeat, Watch, open_sockets, settled, stack_of_error, stack_of_thread, watching
from .ways import WAYS, Way
from .work import Asked, Work, closed, in_task, in_thread

__all__ = ["run_all"]

AT_ONCE = 50
GRACE = 1.5
"""Seconds that a run may take beyond its patience."""

ENDED_AFTER = 1.0
"""Seconds after which a run that hangs is ended."""

LATE = 0.2
"""Seconds of standstill of this machine that excuse a run without an answer."""

STANDS_STILL = 1.0
"""Seconds without a turn of the event loop that are too many."""

UNBOUNDED: frozenset[str] = frozenset()
"""Ways of asking that by their documentation may take longer than patience: the pauses of the proxy are allowed too."""


FIRST = [
    Plan(-1 - number, "create", is_async, transport, upstream="shapes")
    for number, (is_async, transport) in enumerate(
        [(False, "default"), (False, "httpx"), (True, "default"), (True, "httpx"), (True, "aiohttp")]
    )
]
"""Runs that nobody judges: the first call of each kind of client imports modules, and the event loop stands still."""


def run_all(plans: Iterable[Plan], ways: Mapping[str, Way] = WAYS, *, at_once: int = AT_ONCE) -> Chaos:
    """Run the plans, `at_once` of them at a time, against an emulator and a server of shapes started for them."""
    plans = list(plans)
    by_seed = {plan.seed: plan for plan in (*plans, *FIRST)}
    started = time.monotonic()
    with Emulator(api_key=KEY, balance=1_000_000) as kimi, Proxy(kimi.port, by_seed.__getitem__) as proxy:
        kimi.reply = lambda request: _script(by_seed[int(request.headers["x-chaos-run"])], request.json)
        with Heartbeat() as heartbeat:
            _Run(proxy, Watch(), heartbeat, WAYS).all(FIRST, at_once)
            sockets, threads = open_sockets(), set(threading.enumerate())
            with watching() as watch:
                run = _Run(proxy, watch, heartbeat, ways)
                results = run.all(plans, at_once)
                leaks = _left_at_the_end(watch, sockets, threads)
            leaks += [("noise", text) for text in watch.noises]
    return Chaos(results, leaks, time.monotonic() - started)


def _script(plan: Plan, body: Any) -> list[Any]:
    meant = meant_now(plan, body)
    calls = [call(name, arguments) for name, arguments in meant.calls]
    numbers = {name: UNIT[name] for name in ("prompt_tokens", "completion_tokens")}
    return [think(meant.reasoning), *([say(meant.text)] if meant.text else []), *calls, usage(**numbers)]


def _left_at_the_end(watch: Watch, sockets: int | None, threads: set[threading.Thread]) -> list[tuple[str, str]]:
    until = time.monotonic() + 2
    while time.monotonic() < until:
        now, others = open_sockets(), set(threading.enumerate()) - threads
        if (now is None or sockets is None or now <= sockets) and not others:
            return []
        time.sleep(0.02)
    known = sum(len(watch.left(seed)["socket"]) for seed in watch.sockets)
    leaks = [("thread", f"at the end: {thread.name}") for thread in others]
    more = (now or 0) - (sockets or 0) - known
    return leaks + ([("socket", f"{more} at the end, of no run")] if more > 0 else [])


class _Run:
    """Runs plans in one event loop, those of synchronous clients in a thread each."""

    def __init__(self, proxy: Proxy, watch: Watch, heartbeat: Heartbeat, ways: Mapping[str, Way]) -> None:
        self.proxy, self.watch, self.heartbeat, self.ways = proxy, watch, heartbeat, ways

    def all(self, plans: Sequence[Plan], at_once: int) -> list[Result]:
        """The results, in the order of the plans."""
        loop = asyncio.new_event_loop()
        loop.set_task_factory(self.watch.task_factory)
        loop.set_exception_handler(self.watch.exception_handler)
        try:
            return loop.run_until_complete(self._all(plans, asyncio.Semaphore(at_once)))
        finally:
            gc.collect()  # exceptions that were never retrieved are reported to a loop that is still open
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0.05))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    async def _all(self, plans: Sequence[Plan], limit: asyncio.Semaphore) -> list[Result]:
        async def one(plan: Plan) -> Result:
            async with limit:
                return await self._one(plan)

        ticking = asyncio.get_running_loop().create_task(self._tick())
        results = list(await asyncio.gather(*map(one, plans)))
        ticking.cancel()
        return results

    async def _tick(self) -> None:
        """Note if the event loop stands still because something in it does not yield."""
        while True:
            before, late = time.monotonic(), self.heartbeat.late
            await asyncio.sleep(0.05)
            still = time.monotonic() - before - (self.heartbeat.late - late)
            if still > STANDS_STILL:
                self.watch.noise(f"the event loop stood still for {still:.1f} s")

    async def _one(self, plan: Plan) -> Result:
        passage = await self.proxy.open(plan)
        result = Result(plan, passage)
        try:
            client = client_of(plan, passage.port)
            for _ in range(plan.asks):
                if not await self._ask(client, result):
                    break
            await self._close(client, result)
            del client
            await settled(lambda: not any(self.watch.left(plan.seed).values()))
            for kind, left in self.watch.left(plan.seed).items():
                for text in left:
                    result.find(kind, text)
        finally:
            await self.proxy.run(passage.close())
        if passage.trouble:
            result.find("harness", passage.trouble)
        return result

    # Asking --------------------------------------------------------------------------------------------------------

    async def _ask(self, client: Any, result: Result) -> bool:
        """Ask once, and judge. Returns whether it ended by itself."""
        plan, way = result.plan, self.ways[result.plan.way]
        work = in_task(way, client, plan) if plan.is_async else in_thread(way, client, plan)
        started = time.monotonic()
        late = result.late = self.heartbeat.late

        def allowed() -> float:
            own = result.passage.seconds if plan.way in UNBOUNDED else 0.0
            return plan.patience * way.calls + GRACE + own + self.heartbeat.late - late

        while not work.done() and (left := started + allowed() + ENDED_AFTER - time.monotonic()) > 0:
            await asyncio.wait([work.future], timeout=left)
        if work.done():
            asked = work.future.result()
            result.seconds += asked.seconds
            if asked.seconds > allowed():
                result.find("hang", f"it took {asked.seconds:.1f} s, patience {plan.patience:g}")
            self._judge(asked, result)
            return True
        seconds = time.monotonic() - started
        result.seconds += seconds
        result.ends.append("hang")
        where = await self._end(work, result)
        result.find("hang", f"ended after {seconds:.1f} s, patience {plan.patience:g}, in {where}")
        return False

    async def _end(self, work: Work, result: Result) -> str:
        """End what hangs, a task by cancelling it, a thread by resetting its connections. Returns where it was."""
        where = "" if work.thread is None else stack_of_thread(work.thread)
        if work.thread is None:
            work.future.cancel()
            await asyncio.wait([work.future], timeout=2)
        if not work.done():
            await self.proxy.run(result.passage.cut())
            await asyncio.wait([work.future], timeout=5)
        if not work.done():
            return f"what cannot be ended {where}"
        error = work.future.result().error
        return where or (stack_of_error(error) if error else "what gave an answer when it was cancelled")

    async def _close(self, client: Any, result: Result) -> None:
        try:
            await asyncio.wait_for(closed(client, result.plan.seed), 3)
        except asyncio.TimeoutError:
            result.find("hang", "close() takes longer than 3 s")
        except Exception as error:
            result.find("foreign", f"from close(): {_tail(error)}")

    # Judging -------------------------------------------------------------------------------------------------------

    def _judge(self, asked: Asked, result: Result) -> None:
        error = asked.error
        if error is None:
            result.ends.append("answer")
            self._judge_value(asked.value, result)
            return
        result.ends.append(type(error).__name__)
        result.trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        if not isinstance(error, openai.OpenAIError):
            result.find("foreign", _tail(error))
        elif result.passage.is_harmless and self.heartbeat.late - result.late < LATE:
            result.find("needless", f"{type(error).__name__}: {str(error)[:200]}")
        if KEY in result.trace or KEY in repr(error):
            result.find("key", f"in {type(error).__name__}")

    def _judge_value(self, value: Any, result: Result) -> None:
        try:
            wrong = self.ways[result.plan.way].judge(result.plan, value, result.passage.answers)
        except Exception as error:
            wrong = f"it cannot be read: {type(error).__name__}: {error}"
        if wrong:
            result.find("untrue", wrong)


def _tail(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__name__}: {str(error)[:120]!r} at {stack_of_error(error)}"
