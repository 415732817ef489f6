"""Commands, run in this process or in another one, against the emulator."""

from __future__ import annotations

import base64
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import pytest

from kimi_openai.cli.main import main
from kimi_openai.emulator import Emulator

ROOT = str(Path(__file__).parents[2])

TIMEOUT = 60.0
"""Seconds after which another process is killed, so that no test waits for ever."""

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class TerminalFile(io.StringIO):
    """A file in memory that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Run:
    """`run(...)` runs a command in this process, against the emulator: its exit code, stdout and stderr."""

    def __init__(self, kimi: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.kimi, self._capsys, self._patch = kimi, capsys, monkeypatch
        monkeypatch.setenv("MOONSHOT_BASE_URL", kimi.base_url)
        monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)

    def __call__(self, *arguments: str, stdin: str | TextIO = "") -> tuple[int, str, str]:
        self._patch.setattr(sys, "stdin", io.StringIO(stdin) if isinstance(stdin, str) else stdin)
        self._capsys.readouterr()
        code = main(arguments)
        return code, *self._capsys.readouterr()

    def sent(self) -> Any:
        """The body of the last chat request."""
        return self.kimi.chats[-1]


@pytest.fixture(autouse=True)
def state_of_this_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder for conversations and the prompt's history, which no test shares with another or with this user."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "kimi-openai"


@pytest.fixture
def run(kimi: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands in this process."""
    return Run(kimi, capsys, monkeypatch)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt, here and in child processes, even if this process was started with it ignored
    (`nohup`, a background job). What a command does with signals here is undone."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def environment(kimi: Emulator | None = None, **variables: str) -> dict[str, str]:
    """The variables of another process, which reaches the emulator with them."""
    settings = {"MOONSHOT_BASE_URL": kimi.base_url, "MOONSHOT_API_KEY": kimi.api_key} if kimi else {}
    paths = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), ROOT)))
    return {**os.environ, "PYTHONPATH": paths, **settings, **variables}


def completed(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m kimi_openai ...` in another process, after it has ended."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "kimi_openai", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env=environment(**variables),
    )


@contextmanager
def started(*arguments: str, kimi: Emulator | None = None) -> Iterator[Any]:
    """`python -m kimi_openai ...` in another process, while it runs. It is killed after `TIMEOUT`, which ends every
    read from it."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "kimi_openai", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(kimi),
    )
    timer = threading.Timer(TIMEOUT, process.kill)
    timer.start()
    try:
        with process:
            try:
                yield process
            finally:
                process.kill()
    finally:
        timer.cancel()
