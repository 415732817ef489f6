"""Bulk runs on several machines with Ray (extra `ray`): `bulk_ray`, a stage for `ray.data`, limits for all workers.

On a laptop this is all; Ray starts by itself, with two workers:

    from kimi_openai.bulk.ray import bulk_ray

    print(bulk_ray("requests.jsonl", "answers.jsonl", limits="tier1", workers=2))

The output is that of `bulk`: the same lines, and the same checkpoint, so one engine may go on where the other stopped.
In a pipeline of your own:

    import ray
    from kimi_openai.bulk.ray import KimiStage, shared_limits

    limits = shared_limits("tier1")  # keep it for as long as the pipeline runs
    ds = ray.data.read_parquet("words/").map_batches(
        KimiStage,
        fn_constructor_kwargs={"messages": "Is {word} a noun?", "model": "kimi-k3", "limits": limits,
                               "params": {"max_completion_tokens": 2000}},
        batch_size=32,
        compute=ray.data.ActorPoolStrategy(size=2),
    )
    ds.write_parquet("answers/")  # the columns of before, and `answer`, `error`, `line`

On a cluster the same code runs after `ray.init(address="auto")` on its head, or by `ray job submit`. `kimi-openai[ray]`
and the account's key (`MOONSHOT_API_KEY`) have to be on every node: in the image, or in `runtime_env={"pip": [...],
"env_vars": {...}}`. More workers do not make more answers: the account's limits do. One process answers hundreds of
requests at once, so a second machine pays when the local CPU or network is the limit, or when the rows are in a
pipeline anyway.

A process that dies is replaced. After a worker dies, another one gets its rows; `bulk_ray` asks again only those that
were being answered, a pipeline all rows of its blocks. A new limiter admits nothing for a minute, since it does not
know what was sent. If the program that started the run dies, the same call continues it (`bulk_ray`).

A plan for 10^9 rows, which was not measured. One organization of the highest tier needs 70 days for them, at 10,000
requests a minute. So: (1) Kimi's Batch API for the models that have it: 60 % of the price, with separate limits.
(2) Several organizations, each with its own key, `shared_limits(..., name="org-7")` and its own share of the rows; a
limiter actor serves about 200 reports a second, each for a block of permits, which is enough for one organization.
(3) No common output: one file does not hold 10^9 lines, and one actor does not write them. Cut the input into shards of
a million rows; one `bulk_ray` of 12 hours for each shard has its own output, its own checkpoint, and 65 MB for the ids;
a list of the shards that are done is the checkpoint of the whole. (4) A sum of the reports for the bill, and a first
shard to measure the tokens of a row before the others start.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from kimi_openai.client.factories import create_client
from kimi_openai.limits.rates import Rates
from kimi_openai.limits.shared_process import SharedLimits
from kimi_openai.usage.costs import PriceList, price_list

from .errors import BulkStoppedError
from .estimate import Estimate
from .files import opened
from .index import Index, hash_of
from .plan import Planner
from .progress import shown_progress
from .ray_journal import Counts, Journal
from .ray_limits import ray_module, shared_limits
from .ray_stage import KimiStage
from .report import BulkReport, Progress
from .requests import Requests, Template, requests_of
from .runner import REPORT_SECONDS
from .spending import Spending

__all__ = ["KimiStage", "bulk_ray", "shared_limits"]

BATCH, BLOCK = 32, 512
"""Rows that a worker takes at once, and rows of a task of Ray's."""

SHARES = 8
"""Tasks of a small run for each worker, so that all have something to do to the end."""


def bulk_ray(
    requests: Any,
    output: str | Path,
    *,
    limits: SharedLimits | str | None = None,
    workers: int = 2,
    messages: Template | None = None,
    model: str | None = None,
    params: Mapping[str, Any] | None = None,
    errors: str | Path | None = None,
    limit: int | None = None,
    retry_failed: bool = False,
    max_parts: int = 8,
    client: Mapping[str, Any] | None = None,
    progress: bool | Callable[[Progress], object] = False,
    confirm: Callable[[Estimate], bool] | None = None,
) -> BulkReport:
    """`bulk` with so many `workers` of a Ray cluster, under one account's limits. Returns a `BulkReport`.

    `limits` is what `shared_limits` returns, or the name of a tier. `client`: options of `create_client`, for this
    program and the workers. The other arguments and the files are those of `bulk`; a budget and an order are not kept.
    The files are written by an actor on the machine that calls this. A worker that dies is replaced, and only the rows
    that it was asking are asked again. Connects to the cluster as `ray.init()` does, if nothing has.

    Raises `InputError` and `OutputError` before anything is sent, `BulkStoppedError` for what concerns all rows, such
    as an empty account; the same call goes on then. `ModuleNotFoundError` without Ray. Needs the extra `ray`.
    """
    if isinstance(requests, (str, Path)) and Path(requests).resolve() == Path(output).resolve():
        raise ValueError("output is the input file")
    if workers < 1:
        raise ValueError(f"workers is {workers}; it is a number from 1 up")
    ray_module()
    shared = shared_limits(limits) if isinstance(limits, str) else limits
    overrides = {**(params or {}), **({"model": model} if model else {})}
    rows = requests_of(requests, template=messages, overrides=overrides, limit=limit)
    errors = Path(errors) if errors else Path(output).with_suffix(".errors.jsonl")
    run = _Run(rows, Path(output), errors, shared, workers, {"max_parts": max_parts, "client": dict(client or {})})
    estimate, done, prices = run.plan(retries_failed=retry_failed)
    if not estimate.left or (confirm is not None and not confirm(estimate)):
        stopped = "not confirmed; nothing was sent" if estimate.left else ""
        return run.report(estimate, prices, done, replace(done.counts, stopped=stopped))
    with shown_progress(progress) as show:
        return run.run(estimate, done, prices, show)


