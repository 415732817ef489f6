"""One bulk run from its files to its report: opens them, checks the requests, and lets the runner answer them."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai

from kimi_openai.limits.rates import Rates
from kimi_openai.retry.events import RetryEvent
from kimi_openai.usage.costs import price_list

from .answering import asker
from .errors import BulkStoppedError, InputError
from .index import Index, hash_of
from .ordering import put_in_order
from .output import OutputFile
from .plan import Estimate, Planner
from .progress import shown_progress
from .records import model_of, tokens_in
from .report import BulkReport, Progress
from .requests import Requests
from .runner import Runner
from .spending import Spending

__all__ = ["Job", "Shown"]

TASKS = 100
"""Lines that are answered at once if neither the caller nor the limits say how many."""

Shown = bool | Callable[[Progress], object]


@dataclass(slots=True)
class Job:
    """What `bulk` was asked to do; it documents the fields."""

    client: Any
    requests: Requests
    output: Path
    errors: Path
    budget: Decimal | None
    is_ordered: bool
    retries_failed: bool
    concurrency: int | None
    max_parts: int
    progress: Shown
    confirm: Callable[[Estimate], bool] | None
    _runner: Runner | None = field(default=None, init=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _interrupts: int = field(default=0, init=False)

    async def run(self) -> BulkReport:
        """Do it. Raises as `bulk` says."""
        self._loop = asyncio.get_running_loop()
        with ExitStack() as files:
            output, errors = (_opened(files, path) for path in (self.output, self.errors))
            if self.retries_failed:
                errors.clear()
            prices = price_list(self.client)
            spending = Spending(prices, self.budget, self.max_parts)
            done = _read_done(output, errors, spending)
            estimate = self._plan(done)
            resumed = estimate.total - estimate.left
            show = files.enter_context(shown_progress(self.progress))
            runner = self._runner = Runner(
                iter(self.requests), done, output, errors, spending, estimate.total, resumed, show
            )
            if self.confirm is not None and estimate.left and not self.confirm(estimate):
                runner.stop("not confirmed; nothing was sent")
            with self._executor() as executor, _interruptible(self.interrupt):
                ask = asker(self._counting(runner), executor, max_parts=self.max_parts)
                await self._run(runner, ask)
            if self.is_ordered and not runner.stopped:
                put_in_order(output, self.requests)
        report = self._report(runner)
        if self._interrupts:
            raise KeyboardInterrupt(str(report))
        if runner.cause is not None:
            raise BulkStoppedError(runner.stopped, report) from runner.cause
        return report

    def interrupt(self) -> None:
        """Finish what is being answered; the second time, do not."""
        self._interrupts += 1
        runner, loop = self._runner, self._loop
        if runner is not None and loop is not None:
            act = (lambda: runner.stop("interrupted")) if self._interrupts == 1 else runner.cancel
            loop.call_soon_threadsafe(act)

    async def _run(self, runner: Runner, ask: Any) -> None:
        try:
            await runner.run(ask, self._tasks(runner))
        except OSError:
            if runner.cause is None:
                raise
        except asyncio.CancelledError:
            if self._interrupts < 2:
                raise

    def _tasks(self, runner: Runner) -> int:
        wanted = self.concurrency or self._rates().concurrency or TASKS
        return max(1, min(wanted, runner.total - runner.resumed))

    def _plan(self, done: Index) -> Estimate:
        options = getattr(self.client, "kimi_options", None)
        is_adapted = options is not None and options.compat != "off"
        aliases = options.model_aliases if options is not None else None
        planner = Planner(done, price_list(self.client), self._rates(), aliases, is_adapted)
        estimate = planner.check(self.requests)
        if self.budget is not None and estimate.cost is None:
            raise InputError([f"no price is known for {', '.join(estimate.models)}, so no budget can be kept"])
        return estimate

    def _rates(self) -> Rates:
        limits = getattr(getattr(self.client, "kimi_options", None), "limits", None)
        return Rates() if limits is None else limits.rates

    @contextmanager
    def _executor(self) -> Generator[ThreadPoolExecutor | None, None, None]:
        """Threads for the calls of a synchronous client. Those that still wait when it ends are not waited for."""
        if isinstance(self.client, openai.AsyncOpenAI):
            yield None
            return
        pool = ThreadPoolExecutor(self.concurrency or self._rates().concurrency or TASKS, "kimi-bulk")
        try:
            yield pool
        finally:
            pool.shutdown(wait=self._interrupts < 2, cancel_futures=True)

    def _counting(self, runner: Runner) -> Any:
        """A copy of the client that reports its retries to the runner too."""
        options = getattr(self.client, "kimi_options", None)
        if options is None:
            return self.client
        own = options.on_retry

        def on_retry(event: RetryEvent) -> None:
            runner.count_retry(event)
            if own is not None:
                own(event)

        return self.client.with_options(on_retry=on_retry)

    def _report(self, runner: Runner) -> BulkReport:
        numbers: dict[str, Any] = {**asdict(runner.progress()), "tokens": runner.spending.tokens}
        return BulkReport(**numbers, output=str(self.output), errors=str(self.errors), stopped=runner.stopped)


def _opened(files: ExitStack, path: Path) -> OutputFile:
    file = OutputFile(path)
    files.callback(file.close)
    return file


def _read_done(output: OutputFile, errors: OutputFile, spending: Spending) -> Index:
    """The requests that are answered or failed; what the answers cost is counted."""
    done = Index()
    for file in (errors, output):
        for _, record in file.records():
            done.add(hash_of(record["custom_id"]), int(record.get("fingerprint") or "0", 16))
            spending.add(model_of(record), tokens_in(record))
    done.sort()
    return done


@contextmanager
def _interruptible(interrupt: Callable[[], None]) -> Generator[None, None, None]:
    """In the main thread, let Ctrl-C call `interrupt` while the `with` block runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(*_: object) -> None:
        interrupt()

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
