"""Shows the progress of a bulk run: as a bar of tqdm's, in terminals and notebooks, or by the caller's function."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from kimi_openai.usage.costs import money

from .report import Progress

__all__ = ["shown_progress"]


@contextmanager
def shown_progress(
    wanted: bool | Callable[[Progress], object],
) -> Generator[Callable[[Progress], object] | None, None, None]:
    """The function to call with each `Progress`, `None` if nothing is to be shown.

    Raises `ModuleNotFoundError` if a bar is wanted and tqdm is not installed.
    """
    if not wanted:
        yield None
    elif callable(wanted):
        yield wanted
    else:
        tqdm: Any = import_module("tqdm.auto").tqdm  # the extra `bulk`
        bar = tqdm(unit=" lines", dynamic_ncols=True)
        try:
            yield lambda progress: _update(bar, progress)
        finally:
            bar.close()


def _update(bar: Any, progress: Progress) -> None:
    if bar.total != progress.total:
        bar.total, bar.initial = progress.total, progress.resumed
    bar.n = progress.done
    parts = {
        "tokens": f"{progress.tokens.prompt + progress.tokens.output:,}",
        "cost": money(progress.cost, progress.currency),
        "failed": progress.failed,
        "refused": progress.refused,
        "open": progress.open,
    }
    bar.set_postfix(parts, refresh=False)
    bar.refresh()
