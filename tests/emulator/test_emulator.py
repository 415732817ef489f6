"""The emulator in its users' hands: life, fixture, reproducibility, load."""

from __future__ import annotations

import ast
import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import kimi_openai.emulator as package
from kimi_openai.emulator import Emulator, say, think

from .http import HELLO, chat, send, upload


def test_fixture(kimi: Emulator) -> None:
    """The fixture is a running emulator on loopback, whose base URL ends with /v1."""
    assert kimi.base_url == f"http://127.0.0.1:{kimi.port}/v1"
    assert repr(kimi) == f"<Emulator {kimi.base_url}>"


def test_life() -> None:
    """It starts, stops and starts again; it says so when it is not running, or runs already."""
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
    """wait() blocks until somebody stops the emulator."""
    with Emulator() as kimi:
        threading.Timer(0.1, kimi.stop).start()
        kimi.wait()
        assert repr(kimi) == "<Emulator stopped>"


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
    """A function is a clock too."""
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
    """The bodies of so many streams that run at once."""
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
    "options", [{}, {"token_delay": 0.01}, {"coalesce": 16}], ids=["one by one", "slow", "coalesced"]
)
def test_500_streams(options: dict[str, Any]) -> None:
    """Five hundred streams at once all arrive whole, each with its own answer."""
    with Emulator(**options) as kimi:
        kimi.reply = lambda request: [think("hm"), say(f"{request.json['messages'][0]['content']} " + "word " * 30)]
        bodies = asyncio.run(read_streams(kimi, 500))
        assert len(kimi.requests) == 500
        for number, body in enumerate(bodies):
            assert body.endswith(b"data: [DONE]\n\n")
            assert f'"content":" {number}"'.encode() in body
            assert body.count(b'"content":" word"') == 30


def test_exports() -> None:
    """Every exported name is there and has a docstring or is a plain type alias."""
    assert sorted(package.__all__) == package.__all__
    for name in package.__all__:
        assert hasattr(package, name)


def test_independence() -> None:
    """The package imports `models` and nothing else of ours."""
    for path in Path(package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            ours = {name for name in names if name.startswith("kimi_openai")}
            assert ours <= {"kimi_openai.models"}, path.name
            assert not (isinstance(node, ast.ImportFrom) and node.level > 1), path.name


def test_no_cycles() -> None:
    """Rooms import only downwards."""
    rooms: dict[str, set[str]] = {}
    for path in Path(package.__file__).parent.glob("*.py"):
        tree = ast.walk(ast.parse(path.read_text()))
        rooms[path.stem] = {n.module or "" for n in tree if isinstance(n, ast.ImportFrom) and n.level == 1}
    while rooms:
        lowest = {name for name, below in rooms.items() if not below & rooms.keys()}
        assert lowest, f"a cycle among {sorted(rooms)}"
        rooms = {name: below for name, below in rooms.items() if name not in lowest}


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
def test_a_port_that_cannot_be_is_an_error_at_once(port: int) -> None:
    """In words, before a thread is started."""
    with pytest.raises(ValueError, match="there are 1 to 65535"):
        Emulator(port)
