"""Bytes of a server-sent event stream become the data of its events: a pure splitter, fed in pieces of any size.

Only data passes: comments, names, ids and events without data are left out, and an event that its blank line never
closed does not count (HTML standard, server-sent events). Nothing here reads JSON or a socket.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["DONE", "Splitter"]

DONE = b"[DONE]"
"""What the data of the last event begins with."""


class Splitter:
    r"""The data of the events that each piece of the stream completes, as undecoded UTF-8.

    >>> splitter = Splitter()
    >>> splitter.feed(b'data: {"a":'), splitter.feed(b' 1}\n\n: alive\n\ndata: [DO'), splitter.feed(b"NE]\r\n\r\n")
    ([], [b'{"a": 1}'], [b'[DONE]'])
    """

    __slots__ = ("_after_cr", "_rest")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._after_cr = False

    def feed(self, piece: bytes) -> Sequence[bytes]:
        """The events that `piece` completes."""
        if self._after_cr or b"\r" in piece:
            piece = self._with_newlines(piece)
        is_whole = not self._rest and piece.endswith(b"\n\n")  # as it mostly is
        events = piece[:-2].split(b"\n\n") if is_whole else self._joined(piece)
        return [
            data
            for event in events
            if (data := event[6:] if event.startswith(b"data: ") and b"\n" not in event else _data(event))
        ]

    def _joined(self, piece: bytes) -> list[bytes]:
        """The events that end in `piece`, with what came of them before; the rest is kept."""
        rest = self._rest
        before = len(rest)
        rest += piece
        end = rest.rfind(b"\n\n", max(before - 1, 0))  # what was there before has been searched
        if end < 0:
            return []
        events = bytes(rest[:end]).split(b"\n\n")
        del rest[: end + 2]
        return events

    def _with_newlines(self, piece: bytes) -> bytes:
        """CR and CRLF as LF; a LF that belongs to the CR before it is dropped."""
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
