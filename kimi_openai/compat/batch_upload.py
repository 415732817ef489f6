"""Reads a batch file that is uploaded, and writes the one that is sent: `batch_lines` says what is in it.

The caller's file is read once, a line at a time, and its position stays. The new file is in memory up to some size and
on the disk beyond it, so that the SDK can send it again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from io import SEEK_SET, BytesIO, RawIOBase
from tempfile import SpooledTemporaryFile
from typing import Any, cast

import anyio.to_thread
import openai

from kimi_openai._internal.flow import AnyClient, Flow
from kimi_openai.errors.exceptions import Note

from .batch_lines import BatchLines
from .pipeline import Shaped
from .rule import Body, fatal

__all__ = ["MAX_FILE_BYTES", "LineFile", "shaped_files"]

MAX_FILE_BYTES = 100 * 1024 * 1024
"""Source: docs, batch guide, 2026-09-03."""

MOST_IN_MEMORY = 4 * 1024 * 1024

PIECE = 64 * 1024

MEDIA_TYPE = "application/jsonl"


class LineFile(RawIOBase):
    """A file of lines that is sent: in memory, or on the disk if it is large. It is closed when nothing refers to it
    any more."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(MOST_IN_MEMORY)  # noqa: SIM115 - `close` closes it
        self.size = 0

    def add(self, line: bytes) -> None:
        """Append a line."""
        self.size += self._file.write(line + b"\n")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        return self._file.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        self._file.seek(offset, whence)
        return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        super().close()


def shaped_files(client: AnyClient, files: Any, shape: Callable[[Body], Shaped]) -> Flow[tuple[Any, tuple[Note, ...]]]:
    """The files of an upload, in the HTTP library's form, with the batch file as Kimi accepts it, and the notes; as a
    flow. `shape` makes the body of a chat request one that Kimi accepts."""
    entries: list[Any] = [*files.items()] if hasattr(files, "items") else [*files]
    notes: list[Note] = []
    sent: list[Any] = []
    for name, entry in entries:
        if name == "file":

            def work(entry: Any = entry) -> Any:
                return _shaped_entry(entry, shape, notes)

            entry = yield anyio.to_thread.run_sync(work) if isinstance(client, openai.AsyncOpenAI) else work()
        sent.append((name, entry))
    return sent, tuple(notes)


def _shaped_entry(entry: Any, shape: Callable[[Body], Shaped], notes: list[Note]) -> Any:
    """(name, content, media type, ...) of the file that is sent."""
    parts: list[Any] = [*entry] if type(entry) is tuple else [None, entry]
    name, content, rest = parts[0] or _name_of(parts[1]), parts[1], parts[2:]
    sent = name if name.endswith(".jsonl") else f"{os.path.splitext(name)[0] or 'batch'}.jsonl"
    if sent != name:
        why = "the name of a batch file must end with .jsonl"
        notes.append(Note("filename", "file", f"sent as {sent!r}", why, f"name it {sent!r}"))
    file = _shaped_file(content, BatchLines(shape), notes)
    return (sent, file, *(rest or (MEDIA_TYPE,)))


def _name_of(content: Any) -> str:
    """The name of an open file; "" if it has none."""
    name: object = getattr(content, "name", None)  # a number if the file was opened by descriptor
    return os.path.basename(name) if isinstance(name, str) else ""


def _shaped_file(content: Any, lines: BatchLines, notes: list[Note]) -> LineFile:
    file = LineFile()
    with _position_kept(content) as source:
        for number, line in enumerate(_lines(source), 1):
            shaped = lines.shaped(line, number)
            if shaped:
                file.add(shaped)
            if lines.is_hopeless or file.size > MAX_FILE_BYTES:
                break
    notes += lines.notes()
    if file.size > MAX_FILE_BYTES:
        why = "400 'File size is too large, max file size is 100MB, please confirm and re-upload the file'"
        notes.append(fatal("batch_file", "file", why, "split the file, or upload images and refer to them by ms://"))
    file.seek(0)
    return file


@contextmanager
def _position_kept(content: Any) -> Generator[Any, None, None]:
    """A file object with the content from its beginning. A file of the caller gets its position back."""
    if isinstance(content, str):
        content = content.encode()
    if isinstance(content, bytes | bytearray):
        yield BytesIO(content)
        return
    if isinstance(content, os.PathLike):  # older SDKs leave it in a pair of a name and a path
        with open(cast("os.PathLike[str]", content), "rb") as file:
            yield file
        return
    position = None
    with suppress(AttributeError, OSError, ValueError):  # a pipe, for example
        position = content.tell()
        content.seek(0)  # where the HTTP library begins, too
    try:
        yield content
    finally:
        if position is not None:
            content.seek(position)


def _lines(source: Any) -> Iterator[bytes]:
    """The lines of a file object, which need have no more than `read`."""
    held = bytearray()
    while piece := source.read(PIECE):
        if not isinstance(piece, bytes | bytearray):
            raise TypeError(f"the file's read() returns {type(piece).__name__}, not bytes; open it with mode 'rb'")
        held += piece
        if b"\n" in piece:
            *whole, rest = held.split(b"\n")
            held = bytearray(rest)
            yield from map(bytes, whole)
    if held:
        yield bytes(held)
