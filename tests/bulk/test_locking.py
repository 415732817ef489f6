"""The lock of an output file, also on systems without fcntl: there is one, or a clear error."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kimi_openai.bulk import OutputError
from kimi_openai.bulk.output import OutputFile

from .conftest import Files, line


class Windows(ModuleType):
    """`msvcrt` as far as it is used: a lock of an open file, which ends when that is closed."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.locked: dict[int, int] = {}

    def locking(self, file: int, mode: int, size: int) -> None:
        """Lock it, or raise as the real one does if another descriptor has it."""
        assert (mode, size) == (self.LK_NBLCK, 1)
        inode = os.fstat(file).st_ino
        holder = self.locked.get(inode)
        if holder not in (None, file) and _is_open(holder, inode):
            raise OSError(13, "Permission denied")
        self.locked[inode] = file


def _is_open(file: Any, inode: int) -> bool:
    try:
        return os.fstat(file).st_ino == inode
    except OSError:
        return False


@pytest.fixture(params=["fcntl", "msvcrt"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Linux or macOS, and Windows."""
    if request.param == "msvcrt":
        monkeypatch.setitem(sys.modules, "fcntl", None)
        monkeypatch.setitem(sys.modules, "msvcrt", Windows())
    return str(request.param)


@pytest.mark.usefixtures("system")
def test_a_second_run_is_refused(files: Files) -> None:
    """Until the first one ends; then nothing is left of the lock."""
    files.write([line(0), line(1)])
    other = OutputFile(files.output)
    with pytest.raises(OutputError, match="another run writes to"):
        files.run()
    assert files.kimi.requests == []
    other.close()
    assert files.run(ordered=True).answered == 2
    assert sorted(each.name for each in files.output.parent.iterdir()) == ["in.jsonl", "out.errors.jsonl", "out.jsonl"]


def test_a_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run does not begin, and says why."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", None)
    with pytest.raises(OutputError, match="neither fcntl nor msvcrt"):
        OutputFile(tmp_path / "out.jsonl")


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems have none."""

    def flock(*_: Any) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(OutputError, match=r"cannot be locked \(No locks available\); choose an output on a local disk"):
        OutputFile(tmp_path / "out.jsonl")
