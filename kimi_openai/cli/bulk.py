"""`kimi-openai bulk`: many requests from a file to a file. It asks before it spends much, and shows the progress."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any, TextIO

from kimi_openai.bulk.estimate import Estimate
from kimi_openai.bulk.ray import bulk_ray
from kimi_openai.bulk.report import BulkReport
from kimi_openai.bulk.run import bulk
from kimi_openai.client.factories import create_async_client
from kimi_openai.models.short_names import full_name

from .console import Console

__all__ = ["run_bulk"]

NOT_ON_RAY = ("budget", "ordered", "dedupe", "concurrency", "delete_files")

ASK_ABOVE = Decimal(1)
"""The cost, in the currency of the account, above which a terminal is asked."""


def run_bulk(options: Namespace, console: Console) -> int:
    """Run `kimi-openai bulk`."""
    stdin, is_shown = sys.stdin or StringIO(), console.err_is_tty
    run = _run_on_ray if options.engine == "ray" else _run
    try:
        report = run(options, lambda each: _confirmed(each, options, console, stdin), is_shown=is_shown)
    except KeyboardInterrupt as interrupt:
        console.note(str(interrupt) or "interrupted; nothing was sent")
        raise
    console.line(report.to_json() if options.json else str(report))
    return 1 if report.failed or report.resumed_failures or report.left else 0


def _run_on_ray(options: Namespace, confirm: Callable[[Estimate], bool], *, is_shown: bool) -> BulkReport:
    given = [name for name in NOT_ON_RAY if getattr(options, name)]
    if given:
        raise ValueError(f"--engine ray has no --{', --'.join(given).replace('_', '-')}")
    return bulk_ray(
        options.input,
        options.output,
        limits=options.limits,
        workers=options.workers,
        messages=options.messages,
        model=_model(options),
        params=_params(options),
        limit=options.limit,
        retry_failed=options.retry_failed,
        client={"patience": options.patience} if options.patience else None,
        progress=is_shown,
        confirm=confirm,
    )


def _model(options: Namespace) -> str | None:
    return full_name(options.model) if options.model else None


def _params(options: Namespace) -> dict[str, Any] | None:
    return {"max_completion_tokens": options.max_tokens} if options.max_tokens else None


def _run(options: Namespace, confirm: Callable[[Estimate], bool], *, is_shown: bool) -> BulkReport:
    return asyncio.run(_run_here(options, confirm, is_shown=is_shown))


async def _run_here(options: Namespace, confirm: Callable[[Estimate], bool], *, is_shown: bool) -> BulkReport:
    window: Any = options.window  # checked by `bulk`
    async with create_async_client(limits=options.limits) as client:
        return await bulk(
            client,
            options.input,
            options.output,
            messages=options.messages,
            model=_model(options),
            params=_params(options),
            engine=options.engine,
            completion_window=window,
            delete_files=options.delete_files,
            limit=options.limit,
            budget=options.budget,
            ordered=options.ordered,
            dedupe=options.dedupe,
            retry_failed=options.retry_failed,
            concurrency=options.concurrency,
            patience=options.patience,
            progress=is_shown,
            confirm=confirm,
        )


def _confirmed(estimate: Estimate, options: Namespace, console: Console, stdin: TextIO) -> bool:
    console.note(str(estimate))
    is_small = estimate.cost is not None and estimate.cost <= ASK_ABOVE
    if is_small or options.yes or not stdin.isatty():
        return True
    console.err.write("send them? [y/N] ")
    console.err.flush()
    return stdin.readline().strip().lower() in ("y", "yes")
