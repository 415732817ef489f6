"""Ctrl-C during a bulk run: a function is called instead of raising an exception somewhere."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

__all__ = ["interruptible", "raise_interrupt"]


def raise_interrupt() -> None:
    """What Ctrl-C does by itself. A running event loop would only note it."""
    raise KeyboardInterrupt


@contextmanager
def interruptible(interrupt: Callable[[], None]) -> Generator[None, None, None]:
    """In the main thread, let Ctrl-C call `interrupt` while the `with` block runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(*_: object) -> None:
        interrupt()

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
