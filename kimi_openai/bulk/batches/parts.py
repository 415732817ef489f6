"""The batches of a bulk run on the disk, so that a process that is killed submits none twice and loses none.

Each is a folder in `NAME.batches`, beside the output. It is written whole under another name and then renamed; its
name is the tag by which the batch is found again in the list of batches. It is deleted when all its answers are in the
output. In it are `requests.jsonl`, which is uploaded, `lines.jsonl` with what is not sent, and `batch.json`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from kimi_openai.bulk.index import Index, hash_of
from kimi_openai.bulk.requests import Request

__all__ = ["Part", "PartLines", "PartWriter", "parts_in"]

REQUESTS, LINES, STATE, UNFINISHED = "requests.jsonl", "lines.jsonl", "batch.json", ".tmp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One batch: its folder, its number of lines, their cost at most, its window, and its id once that is known."""

    folder: Path
    lines: int
    most: Decimal
    window: str
    batch_id: str = ""

    @property
    def tag(self) -> str:
        """What the batch has in its metadata."""
        return self.folder.name

    @property
    def requests(self) -> Path:
        """The file that is uploaded."""
        return self.folder / REQUESTS

    def submitted(self, batch_id: str) -> Part:
        """The part with its id, which is on the disk when this returns."""
        part = replace(self, batch_id=batch_id)
        _write_state(part, self.folder)
        return part

    def entries(self) -> Iterator[tuple[str, int]]:
        """The ids of its lines and the fingerprints of their requests."""
        with (self.folder / LINES).open("rb") as lines:
            for line in lines:
                record = json.loads(line)
                yield record["custom_id"], int(record["fingerprint"], 16)

    def ids(self) -> Iterator[str]:
        """The ids of its lines."""
        return (custom_id for custom_id, _ in self.entries())

    def remove(self) -> None:
        """Delete the folder, in one step as far as the next run sees."""
        unfinished = self.folder.with_name(self.folder.name + UNFINISHED)
        os.rename(self.folder, unfinished)
        shutil.rmtree(unfinished, ignore_errors=True)


def parts_in(folder: Path) -> list[Part]:
    """The parts of earlier runs, oldest first. What was not written whole is deleted: nothing of it was sent."""
    found: list[Part] = []
    for each in sorted(folder.iterdir()) if folder.is_dir() else ():
        if each.name.endswith(UNFINISHED):
            shutil.rmtree(each, ignore_errors=True)
        elif (each / STATE).is_file():
            state: dict[str, Any] = json.loads((each / STATE).read_bytes())
            state["most"] = Decimal(state["most"])
            found.append(Part(folder=each, **state))
    return found


class PartWriter:
    """Writes a new part. It exists for others only after `finish`."""

    def __init__(self, folder: Path, window: str) -> None:
        self._folder = folder / f"{len(list(folder.glob('*'))):06d}-{uuid4().hex}"
        self._written = self._folder.with_name(self._folder.name + UNFINISHED)
        self._written.mkdir(parents=True)
        self._requests, self._lines = (self._written / REQUESTS).open("wb"), (self._written / LINES).open("wb")
        self._window = window
        self._most, self._count = Decimal(0), 0
        self.size = 0

    def add(self, sent: bytes, request: Request, fingerprint: str, most: Decimal) -> None:
        """Add a line: as it is sent, the request that it is for, and what it costs at most."""
        record = {"custom_id": request.custom_id, "fingerprint": fingerprint, "line": request.number, "at": self.size}
        self._lines.write(json.dumps(record).encode() + b"\n")
        self.size += self._requests.write(sent + b"\n")
        self._most += most
        self._count += 1

    def finish(self) -> Part:
        """The part, which survives whatever happens to this process."""
        for file in (self._requests, self._lines):
            file.flush()
            os.fsync(file.fileno())
            file.close()
        part = Part(folder=self._folder, lines=self._count, most=self._most, window=self._window)
        _write_state(part, self._written)
        os.rename(self._written, self._folder)
        _sync_folder(self._folder.parent)
        return part

    def discard(self) -> None:
        """Delete what was written."""
        for file in (self._requests, self._lines):
            with suppress(OSError):  # what a full disk has not taken yet
                file.close()
        shutil.rmtree(self._written, ignore_errors=True)


class PartLines:
    """Finds the lines of a part by their ids. In memory are 16 bytes for each."""

    def __init__(self, part: Part) -> None:
        self._lines, self._requests = (part.folder / LINES).open("rb"), part.requests.open("rb")
        self._offsets = Index()
        offset = 0
        for line in self._lines:
            self._offsets.add(hash_of(json.loads(line)["custom_id"]), offset)
            offset += len(line)
        self._offsets.sort()

    def find(self, custom_id: str) -> tuple[Request, str] | None:
        """The request as it was sent and its fingerprint; `None` for an id that is not in the part."""
        offset = self._offsets.get(hash_of(custom_id))
        if offset is None:
            return None
        self._lines.seek(offset)
        record: dict[str, Any] = json.loads(self._lines.readline())
        self._requests.seek(record["at"])
        body: dict[str, Any] = json.loads(self._requests.readline())["body"]
        return Request(record["line"], record["custom_id"], body), record["fingerprint"]

    def close(self) -> None:
        """Close the files."""
        self._lines.close()
        self._requests.close()


def _write_state(part: Part, folder: Path) -> None:
    state = {name: value for name, value in asdict(part).items() if name != "folder"}
    new = folder / (STATE + UNFINISHED)
    with new.open("w", encoding="utf-8") as file:
        json.dump({**state, "most": str(part.most)}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, folder / STATE)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk, where the system can do that."""
    with suppress(OSError):  # Windows opens no folders
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
