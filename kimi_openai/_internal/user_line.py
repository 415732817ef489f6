"""Where the user's own code made the call that is running: through a framework, a callback, or a task of an event loop.

Not the user's: this package, the SDK, Python's own library, everything in `site-packages`, and the scripts beside the
interpreter.
"""

from __future__ import annotations

import asyncio
import inspect
import site
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ["user_frame"]

OWN_PACKAGES = (__name__.partition(".")[0], "openai", "httpx", "httpx2")
"""This package, the SDK, and the HTTP library that calls `kimi_openai.adapting`."""
PACKAGE_FOLDERS = {"site-packages", "dist-packages"}


def user_frame() -> FrameType | None:
    """The innermost frame of the user's code, None if there is no frame outside this package and the SDK.

    A task that a framework started has no frame of its caller: then it is the innermost frame of the tasks that wait
    for it, and without one the line that runs the event loop. If no code is the user's (a worker thread, an installed
    program), it is the nearest caller of this package and the SDK.
    """
    stack = list(_outwards(inspect.currentframe()))
    task = _current_task()
    first = getattr(task and task.get_coro(), "cr_frame", None)
    inner = stack.index(first) + 1 if first in stack else len(stack)
    waiting = (frame for each in _waiting_for(task) for frame in _suspended(each))
    for frame in chain(stack[:inner], waiting, stack[inner:]):
        if _is_users(frame):
            return frame
    return next((frame for frame in stack if _package(frame) not in OWN_PACKAGES), None)


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _current_task() -> Any:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        return None


def _waiting_for(future: Any) -> Iterator[Any]:
    """The tasks that wait for a future, the nearest first: directly, or by `gather`, `wait` or a task group.

    They are found by its done-callbacks: what these are bound to or enclose is the waiting task, its group, or another
    future that the task waits for. `_callbacks` is asyncio's own attribute: without it there is nothing to find.
    """
    seen, futures = {id(future)}, [future]
    for each in futures:  # it grows
        for callback, *_ in getattr(each, "_callbacks", None) or ():
            for found in _related(callback):
                if id(found) not in seen:
                    seen.add(id(found))
                    futures.append(found)
                    if isinstance(found, asyncio.Task):
                        yield found


def _related(callback: Any) -> Iterator[Any]:
    """The futures that a done-callback has to do with."""
    arguments = getattr(callback, "args", ())  # of a functools.partial
    callback = getattr(callback, "func", callback)
    owner = getattr(callback, "__self__", None)
    cells = [cell.cell_contents for cell in getattr(callback, "__closure__", None) or () if _has_value(cell)]
    for found in (owner, getattr(owner, "_parent_task", None), *arguments, *cells):
        if isinstance(found, asyncio.Future):
            yield found


def _has_value(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # not assigned yet
        return False


def _suspended(task: Any) -> list[FrameType]:
    """The frames of a task that waits, the innermost first."""
    found: list[FrameType] = []
    awaited = task.get_coro()
    while awaited is not None:
        frame = _first(awaited, "cr_frame", "ag_frame", "gi_frame")
        if frame is not None:
            found.append(frame)
        awaited = _first(awaited, "cr_await", "ag_await", "gi_yieldfrom")
    return found[::-1]


def _first(owner: Any, *names: str) -> Any:
    """The first of these attributes that is there and not None."""
    return next((value for name in names if (value := getattr(owner, name, None)) is not None), None)


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _is_users(frame: FrameType) -> bool:
    """Code without a file (a cell, `python -c`, generated code) belongs to its module, or to no module."""
    if _package(frame) in OWN_PACKAGES:
        return False
    filename = frame.f_code.co_filename
    if not filename.startswith("<"):
        return not _is_installed(filename)
    if filename.startswith("<frozen ") or "__name__" not in frame.f_globals:
        return False
    return not _is_installed(str(frame.f_globals.get("__file__") or ""))


@lru_cache(maxsize=4096)
def _is_installed(filename: str) -> bool:
    path = Path(filename)
    return not PACKAGE_FOLDERS.isdisjoint(path.parts) or any(path.is_relative_to(each) for each in _library_folders())


@lru_cache(maxsize=1)
def _library_folders() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    names = ("stdlib", "platstdlib", "purelib", "platlib", "scripts")
    return (*(Path(paths[name]) for name in names), Path(site.getusersitepackages()))
