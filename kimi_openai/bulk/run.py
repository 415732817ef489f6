"""`bulk`: many requests under the account's limits, from a file or a table to a file of answers.

It reads what is done, checks what is to do, and lets `runner.py` do it. A synchronous client gets threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, overload

import openai

from kimi_openai._internal.flow import AnyClient
from kimi_openai._internal.secrets import shown
from kimi_openai.client.batches import CompletionWindow
from kimi_openai.compat.adapt import report
from kimi_openai.compat.pipeline import shape_batch

from .estimate import Estimate
from .interrupts import interruptible
from .job import Engine, Job, Shown
from .options import budget_of, check_number
from .report import BulkReport
from .requests import Template, requests_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["BulkOptions", "bulk"]


class BulkOptions(TypedDict, total=False):
    """The keywords of `bulk`."""

    messages: Template | None
    model: str | None
    params: Mapping[str, Any] | None
    engine: Engine
    completion_window: CompletionWindow
    delete_files: bool
    errors: str | Path | None
    limit: int | None
    budget: float | str | Decimal | None
    ordered: bool
    dedupe: bool
    retry_failed: bool
    concurrency: int | None
    max_parts: int | None
    patience: float | None
    progress: Shown
    confirm: Callable[[Estimate], bool] | None


@overload
def bulk(client: openai.OpenAI, requests: Any, output: str | Path, **options: Unpack[BulkOptions]) -> BulkReport: ...
@overload
def bulk(
    client: openai.AsyncOpenAI, requests: Any, output: str | Path, **options: Unpack[BulkOptions]
) -> Coroutine[Any, Any, BulkReport]: ...
def bulk(
    client: AnyClient,
    requests: Any,
    output: str | Path,
    *,
    messages: Template | None = None,
    model: str | None = None,
    params: Mapping[str, Any] | None = None,
    engine: Engine = "live",
    completion_window: CompletionWindow = "24h",
    delete_files: bool = False,
    errors: str | Path | None = None,
    limit: int | None = None,
    budget: float | str | Decimal | None = None,
    ordered: bool = False,
    dedupe: bool = False,
    retry_failed: bool = False,
    concurrency: int | None = None,
    max_parts: int | None = None,
    patience: float | None = None,
    progress: Shown = False,
    confirm: Callable[[Estimate], bool] | None = None,
) -> BulkReport | Coroutine[Any, Any, BulkReport]:
    """Answers many requests, writes each answer to `output` as it comes, and returns a `BulkReport`; a coroutine of it
    for an asynchronous client.

    `requests`: a `.jsonl` file in the form of OpenAI's batches (`custom_id`, `body`), a `.csv` file, a DataFrame, or an
    iterable of rows. Rows need `messages`, a template: the text of a user message, or a list of messages, with names of
    columns in braces, or a function of the row. Their `custom_id` is the column of that name, or `row-N`. `model` and
    `params` (other fields of the body) replace what the lines have. `limit`: only the first lines.

    `output` has one line for each answer, in the form of OpenAI's batch output, in any order (`ordered`: that of the
    input, put in place at the end). It is the checkpoint: the same call goes on where the last run stopped, however it
    stopped, and asks again only what was being answered. Failed lines are in `errors` (default: `NAME.errors.jsonl`);
    `retry_failed` asks them again. A request that has changed since its answer came is an `OutputError`, and so is
    another run on the same output.

    Each line is answered as by `complete`, with the client's limits (`limits=...` of `create_client`), retries and
    adaptations; an answer that does not fit its `json_schema` is asked for once more. `concurrency` is the number of
    lines at once: default that of the limits, else 100. `budget` in the currency of the account is never passed by what
    answers cost at most (an answer then has one part unless `max_parts` says more); a request whose connection broke
    may have been billed once more. The totals of earlier runs count. `patience`: seconds for one line at most, with its
    retries and with its wait for the limits. `dedupe`: of lines whose requests are the same as they are sent, one is
    asked, and its answer is written for each (`copy_of` names the line that was asked). `limits.change(...)` of the
    client's `Limits` holds at once, while the run goes on.

    `engine="batch"` asks through Kimi's Batch API, which costs 60 % and takes up to `completion_window`, for the models
    that the docs list for it. Input, output and errors are the same; files of one model and up to 100 MB are submitted,
    and are kept in `NAME.batches` until their answers are written. The same call goes on where the last one was killed
    and submits nothing twice; Ctrl-C ends the waiting only. The cost at most is reserved from `budget` before a batch
    is submitted. An answer is not continued or asked again; lines that failed, expired or were cancelled are in
    `errors`. An organization may have 1,000 files of batches: `delete_files` deletes them when their answers are
    written.

    Before the first request every line is checked: raises `InputError` with line numbers. `confirm` is called with the
    `Estimate` then, with the prices of both engines; if it returns False nothing is sent. `progress`: True for a
    progress bar (tqdm, with the extra `bulk`; without it a line on stderr), or a function that is called with a
    `Progress` twice a second. Ctrl-C finishes what is being answered, a second one does not; both raise
    `KeyboardInterrupt`. Raises `BulkStoppedError` for what concerns all lines, such as an empty account.
    """
    if isinstance(requests, (str, Path)) and Path(requests).resolve() == Path(output).resolve():
        raise ValueError("output is the input file")
    if engine not in ("live", "batch"):
        raise ValueError(f"engine is {shown(engine)}; write 'live' or 'batch'")
    amount = budget_of(budget)
    check_number("concurrency", concurrency)
    check_number("max_parts", max_parts)
    report(shape_batch({"completion_window": completion_window}).notes)
    overrides = {**(params or {}), **({"model": model} if model else {})}
    job = Job(
        client=client,
        requests=requests_of(requests, template=messages, overrides=overrides, limit=limit),
        output=Path(output),
        errors=Path(errors) if errors else Path(output).with_suffix(".errors.jsonl"),
        budget=amount,
        engine=engine,
        window=completion_window,
        deletes_files=delete_files,
        is_ordered=ordered,
        has_copies=dedupe,
        patience=patience,
        retries_failed=retry_failed,
        concurrency=concurrency,
        max_parts=max_parts or (1 if budget is not None else 8),
        progress=progress,
        confirm=confirm,
    )
    return job.run() if isinstance(client, openai.AsyncOpenAI) else _run_now(job)


def _run_now(job: Job) -> BulkReport:
    """Run it in this thread, or in another one if an event loop is running here (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(job.run())
    with ThreadPoolExecutor(1) as pool, interruptible(job.interrupt):
        future = pool.submit(asyncio.run, job.run())
        while not future.done():
            try:
                wait([future])
            except KeyboardInterrupt:  # noqa: PERF203
                job.interrupt()
        return future.result()
