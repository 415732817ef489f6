"""Splits the bytes of a server-sent event stream into the data of its events, in pieces of any size.

Comments, names, ids, events without data, and a byte order mark at the start are left out (HTML standard, server-sent
events). An event without the blank line at its end does not count by the standard, but servers end a body like that:
`flush` returns it, and the caller decides. Nothing here reads JSON or a socket.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Sequence

__all__ = ["DONE", "Splitter"]

DONE = b"[DONE]"
"""The data of the last event begins with this."""


class Splitter:
    r"""The data of the events that each piece of the stream completes, as undecoded UTF-8.

    >>> splitter = Splitter()
    >>> splitter.feed(b'data: {"a":'), splitter.feed(b' 1}\n\n: alive\n\ndata: [DO'), splitter.feed(b"NE]\r\n\r\n")
    ([], [b'{"a": 1}'], [b'[DONE]'])
    """

    __slots__ = ("_after_cr", "_rest", "_start")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._start: bytes | None = b""
        self._after_cr = False

    def feed(self, piece: bytes) -> Sequence[bytes]:
        """The events that `piece` completes."""
        if self._start is not None:
            piece = self._without_mark(piece)
        if self._after_cr or b"\r" in piece:
            piece = self._with_newlines(piece)
        is_whole = not self._rest and piece.endswith(b"\n\n")  # the usual case
        events = piece[:-2].split(b"\n\n") if is_whole else self._complete_events(piece)
        return [
            data
            for event in events
            if (data := event[6:] if event.startswith(b"data: ") and b"\n" not in event else _data(event))
        ]

    def flush(self) -> bytes:
        """The data of the event that the end of the body left open; empty if there is none."""
        data = _data(bytes(self._rest))
        self._rest.clear()
        return data

    def _without_mark(self, piece: bytes) -> bytes:
        """The piece without the byte order mark that the stream may begin with."""
        start = (self._start or b"") + piece
        if len(start) < len(BOM_UTF8) and BOM_UTF8.startswith(start):
            self._start = start
            return b""
        self._start = None
        return start.removeprefix(BOM_UTF8)

    def _complete_events(self, piece: bytes) -> list[bytes]:
        """The events that end in `piece`, joined with their earlier bytes. Bytes of an unfinished event are kept."""
        rest = self._rest
        before = len(rest)
        rest += piece
        end = rest.rfind(b"\n\n", max(before - 1, 0))  # earlier bytes have been searched
        if end < 0:
            return []
        events = bytes(rest[:end]).split(b"\n\n")
        del rest[: end + 2]
        return events

    def _with_newlines(self, piece: bytes) -> bytes:
        """The piece with LF for CR and CRLF. If the last piece ended in CR, a LF at the start belongs to that."""
        if self._after_cr and piece:
            self._after_cr = False
            piece = piece.removeprefix(b"\n")
        if b"\r" in piece:
            self._after_cr = piece.endswith(b"\r")
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return piece


def _data(event: bytes) -> bytes:
    """The data lines of an event of any form, joined."""
    lines: list[bytes] = []
    for line in event.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            lines.append(value.removeprefix(b" "))
    return b"\n".join(lines)
