"""HTTP/1.1 messages as pieces, read strictly, so that the proxy can damage one part and keep the others."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

__all__ = ["Answer", "BadMessage", "Kind", "Piece", "Request", "read_answer", "read_request"]

Kind = Literal["status", "header", "blank", "size", "data", "crlf", "last"]
"""`blank` ends the head; `size`, `data`, `crlf` are a chunk; `last` is the last chunk with its trailers."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a message, as on the wire."""

    kind: Kind
    data: bytes


class BadMessage(ValueError):
    """Bytes that a strict reader refuses."""


@dataclass(frozen=True)
class Request:
    """A request: `raw` is all of it. `run` is the seed of the run that sent it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    raw: bytes

    @property
    def run(self) -> int:
        return int(self.headers["x-chaos-run"])

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """An answer in pieces; `path` is what was asked for."""

    pieces: tuple[Piece, ...]
    path: str = ""

    @cached_property
    def headers(self) -> dict[str, str]:
        """Header fields, names in lower case; the last one of a name wins."""
        lines = (piece.data.decode("latin-1") for piece in self.pieces if piece.kind == "header")
        pairs = (line.partition(":") for line in lines)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}

    @property
    def head(self) -> tuple[Piece, ...]:
        """Status line, headers and the blank line."""
        return tuple(piece for piece in self.pieces if piece.kind in ("status", "header", "blank"))

    @property
    def framed(self) -> tuple[Piece, ...]:
        """What follows the head."""
        return self.pieces[len(self.head) :]

    @property
    def body(self) -> bytes:
        """The body without chunk framing."""
        return b"".join(piece.data for piece in self.pieces if piece.kind == "data")

    @property
    def is_chunked(self) -> bool:
        return "transfer-encoding" in self.headers

    @property
    def ends_by_close(self) -> bool:
        """Whether the end of the connection is the end of the body."""
        return not self.is_chunked and "content-length" not in self.headers

    @property
    def is_stream(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/event-stream")

    @property
    def is_verbatim(self) -> bool:
        """Whether any bytes are a valid body, as of a file's content."""
        return self.path.endswith("/content")


async def read_request(reader: asyncio.StreamReader) -> Request:
    """The next request. IncompleteReadError if the client has left."""
    method, path, headers, head = await read_request_head(reader)
    raw, body = [head], b""
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
        raw.append(body)
    elif "transfer-encoding" in headers:
        chunks: list[Piece] = []
        await _read_chunks(reader, chunks)
        raw += [piece.data for piece in chunks]
        body = b"".join(piece.data for piece in chunks if piece.kind == "data")
    return Request(method, path, headers, body, b"".join(raw))


async def read_request_head(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes]:
    """Method, path, headers and all bytes of a request's head."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    return method, path.partition("?")[0], {name.lower(): value.strip() for name, _, value in pairs}, head


async def read_answer(reader: asyncio.StreamReader, path: str = "", pieces: list[Piece] | None = None) -> Answer:
    """The next answer. BadMessage or IncompleteReadError if it is not whole; `pieces` then has its beginning."""
    pieces = [] if pieces is None else pieces
    status = await reader.readuntil(b"\r\n")
    if not re.fullmatch(rb"HTTP/1\.1 \d{3} [^\r\n\0]*\r\n", status):
        raise BadMessage(status)
    pieces.append(Piece("status", status))
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        if not re.fullmatch(rb"[!-9;-~]+:[^\r\n\0]*\r\n", line):
            raise BadMessage(line)
        pieces.append(Piece("header", line))
    pieces.append(Piece("blank", b"\r\n"))
    head = Answer(tuple(pieces))
    if head.is_chunked:
        await _read_chunks(reader, pieces)
    elif head.ends_by_close:
        pieces.append(Piece("data", await reader.read()))
    else:
        await _read_data(reader, int(head.headers["content-length"]), pieces)
    return Answer(tuple(pieces), path)


async def _read_chunks(reader: asyncio.StreamReader, pieces: list[Piece]) -> None:
    while True:
        line = await reader.readuntil(b"\r\n")
        found = re.fullmatch(rb"([0-9A-Fa-f]+)(;[^\r\n]*)?\r\n", line)
        if not found:
            raise BadMessage(line)
        size = int(found[1], 16)
        if not size:
            last = line
            while (trailer := await reader.readuntil(b"\r\n")) != b"\r\n":
                last += trailer
            pieces.append(Piece("last", last + trailer))
            return
        pieces.append(Piece("size", line))
        await _read_data(reader, size, pieces)
        crlf = await reader.readexactly(2)
        if crlf != b"\r\n":
            raise BadMessage(crlf)
        pieces.append(Piece("crlf", crlf))


async def _read_data(reader: asyncio.StreamReader, size: int, pieces: list[Piece]) -> None:
    try:
        pieces.append(Piece("data", await reader.readexactly(size)))
    except asyncio.IncompleteReadError as error:
        pieces.append(Piece("data", error.partial))
        raise
