"""The batch engine of a bulk run: submits the parts, waits for their batches, and writes the answers to the output.

Each step is on the disk before the next one begins (see `parts`), so a process may be killed at any instant and the
next one goes on: a batch that was created is found by its tag, and answers that were written are not written again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from random import random
from typing import Any

import openai
from openai.types import Batch

from kimi_openai._internal.clock import real_wait
from kimi_openai._internal.flow import AnyClient
from kimi_openai.bulk.index import Index, hash_of
from kimi_openai.bulk.requests import Request
from kimi_openai.bulk.runner import Runner
from kimi_openai.endpoints.batch_files import batch_results, delete_batch_files
from kimi_openai.endpoints.batch_jobs import FINAL, MOST_FAILURES, POLLS, submit_batch
from kimi_openai.endpoints.batch_output import BatchResult
from kimi_openai.errors.exceptions import BatchFailedError, CompatError
from kimi_openai.retry.backoff import can_be_retried
from kimi_openai.retry.failure import failure_of
from kimi_openai.usage.costs import Tokens, tokens_of

from .parts import Part, PartLines
from .results import line_of, refused_line
from .splitting import Splitter

__all__ = ["BatchEngine"]

log = logging.getLogger("kimi_openai")


@dataclass(slots=True)
class BatchEngine:
    """One run. `parts` are those of earlier runs, `requests` what is to be asked unless it is in `done()`, which reads
    the files. `runner` keeps the numbers.

    `executor` has the threads for the calls of a synchronous client. `deletes_files`: the files of a batch are deleted
    on the platform when its answers are written.
    """

    client: AnyClient
    executor: Executor | None
    deletes_files: bool
    runner: Runner
    splitter: Splitter
    requests: Iterable[Request]
    done: Callable[[], Index]
    parts: list[Part]
    _new: set[str] = field(default_factory=set[str])
    _ready: dict[str, int] = field(default_factory=dict[str, int])
    _failures: int = 0

    async def run(self) -> None:
        """Submit all, and write their answers. Returns early if the run is stopped; what was submitted goes on."""
        try:
            is_whole = False
            while not self.runner.stopped and (self.parts or not is_whole):
                if not is_whole:
                    is_whole = await self._split()
                for part in list(self.parts):
                    await self._submit(part)
                    self.runner.show()
                await self._wait()
        finally:
            self._drop_unsent()

    async def _split(self) -> bool:
        """Write the parts of what is in none yet. Returns whether that was all."""
        known = self.done()
        for part in self.parts:
            for custom_id, mark in part.entries():
                known.add(hash_of(custom_id), mark)
        known.sort()
        new, is_whole = await asyncio.to_thread(self.splitter.split, self._open(known), lambda: self.runner.stopped)
        self._new.update(part.tag for part in new)
        self.parts += new
        if not self.parts and not is_whole:
            self.runner.stop(f"the budget of {self.runner.spending.budget} does not cover the next line")
        return is_whole

    def _open(self, known: Index) -> Iterator[Request]:
        for request in self.requests:
            if known.get(hash_of(request.custom_id)) is None:
                yield request

    async def _submit(self, part: Part) -> None:
        if self.runner.stopped:
            return
        self.runner.open += part.lines
        if part.batch_id:
            return
        is_new = part.tag in self._new
        self._new.discard(part.tag)  # from here on the batch may be there
        try:
            batch = await self._call(submit_batch, part.requests, completion_window=part.window, tag=part.tag)
        except openai.OpenAIError as error:
            if _is_refused(error) and (is_new or isinstance(error, openai.BadRequestError)):
                self._new.add(part.tag)
            self.runner.stop(str(error), error)
            return
        self.parts[self.parts.index(part)] = part.submitted(batch.id)
        log.info(
            "batch %s has %d lines; they are in %s until its answers are written", batch.id, part.lines, part.folder
        )

    async def _wait(self) -> None:
        """Until the batches have ended. The answers of each are written when it has."""
        polls = 0
        while not self.runner.stopped and self.parts:
            for part in list(self.parts):
                batch = await self._look(part)
                if batch is not None and batch.status in FINAL:
                    await self._take(part, batch)
            self.runner.show()
            if self.parts:
                await self.runner.pause(real_wait(POLLS.seconds(polls, random())))
                polls += 1

    async def _look(self, part: Part) -> Batch | None:
        """The batch as it is now; `None` if that cannot be found out now."""
        if self.runner.stopped:
            return None
        try:
            batch: Batch = await self._call(_retrieved, part.batch_id)
        except openai.APIError as error:
            self._failures += 1
            if self._failures >= MOST_FAILURES or not can_be_retried(failure_of(error)):
                give_up = f"to give the batch up and ask its lines again, delete {part.folder}"
                self.runner.stop(f"batch {part.batch_id} cannot be asked for: {error}; {give_up}", error)
            return None
        self._failures = 0
        counts = batch.request_counts
        self._ready[part.tag] = 0 if counts is None else (counts.completed or 0) + (counts.failed or 0)
        self.runner.ready = sum(self._ready.values())
        return batch

    async def _take(self, part: Part, batch: Batch) -> None:
        """Write the lines of a batch that has ended, and forget it."""
        try:
            with closing(PartLines(part)) as lines:
                writer = _Writer(self.runner, batch, lines)
                try:
                    await self._read(batch, part, writer.write)
                except BatchFailedError as error:
                    for custom_id in part.ids():
                        writer.refuse(custom_id, str(error))
            for file in (self.runner.output, self.runner.errors):
                await asyncio.to_thread(file.sync)
        except openai.OpenAIError as error:
            self.runner.stop(f"the results of batch {batch.id} cannot be read: {error}", error)
            return
        self.runner.spending.held -= part.most
        self.runner.open -= part.lines
        self._ready.pop(part.tag, None)
        self.runner.ready = sum(self._ready.values())
        self.parts.remove(part)
        part.remove()
        if self.deletes_files:
            await self._call(delete_batch_files, batch)

    async def _read(self, batch: Batch, part: Part, take: Callable[[BatchResult], None]) -> None:
        client = self.client
        if isinstance(client, openai.AsyncOpenAI):
            async for result in batch_results(client, batch, ids=part.ids()):
                take(result)
            return

        def read() -> None:
            for result in batch_results(client, batch, ids=part.ids()):
                take(result)

        await asyncio.get_running_loop().run_in_executor(self.executor, read)

    def _call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Awaitable[Any]:
        """What a function of the client returns, awaited for both kinds of clients."""
        if isinstance(self.client, openai.AsyncOpenAI):
            made: Awaitable[Any] = function(self.client, *arguments, **options)
            return made
        call = lambda: function(self.client, *arguments, **options)  # noqa: E731
        return asyncio.get_running_loop().run_in_executor(self.executor, call)

    def _drop_unsent(self) -> None:
        """Delete the parts of this run that were certainly not submitted: the next run decides anew."""
        for part in self.parts:
            if part.tag in self._new:
                part.remove()


def _retrieved(client: Any, batch_id: str) -> Any:
    return client.batches.retrieve(batch_id)


def _is_refused(error: openai.OpenAIError) -> bool:
    """Whether there is certainly no batch after this error."""
    return isinstance(error, CompatError) or (isinstance(error, openai.APIStatusError) and error.status_code < 500)


@dataclass(slots=True)
class _Writer:
    """Writes the lines of one batch, without those that an earlier run has written."""

    runner: Runner
    batch: Batch
    lines: PartLines

    def write(self, result: BatchResult) -> None:
        found = self._new(result.custom_id)
        if found is None:
            return
        request, mark = found
        completion, spending = result.completion, self.runner.spending
        tokens = Tokens() if completion is None else tokens_of(completion.usage)
        cost = spending.settle(Decimal(0), str(request.body.get("model")), tokens, request.custom_id)
        line, is_answer = line_of(result, request, mark, self.batch, cost)
        self._append(line, is_answer=is_answer)

    def refuse(self, custom_id: str, why: str) -> None:
        """Write that a line failed with its batch."""
        found = self._new(custom_id)
        if found is not None:
            model = str(found[0].body.get("model"))
            cost = self.runner.spending.settle(Decimal(0), model, Tokens(), custom_id)
            self._append(refused_line(*found, self.batch, why, cost), is_answer=False)

    def _new(self, custom_id: str) -> tuple[Request, str] | None:
        known = self.runner.done.get(hash_of(custom_id)) is not None
        return None if known else self.lines.find(custom_id)

    def _append(self, line: str, *, is_answer: bool) -> None:
        runner = self.runner
        runner.write(runner.output if is_answer else runner.errors, line)
        runner.answered += is_answer
        runner.failed += not is_answer
