"""transport.py, http_library.py: a pool for each process and event loop, kept connections, one TLS context."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest
import trustme

from kimi_openai import create_async_client, create_client, get_balance
from kimi_openai.client import transport
from kimi_openai.client.http_library import http_library
from kimi_openai.emulator import Emulator
from tests.conftest import Mode
from tests.servers import MakeAnswering

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
LIST = {"object": "list", "data": []}


def run_python(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints, with every warning an error, and nothing on stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_dropped_client_closes_its_connections(mode: Mode, answering: MakeAnswering) -> None:
    """Without `close()` and without a ResourceWarning, while its event loop still runs; the server sees the end."""
    server = answering(200, LIST)
    create = create_async_client if mode.is_async else create_client
    client: Any = create(base_url=server.base_url, api_key="sk-1")
    mode.run(client.with_options(timeout=3).models.list())
    assert (len(server.ports), server.closed_ports) == (1, [])
    del client
    gc.collect()
    for _ in range(500):
        if server.closed_ports:
            break
        mode.run(asyncio.sleep(0.01)) if mode.is_async else time.sleep(0.01)
    assert server.closed_ports == server.ports


def test_a_script_that_just_ends_leaves_no_warning(kimi: Emulator) -> None:
    """With every warning an error, nothing is printed to stderr, whether a client is closed, dropped or neither."""
    code = """
        import sys
        from kimi_openai import create_client
        closed, dropped, kept = (create_client(base_url=sys.argv[1], api_key=sys.argv[2]) for _ in range(3))
        for client in (closed, dropped, kept):
            print(client.models.list().data[0].object)
        closed.close()
        del client, dropped
    """
    assert run_python(code, kimi.base_url, kimi.api_key) == "model\n" * 3


def test_a_module_global_async_client_survives_its_event_loop(kimi: Emulator) -> None:
    """A second and a third `asyncio.run()` work, and no loop leaves a connection open."""
    code = """
        import asyncio, sys
        from kimi_openai import create_async_client
        client = create_async_client(base_url=sys.argv[1], api_key=sys.argv[2])
        async def main():
            chunks = [chunk async for chunk in await client.chat.completions.create(
                model="kimi-k3", messages=[{"role": "user", "content": "Hi"}], stream=True)]
            print(chunks[-1].choices[0].finish_reason)
        for _ in range(3):
            asyncio.run(main())
    """
    assert run_python(code, kimi.base_url, kimi.api_key) == "stop\n" * 3


def test_one_async_client_serves_two_loops_at_once(kimi: Emulator) -> None:
    """Each thread's loop has its own pool."""
    client = create_async_client(base_url=kimi.base_url, api_key=kimi.api_key)

    async def three() -> int:
        return len(await asyncio.gather(*(client.models.list() for _ in range(3))))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: asyncio.run(three()), range(4))) == [3] * 4


def test_loops_of_other_threads_may_end_at_the_same_time(kimi: Emulator) -> None:
    """A call does not fail if another thread removes a pool while this one looks at it."""
    client: Any = create_async_client(base_url=kimi.base_url, api_key=kimi.api_key)
    pools = client._client._kimi_pools

    class Elsewhere:
        def is_closed(self) -> bool:
            pools.pop(self)
            return True

    pools[Elsewhere()] = None
    assert asyncio.run(get_balance(client)).available


def test_a_closed_client_stays_closed(mode: Mode, kimi: Emulator) -> None:
    """After `close()` a call fails as in the SDK and opens no new connection."""
    client = mode.client(kimi, max_retries=0)
    mode.run(client.models.list())
    mode.run(client.close())
    assert client.is_closed()
    with pytest.raises((openai.APIConnectionError, RuntimeError)):
        mode.run(client.models.list())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_gets_fresh_connections(answering: MakeAnswering) -> None:
    """Parent and child never use the same socket."""
    server = answering(200, LIST)
    code = """
        import os, sys
        from kimi_openai import create_client
        client = create_client(base_url=sys.argv[1], api_key="sk-1")
        client.models.list()
        child = os.fork()
        client.models.list()
        if not child:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        client.models.list()
    """
    run_python(code, server.base_url)
    assert sorted(server.ports.count(port) for port in set(server.ports)) == [1, 3]


def test_sixteen_threads_share_one_client(kimi: Emulator) -> None:
    """Each question gets its own answer."""
    client = create_client(base_url=kimi.base_url, api_key=kimi.api_key)

    def ask(number: int) -> bool:
        question: Any = {"role": "user", "content": f"question {number}"}
        answer = client.chat.completions.create(model="kimi-k3", messages=[question])
        return f"question {number}" in (answer.choices[0].message.content or "")

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(64)))
    client.close()


def test_connections_are_kept_for_a_pause(mode: Mode, answering: MakeAnswering) -> None:
    """Later requests use the first one's connection, and the pool keeps it far longer than the SDK's 5 s."""
    server = answering(200, LIST)
    client = mode.client(base_url=server.base_url, api_key="sk-1")
    for _ in range(3):
        mode.run(client.models.list())
    assert len(set(server.ports)) == 1
    assert transport._pool_options()["limits"].keepalive_expiry >= 60


def test_many_clients_share_one_tls_context(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Certificates are loaded once per process, and again only if the variables that name them change."""
    first, second = transport._pool_options()["verify"], transport._pool_options()["verify"]
    assert first is second
    assert first.check_hostname
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert transport._pool_options()["verify"] is not first


def test_installing_aiohttp_changes_nothing(kimi: Emulator) -> None:
    """The default transport is the SDK's own: mock libraries that replace it see our calls too."""

    async def pool_of() -> Any:
        async with create_async_client(base_url=kimi.base_url, api_key=kimi.api_key) as client:
            await client.models.list()
            http: Any = client._client
            (pool,) = http._kimi_pools.values()
            return pool.http.clients[0]

    assert isinstance(asyncio.run(pool_of())._transport, http_library().AsyncHTTPTransport)


def test_the_http_library_is_the_sdks() -> None:
    """httpx for openai 1 and 2, httpx2 for openai 3."""
    assert http_library().__name__ == ("httpx" if openai.VERSION < "3" else "httpx2")
