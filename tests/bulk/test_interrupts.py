"""Ctrl-C wherever a bulk run is just then. Other processes, and the second Ctrl-C, are in `test_run.py`."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kimi_openai import create_client
from kimi_openai.bulk import bulk
from kimi_openai.emulator import Emulator

from .conftest import Files, ids, line


def interrupt(*_: object) -> None:
    """Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


class Interrupted:
    """Rows; Ctrl-C comes while the third is read."""

    read = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number in range(1000):
            self.read += 1
            if self.read == 3:
                interrupt()
            yield line(number)


def test_while_the_input_is_checked(files: Files) -> None:
    """It ends the run at once, and not when the last of a million lines was read."""
    rows = Interrupted()
    with pytest.raises(KeyboardInterrupt, match="nothing was sent"):
        files.run(rows)
    assert rows.read < 10
    assert files.kimi.requests == []


def test_while_a_terminal_is_asked(files: Files) -> None:
    """The question ends at once, not when it is answered, and nothing is sent."""
    answered: list[bool] = []

    def confirm(_: object) -> bool:
        interrupt()
        answered.append(True)
        return True

    with pytest.raises(KeyboardInterrupt):
        files.run([line(0)], confirm=confirm)
    assert (answered, files.kimi.requests) == ([], [])


def test_inside_a_running_loop(kimi: Emulator, tmp_path: Path) -> None:
    """What is being answered is finished, although the loop takes the signal."""
    kimi.reply = lambda request: interrupt() if request.number == 3 else None

    async def cell() -> None:
        with create_client(base_url=kimi.base_url, api_key=kimi.api_key) as client:
            bulk(client, [line(number) for number in range(200)], tmp_path / "out.jsonl", concurrency=2)

    with pytest.raises(KeyboardInterrupt, match="stopped: interrupted"):
        asyncio.run(cell())
    assert len(ids(tmp_path / "out.jsonl")) == len(kimi.chats) < 200
