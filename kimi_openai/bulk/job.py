"""One bulk run from its files to its report: opens them, checks the requests, and lets an engine have them answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal

import openai

from kimi_openai.client.batches import CompletionWindow
from kimi_openai.limits.rates import Rates
from kimi_openai.retry.events import RetryEvent
from kimi_openai.usage.costs import price_list

from .answering import asker
from .batches.engine import BatchEngine
from .batches.splitting import Splitter
from .copies import Copies
from .errors import BulkStoppedError, InputError
from .estimate import Estimate
from .files import Files, opened
from .index import Index
from .interrupts import interruptible, raise_interrupt
from .ordering import put_in_order
from .plan import Planner, adapter
from .progress import shown_progress
from .report import BulkReport, Progress
from .requests import Request, Requests
from .rows import Rows
from .runner import Runner
from .spending import Spending

__all__ = ["Engine", "Job", "Shown"]

TASKS = 100
"""Lines that are answered at once if neither the caller nor the limits say how many."""

Shown = bool | Callable[[Progress], object]
Engine = Literal["live", "batch"]


@dataclass(slots=True)
class Job:
    """What `bulk` was asked to do; it documents the fields."""

    client: Any
    requests: Requests
    output: Path
    errors: Path
    engine: Engine
    window: CompletionWindow
    deletes_files: bool
    budget: Decimal | None
    is_ordered: bool
    has_copies: bool
    retries_failed: bool
    concurrency: int | None
    max_parts: int
    patience: float | None
    progress: Shown
    confirm: Callable[[Estimate], bool] | None
    _runner: Runner | None = field(default=None, init=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _interrupts: int = field(default=0, init=False)

    async def run(self) -> BulkReport:
        """Do it. Raises as `bulk` says."""
        self._loop = asyncio.get_running_loop()
        self.requests = replace(self.requests, rows=partial(self._rows, self.requests.rows))
        with (
            opened(self.output, self.errors, engine=self.engine) as files,
            shown_progress(self.progress) as show,
            interruptible(self.interrupt),
        ):
            prices = price_list(self.client)
            spending = Spending(prices, self.budget, self.max_parts, self._aliases, is_batch=self.engine == "batch")
            done = files.read(spending, retries_failed=self.retries_failed)
            copies = self._copies(files, done)
            estimate = self._plan(files, done, spending, copies)
            resumed = estimate.total - estimate.left - estimate.in_batches
            asked = self.requests if copies is None else copies
            numbers = (spending, estimate.total, resumed, show)
            runner = self._runner = Runner(iter(asked), done, files.output, files.errors, *numbers)
            runner.has_one_model, runner.resumed_failures = len(estimate.models) == 1, estimate.failed
            if not self._is_confirmed(estimate):
                runner.stop("not confirmed; nothing was sent")
            if self._interrupts:
                runner.stop("interrupted")
            with self._executor() as executor:
                await self._until_done(self._work(runner, executor, files, asked))
            if copies is not None and runner.cause is None:
                runner.answered += copies.write(files.output, files.done())
                runner.failed += copies.write(files.errors, files.done())
            with suppress(OSError):  # such as a full disk; the next run does it
                files.tidy()
            if self.is_ordered and not runner.stopped:
                self._put_in_order(files, runner)
        report = self._report(runner)
        if self._interrupts:
            raise KeyboardInterrupt(str(report))
        if runner.cause is not None:
            raise BulkStoppedError(runner.stopped, report) from runner.cause
        return report

    def interrupt(self) -> None:
        """End the run after the lines that are being answered; when called again, at once."""
        self._interrupts += 1
        runner, loop = self._runner, self._loop
        if runner is not None and loop is not None:
            act = (lambda: runner.stop("interrupted")) if self._interrupts == 1 else runner.cancel
            loop.call_soon_threadsafe(act)

    def _put_in_order(self, files: Files, runner: Runner) -> None:
        try:
            put_in_order(files.output, self.requests)
        except OSError as error:  # such as a full disk
            runner.stop(f"{self.output} has all answers, and cannot be put in order ({error.strerror})", error)

    def _rows(self, rows: Callable[[], Rows]) -> Rows:
        """The rows of the input. Ctrl-C while they are checked ends the run at once."""
        for row in rows():
            if self._interrupts and self._runner is None:
                raise KeyboardInterrupt("interrupted while the input was checked; nothing was sent")
            yield row

    def _is_confirmed(self, estimate: Estimate) -> bool:
        if self.confirm is None or not estimate.left:
            return True
        with interruptible(raise_interrupt):  # it may wait for somebody at a terminal
            return bool(self.confirm(estimate))

    def _work(
        self, runner: Runner, executor: Executor | None, files: Files, asked: Iterable[Request]
    ) -> Coroutine[Any, Any, None]:
        client = self._counting(runner)
        if self.engine == "live":
            return runner.run(asker(client, executor, max_parts=self.max_parts), self._tasks(runner))
        splitter = Splitter(client, files.folder, runner.spending, self.window)
        engine = BatchEngine(client, executor, self.deletes_files, runner, splitter, asked, files.done, files.parts)
        return runner.report_on([engine.run()])

    async def _until_done(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except OSError:
            if self._runner is None or self._runner.cause is None:
                raise
        except asyncio.CancelledError:
            if self._interrupts < 2:
                raise

    def _tasks(self, runner: Runner) -> int:
        wanted = self.concurrency or self._rates.concurrency or TASKS
        return max(1, min(wanted, runner.total - runner.resumed))

    def _copies(self, files: Files, done: Index) -> Copies | None:
        if not self.has_copies:
            return None
        copies = Copies(self.requests, adapter(self._aliases, is_adapted=self._is_adapted))
        copies.read(done, files.in_batches())
        return copies

    def _plan(self, files: Files, done: Index, spending: Spending, copies: Copies | None) -> Estimate:
        planner = Planner(done, spending.prices, self._rates, self._aliases, self._is_adapted, self.engine)
        planner.in_batches, planner.copies, planner.failed = files.in_batches(), copies, files.failed
        estimate = planner.check(self.requests)
        if self.budget is not None and estimate.cost is None:
            raise InputError([f"no price is known for {', '.join(estimate.models)}, so no budget can be kept"])
        return estimate

    @property
    def _is_adapted(self) -> bool:
        options = getattr(self.client, "kimi_options", None)
        return options is not None and options.compat != "off"

    @property
    def _aliases(self) -> Any:
        return getattr(getattr(self.client, "kimi_options", None), "model_aliases", None)

    @property
    def _rates(self) -> Rates:
        limits = getattr(getattr(self.client, "kimi_options", None), "limits", None)
        return Rates() if limits is None else limits.rates

    @contextmanager
    def _executor(self) -> Generator[Executor | None, None, None]:
        """Threads for the calls of a synchronous client. Those that still wait when it ends are not waited for."""
        if isinstance(self.client, openai.AsyncOpenAI):
            yield None
            return
        pool = ThreadPoolExecutor(self.concurrency or self._rates.concurrency or TASKS, "kimi-bulk")
        try:
            yield pool
        finally:
            pool.shutdown(wait=self._interrupts < 2, cancel_futures=True)

    def _counting(self, runner: Runner) -> Any:
        """A copy of the client that reports its retries to the runner too, and has the deadline of a line."""
        options = getattr(self.client, "kimi_options", None)
        if options is None:
            return self.client
        own = options.on_retry

        def on_retry(event: RetryEvent) -> None:
            runner.count_retry(event)
            if own is not None:
                own(event)

        deadline = {} if self.patience is None or self.engine == "batch" else {"patience": self.patience}
        return self.client.with_options(on_retry=on_retry, **deadline)

    def _report(self, runner: Runner) -> BulkReport:
        numbers: dict[str, Any] = {**asdict(runner.progress()), "tokens": runner.spending.tokens}
        return BulkReport(**numbers, output=str(self.output), errors=str(self.errors), stopped=runner.stopped)
