"""The `Emulator` class: start and stop, fixture, reproducibility, load."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import kimi_openai.emulator as package
from kimi_openai.emulator import Emulator, recorder, say, think

from .http import HELLO, chat, send, upload
from .memory import ask


def test_fixture(kimi: Emulator) -> None:
    """The fixture is a running emulator on loopback, whose base URL ends with /v1."""
    assert kimi.base_url == f"http://127.0.0.1:{kimi.port}/v1"
    assert repr(kimi) == f"<Emulator {kimi.base_url}>"


def test_start_and_stop() -> None:
    """It starts, stops and starts again; a second start and the URL of a stopped emulator are RuntimeErrors."""
    kimi = Emulator()
    with pytest.raises(RuntimeError, match="not running"):
        _ = kimi.base_url
    for _ in range(2):
        kimi.start()
        assert chat(kimi).status == 200
        with pytest.raises(RuntimeError, match="already"):
            kimi.start()
        kimi.stop()
    kimi.stop()
    assert len(kimi.requests) == 2
    assert repr(kimi) == "<Emulator stopped>"


def test_port_is_taken(kimi: Emulator) -> None:
    """A taken port is an OSError, and no thread is left behind."""
    threads = threading.active_count()
    with pytest.raises(OSError, match="address"):
        Emulator(port=kimi.port).start()
    assert threading.active_count() == threads


def test_wait_returns_after_stop() -> None:
    """wait() blocks until another thread stops the emulator."""
    with Emulator() as kimi:
        threading.Timer(0.1, kimi.stop).start()
        kimi.wait()
        assert repr(kimi) == "<Emulator stopped>"


def test_a_reply_function_may_stop_the_emulator() -> None:
    """Stopping from the server's own thread does not wait for that thread; the response under way is sent."""
    kimi = Emulator().start()
    kimi.reply = lambda _: kimi.stop()
    assert chat(kimi).status == 200
    assert repr(kimi) == "<Emulator stopped>"


