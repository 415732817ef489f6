"""A proxy in a thread of its own, in front of the emulator."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from kimi_openai.emulator import Emulator
from kimi_openai.proxy import Proxy
from tests.conftest import Mode

MakeProxy = Callable[..., Proxy]


class ProxyThread:
    """Runs a proxy until `stop`."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(proxy.start())

    def _run(self, awaitable: Any) -> None:
        asyncio.run_coroutine_threadsafe(awaitable, self._loop).result(30)

    def stop(self) -> None:
        """End the proxy, its loop and the thread."""
        self._run(self._proxy.stop())
        self._run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def make_proxy(kimi: Emulator) -> Iterator[MakeProxy]:
    """Makes a proxy for the emulator: `make_proxy(model_aliases=...)`."""
    threads: list[ProxyThread] = []

    def make(**options: Any) -> Proxy:
        proxy = Proxy(**{"api_key": kimi.api_key, "base_url": kimi.base_url, **options})
        threads.append(ProxyThread(proxy))
        return proxy

    yield make
    for thread in threads:
        thread.stop()


@pytest.fixture
def proxy(make_proxy: MakeProxy) -> Proxy:
    """A proxy for the emulator."""
    return make_proxy(model_aliases={"gpt-4o": "kimi-k3"})


@pytest.fixture
def bare(mode: Mode) -> Iterator[Callable[..., Any]]:
    """Makes a bare client of the SDK for a proxy: `bare(proxy, ...)`."""
    clients: list[Any] = []

    def make(proxy: Proxy, **options: Any) -> Any:
        kind: Any = openai.AsyncOpenAI if mode.is_async else openai.OpenAI
        clients.append(kind(**{"api_key": proxy.token, "base_url": proxy.base_url, "max_retries": 0, **options}))
        return clients[-1]

    yield make
    for client in clients:
        mode.run(client.close())
