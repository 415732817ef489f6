"""`kimi-openai bulk`: many requests from a file to a file. It asks before it spends much, and shows the progress."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import Callable, Generator
from contextlib import contextmanager
from decimal import Decimal
from importlib.util import find_spec
from io import StringIO
from typing import Any, TextIO

from kimi_openai.bulk.plan import Estimate
from kimi_openai.bulk.report import BulkReport, Progress
from kimi_openai.bulk.run import bulk
from kimi_openai.client.factories import create_async_client
from kimi_openai.models.short_names import full_name

from .console import Console

__all__ = ["run_bulk"]

ASK_ABOVE = Decimal(1)
"""The cost, in the currency of the account, above which a terminal is asked."""


def run_bulk(options: Namespace, console: Console) -> int:
    """Run `kimi-openai bulk`."""
    stdin = sys.stdin or StringIO()
    with _progress(console) as shown:
        report = asyncio.run(_run(options, shown, lambda estimate: _confirmed(estimate, options, console, stdin)))
    console.line(report.to_json() if options.json else str(report))
    return 1 if report.failed or report.left else 0


async def _run(
    options: Namespace, shown: bool | Callable[[Progress], object], confirm: Callable[[Estimate], bool]
) -> BulkReport:
    async with create_async_client(limits=options.limits) as client:
        return await bulk(
            client,
            options.input,
            options.output,
            messages=options.messages,
            model=full_name(options.model) if options.model else None,
            params={"max_completion_tokens": options.max_tokens} if options.max_tokens else None,
            limit=options.limit,
            budget=options.budget,
            ordered=options.ordered,
            retry_failed=options.retry_failed,
            concurrency=options.concurrency,
            progress=shown,
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


@contextmanager
def _progress(console: Console) -> Generator[bool | Callable[[Progress], object], None, None]:
    """A bar of tqdm's if it is installed, else a line of our own; nothing if stderr is no terminal."""
    if not console.err_is_tty or find_spec("tqdm") is not None:
        yield console.err_is_tty
        return
    last: list[Any] = [Progress(total=1)]

    def keep(progress: Progress) -> None:
        last[0] = progress

    with console.waiting("answering", lambda: last[0].done / max(last[0].total, 1)):
        yield keep