STOP_WITH_OPEN_CONNECTIONS = """
import json, logging, os, socket, threading
from kimi_openai.emulator import Emulator, stall

logging.getLogger("asyncio").setLevel(logging.ERROR)  # debug mode also logs slow callbacks
BODY = json.dumps({"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}], "stream": True})

def connect(kimi, text, answered=True):
    client = socket.create_connection(("127.0.0.1", kimi.port), timeout=30)
    client.sendall(text.encode())
    assert not answered or client.recv(1)
    return client

def stop_with_open_connections():
    kimi = Emulator(token_delay=0.01).start()
    kimi.fail(stall(1))
    head = f"POST /v1/chat/completions HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer {kimi.api_key}\\r\\n"
    request = f"{head}Content-Length: {len(BODY)}\\r\\n\\r\\n{BODY}"
    clients = [connect(kimi, request), connect(kimi, request)]  # stalled, under way
    clients.append(connect(kimi, f"{head}Content-Length: 1000\\r\\n\\r\\n{{", answered=False))  # half a request
    clients += [connect(kimi, "", answered=False), connect(kimi, request, answered=False)]  # idle, just accepted
    kimi.stop()
    for client in clients:
        try:
            while client.recv(4096): pass
        except ConnectionError:
            pass
        client.close()

stop_with_open_connections()
files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
for _ in range(5):
    stop_with_open_connections()
print(len(os.listdir("/proc/self/fd")) - files, threading.active_count() - threads)
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
def test_stop_leaves_nothing() -> None:
    """With connections in all states, stop leaves no file, thread or connection, and logs nothing."""
    options = ["-W", "ignore", "-W", "error::ResourceWarning"]
    got = subprocess.run(
        [sys.executable, *options, "-c", STOP_WITH_OPEN_CONNECTIONS],
        capture_output=True,
        text=True,
        cwd=Path(package.__file__).parents[2],
        env={**os.environ, "PYTHONASYNCIODEBUG": "1"},
        timeout=60,
    )
    assert (got.stdout, got.stderr) == ("0 0\n", "")


def test_two_at_once() -> None:
    """Two emulators share nothing."""
    with Emulator(api_key="sk-a") as one, Emulator(api_key="sk-b") as other:
        chat(one)
        assert (len(one.requests), other.requests) == (1, [])
        assert send(other, "GET", "/v1/models", Authorization="Bearer sk-a").status == 401


def test_reproducible() -> None:
    """With the same seed and clock all bodies are the same, byte for byte; another seed has other ids."""

    def bodies(seed: int) -> list[bytes]:
        with Emulator(seed=seed, clock=1788439520) as kimi:
            return [chat(kimi).body, chat(kimi, stream=True).body, upload(kimi).body]

    assert bodies(1) == bodies(1)
    assert bodies(1) != bodies(2)


def test_clock() -> None:
    """A function can be the clock."""
    ticks = iter(range(100, 200))
    with Emulator(clock=lambda: next(ticks)) as kimi:
        first, second = chat(kimi).json["created"], chat(kimi).json["created"]
    assert 100 <= first < second


def test_async_with() -> None:
    """It is an async context manager as well, next to a client in the same loop."""

    async def main() -> int:
        async with Emulator() as kimi, aiohttp.ClientSession() as session:
            headers = {"Authorization": f"Bearer {kimi.api_key}"}
            async with session.get(f"{kimi.base_url}/models", headers=headers) as answer:
                return answer.status

    assert asyncio.run(main()) == 200


async def read_streams(kimi: Emulator, count: int) -> list[bytes]:
    """The bodies of `count` streams that run at once."""
    options: dict[str, Any] = {"headers": {"Authorization": f"Bearer {kimi.api_key}"}}
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(60)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, **options) as session:

        async def one(number: int) -> bytes:
            messages = [{"role": "user", "content": f"stream {number}"}]
            body = {"model": "kimi-k3", "messages": messages, "stream": True}
            async with session.post(f"{kimi.base_url}/chat/completions", json=body) as answer:
                return await answer.read()

        return await asyncio.gather(*map(one, range(count)))


@pytest.mark.parametrize(
    ("count", "options"),
    [(500, {}), (100, {"token_delay": 0.01}), (100, {"coalesce": 16})],
    ids=["one by one", "slow", "coalesced"],
)
def test_streams_at_once(count: int, options: dict[str, Any]) -> None:
    """Each of hundreds of streams at once arrives whole, with its own answer."""
    with Emulator(**options) as kimi:
        kimi.reply = lambda request: [think("hm"), say(f"{request.json['messages'][0]['content']} " + "word " * 30)]
        bodies = asyncio.run(read_streams(kimi, count))
        assert len(kimi.requests) == count
        for number, body in enumerate(bodies):
            assert body.endswith(b"data: [DONE]\n\n")
            assert f'"content":" {number}"'.encode() in body
            assert body.count(b'"content":" word"') == 30


def test_records_are_bounded() -> None:
    """The last requests are kept, so that memory stays flat."""
    with Emulator(keep=20) as kimi:
        asyncio.run(ask(kimi, iter(range(100))))
        assert [request.number for request in kimi.requests] == list(range(81, 101))
        assert kimi.limits.admitted == 100


def test_bodies_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large bodies push out older requests; the last one is always kept."""
    monkeypatch.setattr(recorder, "MAX_BYTES", 3000)
    with Emulator() as kimi:
        for size in (1000, 1000, 1000, 5000):
            chat(kimi, user="x" * size)
            assert sum(len(request.body) for request in kimi.requests) < 3000 or len(kimi.requests) == 1
        assert len(kimi.requests[-1].body) > 5000


def test_exports() -> None:
    """Every exported name exists, and the list is sorted."""
    assert sorted(package.__all__) == package.__all__
    for name in package.__all__:
        assert hasattr(package, name)


def test_without_aiohttp() -> None:
    """Without aiohttp the import says what to install."""
    code = "import sys; sys.modules['aiohttp'] = None\nimport kimi_openai.emulator"
    got = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(package.__file__).parents[2]
    )
    assert "pip install 'kimi-openai[emulator]'" in got.stderr


def test_key_is_not_logged(kimi: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is logged of a request."""
    with caplog.at_level("DEBUG"):
        send(kimi, "POST", "/v1/chat/completions", {"messages": HELLO})
    assert kimi.api_key not in caplog.text
    assert "chat/completions" not in caplog.text


@pytest.mark.parametrize("port", [-1, 65536])
def test_an_impossible_port_is_an_error(port: int) -> None:
    """ValueError, before a thread is started."""
    with pytest.raises(ValueError, match="it must be 1 to 65535"):
        Emulator(port)
