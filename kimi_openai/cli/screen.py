"""A screen: rich's view of one output that is a terminal. `console.py` writes plain text where there is none.

There is none if rich is not installed (extra `cli`), and on a terminal that cannot move its cursor (`TERM=dumb`).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console as Screen
    from rich.console import RenderableType

__all__ = ["WaitingLine", "has_colour", "is_dumb", "screen_of"]

WAIT_BEFORE_LINE = 0.7
"""Seconds before a waiting line appears: a quick command needs none."""

REDRAWS_PER_SECOND = 5


def has_colour(file: TextIO) -> bool:
    """Whether to write colours and styles: to a terminal that is not dumb, unless `NO_COLOR` is set."""
    return file.isatty() and not os.environ.get("NO_COLOR") and not is_dumb()


def is_dumb() -> bool:
    """Whether the terminal cannot move its cursor, as `TERM` says."""
    return os.environ.get("TERM", "").lower() in ("dumb", "unknown")


def screen_of(file: TextIO) -> Screen | None:
    """The screen of an output, `None` if it has none."""
    if not file.isatty() or is_dumb():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(
        file=file, force_terminal=True, highlight=False, markup=False, emoji=False, no_color=not has_colour(file)
    )


class WaitingLine:
    """What a command waits for, how long, and how much of it is done, from `start` to `stop`: a line that is redrawn
    and erased; without a screen one line that stays. Stopping it twice does no harm."""

    def __init__(
        self, screen: Callable[[], Screen | None], file: TextIO, label: str, share: Callable[[], float] | None
    ) -> None:
        self._screen, self._file, self._label, self._share = screen, file, label, share
        self._begun = time.monotonic()
        self._timer = threading.Timer(WAIT_BEFORE_LINE, self._show)
        self._timer.daemon = True
        self._erase: Callable[[], None] | None = None

    @property
    def is_drawn(self) -> bool:
        """Whether it is on the screen now, and redrawn."""
        return self._erase is not None

    def start(self) -> None:
        """Show the line after a while."""
        self._timer.start()

    def stop(self) -> None:
        """Erase the line."""
        self._timer.cancel()
        self._timer.join()
        if self._erase:
            self._erase()
        self._erase = None

    def _show(self) -> None:
        screen = self._screen()
        if screen is None:
            self._file.write(f"{self._label} ...\n")
            self._file.flush()
            return
        from rich.live import Live

        live = Live(
            console=screen,
            get_renderable=self._line,
            transient=True,
            refresh_per_second=REDRAWS_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        live.start()
        self._erase = live.stop

    def _line(self) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        cells: list[RenderableType] = [Text(self._label, no_wrap=True, overflow="ellipsis")]
        if self._share:
            share = min(max(self._share(), 0.0), 1.0)
            cells += [ProgressBar(total=1.0, completed=share, width=10), Text(f"{share:4.0%}", no_wrap=True)]
        line = Table.grid(padding=(0, 1, 0, 0))
        line.add_column()
        for _ in cells:
            line.add_column(no_wrap=True)
        line.add_row(*cells, Text(f"{time.monotonic() - self._begun:.0f} s", no_wrap=True))
        return line
