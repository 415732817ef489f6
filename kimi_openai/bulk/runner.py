"""The run itself: some tasks take the next line each, ask, and write the answer. As many lines are in memory as tasks.

`run.py` prepares it. A line that fails goes to the error file and the run goes on, unless every other line would fail
too. Nothing is lost when the process is killed, and nothing is asked twice but what was being answered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from openai import OpenAIError

from kimi_openai.retry.events import RetryEvent

from .advice import CapAdvice
from .answering import Ask, answer_to, ends_the_run, kind_of, spent_by
from .index import Index, fingerprint, hash_of
from .output import OutputFile
from .records import answer_line, failure_line
from .report import Progress
from .requests import Request
from .spending import Spending

__all__ = ["Runner"]

SAME_FAILURES = 20
"""Lines in a row that fail for one reason, with no answer between them, after which the run is stopped."""

SYNC_SECONDS, REPORT_SECONDS = 1.0, 0.5


@dataclass(slots=True)
class Runner:
    """One run over `requests`. `stopped` says why it ends early, and `cause` is the error behind it."""

    requests: Iterator[Request]
    done: Index
    output: OutputFile
    errors: OutputFile
    spending: Spending
    total: int
    resumed: int
    on_progress: Callable[[Progress], object] | None = None
    stopped: str = ""
    cause: BaseException | None = None
    answered: int = 0
    failed: int = 0
    open: int = 0
    refused: int = 0
    retries: int = 0
    has_one_model: bool = False
    resumed_failures: int = 0
    ready: int = 0
    advice: CapAdvice = field(default_factory=CapAdvice)
    started: float = field(default_factory=time.monotonic)
    _row: tuple[str, int] = ("", 0)
    _settled: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    async def run(self, ask: Ask, concurrency: int) -> None:
        """Answer all lines, with so many tasks. Returns when the last one is over, or when the run was stopped."""
        await self.report_on(self._work(ask) for _ in range(concurrency))

    async def report_on(self, works: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Wait for all of them as tasks, report the progress meanwhile, and write to the disk what is buffered."""
        reporter = asyncio.ensure_future(self._report())
        self._tasks = [asyncio.ensure_future(work) for work in works]
        try:
            await asyncio.gather(*self._tasks)
        finally:
            for task in (*self._tasks, reporter):
                task.cancel()
            await asyncio.gather(*self._tasks, reporter, return_exceptions=True)
            self.show()

    def stop(self, reason: str, cause: BaseException | None = None) -> None:
        """Begin no further line. Those that are being answered are finished."""
        if not self.stopped:
            self.stopped, self.cause = reason, cause
        self._settled.set()

    def cancel(self) -> None:
        """Give up what is being answered, too."""
        for task in self._tasks:
            task.cancel()

    def count_retry(self, event: RetryEvent) -> None:
        """Count a wait before a retry, for the client's `on_retry`."""
        self.retries += 1
        self.refused += event.status == 429

    def progress(self) -> Progress:
        """The numbers now."""
        return Progress(
            total=self.total,
            resumed=self.resumed,
            resumed_failures=self.resumed_failures,
            answered=self.answered,
            failed=self.failed,
            open=self.open,
            ready=self.ready,
            tokens=self.spending.tokens,
            cost=self.spending.cost,
            currency=self.spending.prices.currency,
            refused=self.refused,
            retries=self.retries,
            seconds=time.monotonic() - self.started,
            advice=self.advice.text,
        )

    async def pause(self, seconds: float) -> None:
        """Wait for so long, or until the run is stopped."""
        self._settled.clear()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._settled.wait(), 0 if self.stopped else seconds)

    def write(self, file: OutputFile, line: str) -> None:
        """Write a line. If that is not possible, the run is stopped, and `OSError` raised."""
        try:
            file.append(line)
        except OSError as error:  # such as a full disk: this answer is lost, and the next run asks again
            self.stop(f"{file.path} cannot be written ({error.strerror})", error)
            raise

    async def _work(self, ask: Ask) -> None:
        while not self.stopped:
            request = next(self.requests, None)
            if request is None:
                return
            if self.done.get(hash_of(request.custom_id)) is None:
                held = await self._hold(request)
                if held is not None:
                    await self._answer(request, ask, held)

    async def _hold(self, request: Request) -> Decimal | None:
        """Reserve the cost, as soon as it fits. `None` if the run is stopped."""
        while not self.stopped:
            held = self.spending.hold(request)
            if held is not None:
                return held
            if not self.open:
                self.stop(f"the budget of {self.spending.budget} does not cover the next line")
                return None
            self._settled.clear()
            await self._settled.wait()
        return None

    async def _answer(self, request: Request, ask: Ask, held: Decimal) -> None:
        mark, model = fingerprint(request.body), str(request.body.get("model"))
        self.open += 1
        try:
            answer = await answer_to(request, ask)
        except (OpenAIError, ValueError, TypeError) as error:
            self._fail(request, mark, error, self.spending.settle(held, model, spent_by(error), request.custom_id))
        except BaseException:
            self.spending.settle(held, model, None)
            raise
        else:
            cost = self.spending.settle(held, model, answer.tokens, request.custom_id)
            self.write(self.output, answer_line(request, mark, answer.completion, cost))
            self.advice.take(request, answer.tokens)
            self.answered += 1
            self._row = ("", 0)
        finally:
            self.open -= 1
            self._settled.set()

    def _fail(self, request: Request, mark: str, error: BaseException, cost: Decimal) -> None:
        kind = kind_of(error)
        if ends_the_run(error) or (kind == "model_not_found" and self.has_one_model):
            self.stop(str(error), error)
            return
        self.write(self.errors, failure_line(request, mark, kind, error, cost))
        self.failed += 1
        self._row = (kind, self._row[1] + 1 if self._row[0] == kind else 1)
        if self._row[1] >= SAME_FAILURES:
            self.stop(f"{SAME_FAILURES} lines in a row failed for the same reason ({kind}): {error}", error)

    async def _report(self) -> None:
        synced = time.monotonic()
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            self.show()
            if time.monotonic() - synced >= SYNC_SECONDS:
                for file in (self.output, self.errors):
                    with suppress(OSError):  # the next write says so
                        await asyncio.to_thread(file.sync)
                synced = time.monotonic()

    def show(self) -> None:
        if self.on_progress is not None:
            self.on_progress(self.progress())
