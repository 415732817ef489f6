"""user_line.py: a warning names the line of the user's code, whatever code lies between it and the client."""

from __future__ import annotations

import asyncio
import linecache
import sys
import warnings
from collections.abc import Callable
from functools import partial
from importlib import util
from pathlib import Path
from typing import Any

import pytest

from kimi_openai import create_async_client, create_client
from kimi_openai.emulator import Emulator
from kimi_openai.errors.exceptions import KimiCompatWarning

FRAMEWORK = """
import asyncio, threading

def call(create): return create()
def generated(create):
    names = {"create": create}
    exec(compile("answer = create()", "<generated>", "exec"), names)
    return names["answer"]
def on_a_thread(create):
    thread = threading.Thread(target=lambda: create())
    thread.start()
    thread.join()

async def directly(create): return await create()
async def gathered(create): return (await asyncio.gather(create(), asyncio.sleep(0)))[0]
async def in_a_task(create): return await asyncio.create_task(create())
async def shielded(create): return await asyncio.shield(create())
async def waited(create): await asyncio.wait([asyncio.create_task(create())])
async def with_timeout(create): return await asyncio.wait_for(create(), 30)
async def nested(create): return await gathered(lambda: in_a_task(lambda: waited(create)))
async def in_a_group(create):
    async with asyncio.TaskGroup() as group:
        group.create_task(create())
async def forgotten(create):
    done = asyncio.Event()
    async def work():
        await create()
        done.set()
    task = asyncio.create_task(work())
    await done.wait()
    await task
async def iterated(create):
    task = asyncio.create_task(create())
    yield "begun"
    yield await task
"""

ASYNC_WAYS = ["directly", "gathered", "in_a_task", "shielded", "waited", "with_timeout", "nested"]
if sys.version_info >= (3, 11):
    ASYNC_WAYS.append("in_a_group")


@pytest.fixture
def framework(tmp_path: Path) -> Any:
    """A module that is installed."""
    path = tmp_path / "lib" / "site-packages" / "framework.py"
    path.parent.mkdir(parents=True)
    path.write_text(FRAMEWORK)
    spec = util.spec_from_file_location("framework", path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(client: Any) -> Callable[[], Any]:
    """A call with something to warn of; a `partial` has no line of its own."""
    messages = [{"role": "user", "content": "Hi"}]
    return partial(client.chat.completions.create, model="kimi-k3", messages=messages, temperature=0.2)


def places(run: Callable[[], Any]) -> list[str]:
    """The lines that the warnings of a run name, and the names of the files that are not this one."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    return [
        linecache.getline(each.filename, each.lineno).strip() if each.filename == __file__ else Path(each.filename).name
        for each in caught
        if each.category is KimiCompatWarning
    ]


@pytest.mark.parametrize("way", ["call", "generated"])
def test_the_line_that_called_the_framework(way: str, framework: Any, kimi: Emulator) -> None:
    """Not the framework's, nor that of code which it generates."""
    client = create_client(base_url=kimi.base_url, api_key=kimi.api_key)

    def ask() -> None:
        getattr(framework, way)(call(client))

    assert places(ask) == ["getattr(framework, way)(call(client))"]


@pytest.mark.parametrize("way", ASYNC_WAYS)
def test_the_line_that_waits_for_the_frameworks_task(way: str, framework: Any, kimi: Emulator) -> None:
    """However the framework waits for its tasks."""

    async def ask() -> None:
        async with create_async_client(base_url=kimi.base_url, api_key=kimi.api_key) as client:
            await getattr(framework, way)(call(client))

    assert places(lambda: asyncio.run(ask())) == ["await getattr(framework, way)(call(client))"]


def test_the_line_that_iterates(framework: Any, kimi: Emulator) -> None:
    """An asynchronous generator of the framework's is waiting."""

    async def ask() -> None:
        async with create_async_client(base_url=kimi.base_url, api_key=kimi.api_key) as client:
            async for _ in framework.iterated(call(client)):
                pass

    assert places(lambda: asyncio.run(ask())) == ["async for _ in framework.iterated(call(client)):"]


def test_the_line_that_runs_the_loop(framework: Any, kimi: Emulator) -> None:
    """If no task can be found that waits for this one."""

    async def ask() -> None:
        async with create_async_client(base_url=kimi.base_url, api_key=kimi.api_key) as client:
            await framework.forgotten(call(client))

    def main() -> None:
        asyncio.run(ask())

    assert places(main) == ["asyncio.run(ask())"]


def test_the_nearest_caller_if_no_line_is_the_users(framework: Any, kimi: Emulator) -> None:
    """On a thread of the framework's the user's lines are not to be seen."""
    client = create_client(base_url=kimi.base_url, api_key=kimi.api_key)
    assert places(lambda: framework.on_a_thread(call(client))) == ["framework.py"]


def test_a_warning_can_be_silenced_by_the_users_module(framework: Any, kimi: Emulator) -> None:
    """Filters see the module that the line is in."""
    client = create_client(base_url=kimi.base_url, api_key=kimi.api_key)
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("ignore", module=__name__.replace(".", r"\."))
        framework.call(call(client))
    assert caught == []
