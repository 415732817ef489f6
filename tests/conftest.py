"""What every test stands on: a scrubbed environment, a local Kimi, and one parameter for sync and async."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from inspect import isawaitable
from typing import Any

import pytest

from kimi_openai import create_async_client, create_client
from kimi_openai.emulator import Emulator
from kimi_openai.emulator.fixtures import kimi

from .servers import Answering, MakeAnswering


@pytest.fixture(autouse=True)
def scrubbed_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """No variable and no `.env` of the machine that runs the tests reaches a client."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "MOONSHOT", "KIMI_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


__all__ = ["Mode", "answering", "kimi", "mode", "scrubbed_environment"]


class Mode:
    """The same test in the synchronous and in the asynchronous world.

    `client(...)` makes a client of the mode, `run(value)` waits for what it returned, `each(stream)` collects a stream.
    All of an asynchronous test runs in one event loop, which is closed with its clients at the end.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_async = name == "async"
        self._runner = asyncio.new_event_loop() if self.is_async else None
        self._clients: list[Any] = []

    def client(self, kimi: Emulator | None = None, **options: Any) -> Any:
        """A client for the emulator, or for whatever the options name."""
        if kimi is not None:
            options = {"base_url": kimi.base_url, "api_key": kimi.api_key, **options}
        create: Callable[..., Any] = create_async_client if self.is_async else create_client
        client = create(**options)
        self._clients.append(client)
        return client

    def run(self, value: Any) -> Any:
        """The value, awaited if it must be."""
        if self._runner is not None and isawaitable(value):
            return self._runner.run_until_complete(_await(value))
        return value

    def each(self, iterable: Any) -> list[Any]:
        """All items of an iterator of either kind."""
        return self.run(_collect(iterable)) if hasattr(iterable, "__aiter__") else list(iterable)

    def close(self) -> None:
        """Close the clients and the loop."""
        for client in self._clients:
            self.run(client.close())
        if self._runner is not None:
            self._runner.run_until_complete(self._runner.shutdown_asyncgens())
            self._runner.close()


async def _await(value: Any) -> Any:
    return await value


async def _collect(iterable: Any) -> list[Any]:
    return [item async for item in iterable]


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> Iterator[Mode]:
    """Runs the test twice: with the synchronous client and with the asynchronous one."""
    mode = Mode(request.param)
    yield mode
    mode.close()


@pytest.fixture
def answering() -> Iterator[MakeAnswering]:
    """Makes servers with fixed answers: `answering(status, body, headers, then=...)`."""
    servers: list[Answering] = []

    def make(status: int, answer: Any, headers: Mapping[str, str] | None = None, *, then: Any = None) -> Answering:
        servers.append(Answering(status, answer, headers or {}, then))
        return servers[-1]

    yield make
    for server in servers:
        server.close()
