"""Shows the progress of a bulk run: as a bar of tqdm's, in terminals and notebooks, or by the caller's function.

Without tqdm it is a plain line on stderr.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from kimi_openai.usage.costs import money

from .report import Progress

__all__ = ["shown_progress"]

EACH_SECONDS = 10.0
"""How often the plain line is printed where it cannot be drawn anew."""


@contextmanager
def shown_progress(
    wanted: bool | Callable[[Progress], object],
) -> Generator[Callable[[Progress], object] | None, None, None]:
    """The function to call with each `Progress`, `None` to show nothing."""
    if not wanted:
        yield None
    elif callable(wanted):
        yield wanted
    else:
        bar = _bar() or _Line()
        try:
            yield bar.show
        finally:
            bar.close()


def _bar() -> _Bar | None:
    """A bar of tqdm's, `None` if it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a notebook without ipywidgets it is a bar of text
        try:
            tqdm: Any = import_module("tqdm.auto").tqdm  # the extra `bulk`
        except ModuleNotFoundError:
            return None
        return _Bar(tqdm(unit=" lines", dynamic_ncols=True))


@dataclass(slots=True)
class _Bar:
    bar: Any
    said: str = ""

    def show(self, progress: Progress) -> None:
        """Draw it."""
        bar = self.bar
        if bar.total != progress.total:
            bar.reset(total=progress.total)
            bar.initial = progress.resumed  # the rate and the time left are those of this run
        bar.n = progress.done
        bar.set_postfix_str(_facts(progress), refresh=False)
        bar.refresh()
        if progress.advice and progress.advice != self.said:
            self.said = progress.advice
            bar.write(progress.advice, file=sys.stderr)

    def close(self) -> None:
        """Leave it as it is."""
        self.bar.close()


@dataclass(slots=True)
class _Line:
    """The last line on a terminal, drawn anew each time; else a line every ten seconds, and the last one."""

    drawn: float = 0.0
    width: int = 0
    last: str = ""
    said: str = ""

    def show(self, progress: Progress) -> None:
        """Draw or print it."""
        eta = "" if progress.eta is None else f", {progress.eta / 60:.0f} min left"
        rate = f"{progress.rate:,.0f} lines/min{eta}"
        self.last = f"{progress.done:,} of {progress.total:,} lines, {rate}, {_facts(progress)}"
        if progress.advice and progress.advice != self.said:
            self.said = progress.advice
            sys.stderr.write(f"\r{progress.advice}\n")
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{self.last.ljust(self.width)}")
            sys.stderr.flush()
            self.width = len(self.last)
        elif time.monotonic() - self.drawn >= EACH_SECONDS:
            self.drawn = time.monotonic()
            self._print()

    def close(self) -> None:
        """End the line."""
        if self.width:
            sys.stderr.write("\n")
        elif self.last:
            self._print()

    def _print(self) -> None:
        sys.stderr.write(f"{self.last}\n")
        self.last = ""


def _facts(progress: Progress) -> str:
    """What the bar says beside the numbers of lines.

    >>> _facts(Progress(open=3, refused=1))
    '0 tokens, $0.00, 0 failed, 1 refused, waiting for 3 lines'
    """
    tokens = progress.tokens.prompt + progress.tokens.output
    ready = f" ({progress.ready:,} ready)" if progress.ready else ""
    return (
        f"{tokens:,} tokens, {money(progress.cost, progress.currency)}, {progress.failed:,} failed, "
        f"{progress.refused:,} refused, waiting for {progress.open:,} lines{ready}"
    )