@dataclass(frozen=True, slots=True)
class _Done:
    """What the files had before: which rows, what they count, what those cost that failed and are asked again, and
    where the lines of these end."""

    index: Index
    counts: Counts
    costs: Mapping[int, Decimal]
    begin: int


@dataclass(slots=True)
class _Run:
    """One call of `bulk_ray`."""

    requests: Requests
    output: Path
    errors: Path
    limits: SharedLimits | None
    workers: int
    stage: dict[str, Any] = field(repr=False)  # may have a key
    started: float = 0.0

    def plan(self, *, retries_failed: bool) -> tuple[Estimate, _Done, PriceList]:
        """Check everything; nothing is sent."""
        self.started = time.monotonic()
        with (
            create_client(**self.stage["client"]) as client,
            opened(self.output, self.errors, engine="live") as files,
        ):
            spending = Spending(price_list(client))
            done = files.read(spending, retries_failed=retries_failed)
            if not retries_failed:
                files.tidy()
            answers, failures = (sum(1 for _ in file.records()) for file in (files.output, files.errors))
            counts = Counts(answers, failures, spending.tokens, spending.cost)
            before = _Done(done, counts, spending.earlier, files.errors.begin)
            options, rates = client.kimi_options, Rates() if self.limits is None else self.limits.rates
            planner = Planner(done, spending.prices, rates, options.model_aliases, options.compat != "off")
            planner.failed = files.failed
            return planner.check(self.requests), before, spending.prices

    def run(self, estimate: Estimate, done: _Done, prices: PriceList, show: Any) -> BulkReport:
        """Ask what is left."""
        ray = ray_module()
        journal, cause, shown = self._journal(ray, prices, done.begin), None, self.started
        try:
            for _ in self._answered(ray, journal, estimate.left, done):
                if show is not None and time.monotonic() - shown >= REPORT_SECONDS:
                    shown = time.monotonic()
                    show(self.report(estimate, prices, done, ray.get(journal.counts.remote())))
        except Exception as error:  # Ray's, around that of a worker
            cause = error
        finally:
            counts = ray.get(journal.close.remote())
            ray.kill(journal)
            self._tidy(done.begin)
        report = self.report(estimate, prices, done, counts)
        if cause is not None:
            raise BulkStoppedError(report.stopped or str(cause), report) from cause
        if show is not None:
            show(report)
        return report

    def _answered(self, ray: Any, journal: Any, left: int, done: _Done) -> Iterator[Any]:
        """The batches that are done."""
        data, blocks = import_module("ray.data"), list(self._blocks(ray, left, done))
        ds = data.from_arrow_refs(blocks).map_batches(
            KimiStage,
            fn_constructor_kwargs={**self.stage, "limits": self.limits, "journal": journal},
            batch_size=BATCH,
            compute=data.ActorPoolStrategy(size=min(self.workers, len(blocks)), max_concurrent_calls_per_actor=2),
            num_cpus=0.25,
        )
        yield from ds.iter_batches(batch_size=None, prefetch_batches=0)

    def _tidy(self, begin: int) -> None:
        with suppress(OSError), opened(self.output, self.errors, engine="live") as files:
            files.errors.begin = begin
            files.tidy()

    def _journal(self, ray: Any, prices: PriceList, begin: int) -> Any:
        """The actor that has the files, on this machine."""
        strategies = import_module("ray.util.scheduling_strategies")
        here = strategies.NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        make = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here)(Journal)
        return make.remote(self.output.resolve(), self.errors.resolve(), prices, begin)

    def _blocks(self, ray: Any, left: int, done: _Done) -> Iterator[Any]:
        """What is left, as tables in Ray's object store, so that each worker gets some."""
        arrow = import_module("pyarrow")
        size = max(1, min(BLOCK, left // (SHARES * self.workers)))
        rows = (request for request in self.requests if done.index.get(hash_of(request.custom_id)) is None)
        while block := list(islice(rows, size)):
            columns = {
                "custom_id": [request.custom_id for request in block],
                "number": [request.number for request in block],
                "cost": [str(done.costs.get(hash_of(request.custom_id), "")) for request in block],
                "body": [json.dumps(request.body, default=str) for request in block],
            }
            yield ray.put(arrow.table(columns))

    def report(self, estimate: Estimate, prices: PriceList, before: _Done, now: Counts) -> BulkReport:
        """The numbers, from those of the files before and now."""
        return BulkReport(
            total=estimate.total,
            resumed=estimate.total - estimate.left,
            resumed_failures=estimate.failed,
            answered=now.answers - before.counts.answers,
            failed=now.failures - before.counts.failures,
            tokens=now.tokens,
            cost=now.cost,
            currency=prices.currency,
            refused=now.refused,
            retries=now.retries,
            seconds=time.monotonic() - self.started,
            output=str(self.output),
            errors=str(self.errors),
            stopped=now.stopped,
        )
