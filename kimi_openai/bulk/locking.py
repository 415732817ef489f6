"""Keeps a second run away from an output file, by a lock of the system's, which ends with the process.

On Windows a locked part of a file cannot be read, so there the lock is on a file beside it (`NAME.lock`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from .errors import OutputError

__all__ = ["lock"]


def lock(file: int, path: Path) -> Callable[[], None]:
    """Lock a file that is open; returns a function that unlocks it, to be called before the file is closed.

    Raises `OutputError` if another run has it, or if it cannot be locked.
    """
    try:
        fcntl: Any = import_module("fcntl")
    except ImportError:
        return _lock_beside(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _taken(path) from None
    except OSError as error:  # some network file systems have no locks
        raise OutputError(f"{path} cannot be locked ({error.strerror}); choose an output on a local disk") from error
    return lambda: fcntl.flock(file, fcntl.LOCK_UN)  # closing it is too late while another thread syncs it


def _lock_beside(path: Path) -> Callable[[], None]:
    try:
        msvcrt: Any = import_module("msvcrt")
    except ImportError:
        raise OutputError(
            f"this system cannot lock {path}: Python has neither fcntl nor msvcrt here, so two runs could not be kept "
            "apart; run it on Linux, macOS or Windows"
        ) from None
    beside = path.with_name(f"{path.name}.lock")
    file = os.open(beside, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    except OSError:
        os.close(file)
        raise _taken(path) from None

    def give_free() -> None:
        os.close(file)
        with suppress(OSError):  # another run may have it open already
            beside.unlink()

    return give_free


def _taken(path: Path) -> OutputError:
    return OutputError(f"another run writes to {path}; wait for its end, or choose another output")
