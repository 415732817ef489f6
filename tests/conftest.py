"""Fixtures of every test: a clean environment, the emulator, and one parameter for sync and async.

`pytest --without-k2` runs the suite as if the K2 series had ended: without the tests that have the mark `k2`, and
without the cases of parametrized tests that have a parameter that names such a model.
"""

# ruff: noqa: E402 - the option acts before the package is imported
from __future__ import annotations

import asyncio
import gc
import os
import re
import runpy
import sys
from collections.abc import Callable, Iterator, Mapping
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("short", max_examples=30, deadline=None)  # `python -m tests.fuzz` runs for as long as wanted
settings.load_profile("short")

os.environ["SSL_CERT_FILE"] = str(Path(__file__).with_name("authority.crt"))
"""One authority instead of this machine's 140, all of which each HTTP client would read. No server is outside of it."""

WITHOUT_K2 = "--without-k2"
collect_ignore = ["without_k2"]  # to import it is to end the series
K2_MODEL = re.compile(r"kimi-k2\.(6|7-code)\b")

if WITHOUT_K2 in sys.argv:
    folder = Path(__file__).parent / "without_k2"
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    runpy.run_path(str(folder / "sitecustomize.py"))

from kimi_openai import create_async_client, create_client
from kimi_openai.compat.adapt import clear_notes
from kimi_openai.emulator import Emulator
from kimi_openai.emulator.fixtures import kimi

from .servers import Answering, MakeAnswering, MakeScripted, Scripted


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option."""
    parser.addoption(WITHOUT_K2, action="store_true", help="run as if the K2 series had ended")


def pytest_configure(config: pytest.Config) -> None:
    """Adds the mark."""
    config.addinivalue_line("markers", "k2: about the models of the K2 series; not run with --without-k2")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests that have the mark, and the cases that are about K2, if K2 has ended."""
    if not config.getoption(WITHOUT_K2):
        return
    of_k2 = [item for item in items if item.get_closest_marker("k2") or _names_k2(item)]
    config.hook.pytest_deselected(items=of_k2)
    items[:] = [item for item in items if item not in of_k2]


def _names_k2(item: pytest.Item) -> bool:
    return bool(K2_MODEL.search(repr(getattr(getattr(item, "callspec", None), "params", ""))))


def pytest_collection_finish() -> None:
    """Takes what the collection left in memory, thousands of items, out of each later run of the garbage collector."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that stays empty."""
    return tmp_path_factory.mktemp("empty")


@pytest.fixture(autouse=True)
def scrubbed_environment(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, empty_folder: Path
) -> Iterator[None]:
    """Hides the variables and the `.env` file of this machine from the clients.

    The working directory is `tmp_path` if the test uses it. A folder for each of thousands of tests would take longer
    than most of them.
    """
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "MOONSHOT", "KIMI_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else empty_folder)
    yield
    left = [*empty_folder.iterdir()]
    for file in left:
        file.unlink()
    assert left == [], "a test that writes files takes tmp_path"


@pytest.fixture(autouse=True)
def no_notes_before() -> None:
    """Forgets the notes of the test before: `last_notes()` must not be right because of them."""
    clear_notes()


__all__ = ["Mode", "answering", "kimi", "mode", "scripted", "scrubbed_environment"]


class Mode:
    """Runs a test with synchronous or with asynchronous clients.

    `client(...)` makes a client, `run(value)` waits for the result of a call, `each(stream)` collects the items of a
    stream. An asynchronous test uses one event loop, which is closed with the clients at the end of the test.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_async = name == "async"
        self._runner = asyncio.new_event_loop() if self.is_async else None
        self._clients: list[Any] = []

    def client(self, kimi: Emulator | None = None, **options: Any) -> Any:
        """A client for the emulator if it is given, else one with these options only."""
        if kimi is not None:
            options = {"base_url": kimi.base_url, "api_key": kimi.api_key, **options}
        create: Callable[..., Any] = create_async_client if self.is_async else create_client
        client = create(**options)
        self._clients.append(client)
        return client

    def run(self, value: Any) -> Any:
        """The value, awaited if it is awaitable and the mode is asynchronous."""
        if self._runner is not None and isawaitable(value):
            return self._runner.run_until_complete(_await(value))
        return value

    def each(self, iterable: Any) -> list[Any]:
        """The items of a plain or an asynchronous iterable."""
        return self.run(_collect(iterable)) if hasattr(iterable, "__aiter__") else list(iterable)

    def close(self) -> None:
        """Close the clients and the loop."""
        for client in self._clients:
            self.run(client.close())
        if self._runner is not None:
            self._runner.run_until_complete(self._runner.shutdown_asyncgens())
            self._runner.run_until_complete(asyncio.sleep(0))  # a closed transport needs one more turn
            self._runner.close()


async def _await(value: Any) -> Any:
    return await value


async def _collect(iterable: Any) -> list[Any]:
    return [item async for item in iterable]


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> Iterator[Mode]:
    """Runs the test twice: with synchronous and with asynchronous clients."""
    mode = Mode(request.param)
    yield mode
    mode.close()


@pytest.fixture
def answering() -> Iterator[MakeAnswering]:
    """Makes servers with a fixed answer: `answering(status, answer, headers, then=...)` (see `Answering`)."""
    servers: list[Answering] = []

    def make(status: int, answer: Any, headers: Mapping[str, str] | None = None, *, then: Any = None) -> Answering:
        servers.append(Answering(status, answer, headers or {}, then))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def scripted() -> Iterator[MakeScripted]:
    """Makes servers that send bytes and pause between them: `scripted(script, reads_body=...)` (see `Scripted`)."""
    servers: list[Scripted] = []

    def make(script: Any, **options: Any) -> Scripted:
        servers.append(Scripted(script, **options))
        return servers[-1]

    yield make
    for server in servers:
        server.close()
