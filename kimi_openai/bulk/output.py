"""The output file of a bulk run, which is its checkpoint too: one JSON line for each answer, in the order they come.

A line is written by one call of the system, so a killed process leaves at most one torn line, at the end; the next run
removes it. Power loss takes at most the lines of the last second (`sync`). One run at a time has the file (a lock of
the system's, which ends with the process).
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import OutputError
from .foreign import foreign_part
from .json_lines import parsed
from .locking import lock

__all__ = ["OutputFile"]

PIECE = 1 << 16


class OutputFile:
    """A JSONL file that is only appended to. Raises `OutputError` if another run has it, or none has written it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _opened(path)
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            os.close(self._file)
            raise OutputError(f"{path} is no regular file, and answers could not be read again there; choose a file")
        self._unlock = _nothing
        self._is_dirty = False
        self.begin = 0
        """Where the lines begin that count. Those before it are asked again."""
        try:
            self._unlock = lock(self._file, path)
            _check(path)
            self._end = self._repair()
        except BaseException:
            self.close()
            raise

    def records(self, begin: int | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
        """The lines that count, or those from another offset on, each with its offset.

        A line that is damaged is overwritten with blanks.
        """
        offset = self.begin if begin is None else begin
        with self.path.open("rb") as lines:
            lines.seek(offset)
            for line in lines:
                record = parsed(line)
                if record is not None:
                    yield offset, record
                elif line.strip():
                    self._write(b" " * (len(line) - 1), offset)
                offset += len(line)

    def record_at(self, offset: int) -> dict[str, Any]:
        """The line that begins there."""
        with self.path.open("rb") as lines:
            lines.seek(offset)
            record: dict[str, Any] = json.loads(lines.readline())
            return record

    def append(self, line: str) -> None:
        """Write a line, all of it or nothing: after a full disk the file ends with the line before.

        Half of a character, which UTF-8 does not have, is escaped as JSON does it.
        """
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        written = 0
        try:
            while written < len(data):
                written += self._write(data[written:], self._end + written)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise
        self._end += written
        self._is_dirty = True

    @property
    def end(self) -> int:
        """Where the next line begins."""
        return self._end

    def rewrite(self, lines: Iterable[bytes]) -> None:
        """Let a file with these lines take its place, in one step: a killed process leaves one of the two."""
        new = self.path.with_name(f"{self.path.name}.tmp")
        try:
            with new.open("wb") as target:
                target.writelines(lines)
                target.flush()
                os.fsync(target.fileno())
            self._replace(new)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        self.begin = 0

    def _replace(self, new: Path) -> None:
        if os.name == "nt":  # where an open file is not replaced, and the lock is on another one
            os.close(self._file)
        try:
            os.replace(new, self.path)
        finally:
            if os.name != "nt":  # not before: until then another run must not write to what is replaced
                self._close()
            self._file = _opened(self.path)
        self._end = os.fstat(self._file).st_size

    def sync(self) -> None:
        """Write what is buffered to the disk."""
        if self._is_dirty:
            self._is_dirty = False
            os.fsync(self._file)

    def close(self) -> None:
        """Sync, unlock and close the file."""
        try:
            self.sync()
        finally:
            self._close()

    def _close(self) -> None:
        self._unlock()
        self._unlock = _nothing
        os.close(self._file)

    def _write(self, data: bytes, offset: int) -> int:
        os.lseek(self._file, offset, os.SEEK_SET)
        return os.write(self._file, data)

    def _read(self, size: int, offset: int) -> bytes:
        os.lseek(self._file, offset, os.SEEK_SET)
        return os.read(self._file, size)

    def _repair(self) -> int:
        """Remove a torn last line, or complete it if only its end is missing. Returns the size of the file."""
        size = os.fstat(self._file).st_size
        start = self._start_of_last_line(size)
        last = self._read(size - start, start)
        if not last:
            return size
        if parsed(last) is None:
            os.ftruncate(self._file, start)
            return start
        if not last.endswith(b"\n"):
            self._write(b"\n", size)
            return size + 1
        return size

    def _start_of_last_line(self, size: int) -> int:
        place = max(size - 1, 0)  # the last byte may be the end of the last line
        while place > 0:
            start = max(place - PIECE, 0)
            found = self._read(place - start, start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            place = start
        return 0


def _nothing() -> None:
    """Nothing is locked."""


def _check(path: Path) -> None:
    with path.open("rb") as lines:
        part = foreign_part(lines)
    if part:
        raise OutputError(
            f"{path} is there already, and no output of a bulk run: {part}; nothing was changed, choose another output"
        )


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
