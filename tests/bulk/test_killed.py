"""`kill -9` before and after each step of a run, with both engines: nothing is lost and nothing is paid twice.

A child of this process runs it and kills itself at a step: a request, a write, a sync, a rename, a removal.
"""

from __future__ import annotations

import functools
import inspect
import os
import random
import shutil
import signal
import warnings
from collections.abc import Callable
from typing import Any

import openai
import pytest

from kimi_openai import create_async_client, create_client, instant
from kimi_openai.bulk import bulk
from tests.bulk.conftest import Files, ids, line

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

LINES, AT_ONCE = 6, 2

STRIDE = int(os.environ.get("KILL_STRIDE", "12"))
"""Every so many steps, from a random one on, a run is killed; 1 takes minutes."""

STEPS: list[tuple[Any, str]] = [
    *((kind, name) for kind in (openai.OpenAI, openai.AsyncOpenAI) for name in ("post", "get")),
    *((os, name) for name in ("write", "fsync", "rename", "replace")),
    (shutil, "rmtree"),
]


def counted(function: Any, step: Callable[[], None]) -> Any:
    """The function with a step before it and one after it."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*arguments: Any, **options: Any) -> Any:
            step()
            result = await function(*arguments, **options)
            step()
            return result

        return awaited

    @functools.wraps(function)
    def called(*arguments: Any, **options: Any) -> Any:
        step()
        result = function(*arguments, **options)
        step()
        return result

    return called


def run_in_child(files: Files, engine: Any, kill_at: int) -> bool:
    """Whether the child was killed before its run was over."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads beside a fork: they are the emulator's, and stay in the parent
        child = os.fork()
    if child == 0:
        try:
            run_and_die(files, engine, kill_at)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    return status != 0


def run_and_die(files: Files, engine: Any, kill_at: int) -> None:
    """One run that ends the process."""
    left = [kill_at]

    def step() -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    for owner, name in STEPS:
        setattr(owner, name, counted(getattr(owner, name), step))
    options: dict[str, Any] = {"base_url": files.kimi.base_url, "api_key": files.kimi.api_key}
    with instant():
        if files.mode.is_async:
            import asyncio

            async def run() -> None:
                async with create_async_client(**options) as client:
                    await bulk(client, files.input, files.output, engine=engine, concurrency=AT_ONCE)

            asyncio.run(run())
        else:
            bulk(create_client(**options), files.input, files.output, engine=engine, concurrency=AT_ONCE)
    os._exit(0)


def check(files: Files, engine: str, kills: int) -> None:
    """Every line has one answer. Batches were created once; a live run asks again what was being answered only."""
    assert sorted(ids(files.output)) == [f"r{number}" for number in range(LINES)]
    assert not any(files.output.with_suffix(".batches").glob("*"))
    if engine == "batch":
        assert len(files.kimi._state.batches.by_id) == 2
    else:
        assert LINES <= len(files.kimi.chats) <= LINES + kills * AT_ONCE


@pytest.mark.parametrize("engine", ["live", "batch"])
@pytest.mark.k2
def test_a_run_is_killed_at_each_step(files: Files, engine: Any) -> None:
    """And started again, once, from what was left: two batches of two models, or six lines two at a time."""
    models = ("kimi-k2.6", "kimi-k2.7-code")
    lines = [line(number, model=models[number % 2]) for number in range(LINES)]
    at = random.randint(1, STRIDE)
    while True:
        files.kimi.clear()
        files.kimi._state.batches.by_id.clear()
        shutil.rmtree(files.output.with_suffix(".batches"), ignore_errors=True)
        files.output.unlink(missing_ok=True)
        files.write(lines)
        was_killed = run_in_child(files, engine, at)
        assert not run_in_child(files, engine, 0)
        check(files, engine, 1)
        if not was_killed:
            break
        at += STRIDE
    assert at > 15


@pytest.mark.parametrize("engine", ["live", "batch"])
@pytest.mark.k2
def test_a_run_is_killed_again_and_again(files: Files, engine: Any) -> None:
    """Each time a few steps further on."""
    models = ("kimi-k2.6", "kimi-k2.7-code")
    files.write([line(number, model=models[number % 2]) for number in range(LINES)])
    kills = 0
    while run_in_child(files, engine, random.randint(5, 14) if engine == "live" else random.randint(8, 30)):
        kills += 1
    assert kills
    check(files, engine, kills)
