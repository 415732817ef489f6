"""Damage to the head of an answer, of such kinds that the body does not silently become another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from .meaning import is_fair
from .steps import CLOSE, Step
from .wire import Answer, Piece

__all__ = ["HEAD_DAMAGE"]

OTHER_STATUS = ("201 Created", "206 Partial Content", "301 Moved", "404 Not Found", "429 Too Many", "500 Oops")
NO_CONTENT = ("204 No Content", "205 Reset Content", "304 Not Modified")
"""A file may have no content, so these are for JSON only."""

NO_STATUS = (
    b"HTTX/1.1 200 OK",
    b"HTTP/1.1 2x0 OK",
    b"HTTP/1.1 20 OK",
    b"HTTP/1.1 2000 OK",
    b"HTTP/1.1 000 OK",
    b"HTTP/1.1 999 OK",
    b"HTTP/1.1200 OK",
    b"HTTP/9.9 200 OK",
    b"HTTP/1.1 101 Switching Protocols",
    b"HTTP/1.1 100 Continue",
    b"HTTP/1.1",
    b"200 OK",
    b"",
    b"\x16\x03\x01\x00\xff",
    b"HTTP/1.1 200 O\x00K",
    b"HTTP/1.1 200 " + b"O" * 200_000,
)


def bad_status(answer: Answer, random: Random) -> list[Step]:
    others = OTHER_STATUS if answer.is_verbatim else OTHER_STATUS + NO_CONTENT
    lines = [*NO_STATUS, *(b"HTTP/1.1 " + other.encode() for other in others)]
    if _means_the_same_without_framing(answer):
        lines.append(b"HTTP/1.0 200 OK")
    return [_raw([random.choice(lines) + b"\r\n", *_data(answer.pieces[1:])]), *_then(random)]


ODD_LINES = (
    b"no colon at all",
    b"X-Nul: a\x00b",
    b"X-Return: a\rb",
    b": no name",
    b"X Space: 1",
    b" folded",
    b"X-Latin: \xff\xfe",
    b"X-Long: " + b"x" * 150_000,
    b"\r\n".join(b"X-Many-%d: 1" % number for number in range(3000)),
    b"Content-Encoding: gzip",
    b"Content-Encoding: deflate",
    b"Content-Encoding: none-such",
    b"Content-Length: -5",
    b"Content-Length: 12x",
    b"Content-Length: 9999999999999999999999",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: odd",
    b"Connection: close",
    b"Location: http://127.0.0.1:1/",
    b"Retry-After: nan",
)


def odd_header(answer: Answer, random: Random) -> list[Step]:
    """A line too many; none that concerns the framing before a file's content, which may have any length."""
    framing = (b"content-length", b"transfer-encoding", b" ")
    lines = [line for line in ODD_LINES if _unframed_is_fair(answer) or not line.lower().startswith(framing)]
    pieces = _data(answer.pieces)
    pieces.insert(random.randrange(1, len(answer.head)), random.choice(lines) + b"\r\n")
    return [_raw(pieces), *_then(random)]


def wrong_length(answer: Answer, random: Random) -> list[Step] | None:
    """A length that is not the body's; for a file's content only one that is more."""
    if answer.is_chunked or answer.ends_by_close:
        return None
    size = len(answer.body)
    sizes = [size + 1, size + 7, size * 10]
    sizes += [less for less in (0, 1, size // 2, size - 1) if is_fair(answer, answer.body[:less])]
    line = b"Content-Length: %d\r\n" % random.choice(sizes)
    return [_raw(_replaced(answer, b"content-length", line)), *_then(random)]


def wrong_type(answer: Answer, random: Random) -> list[Step] | None:
    if answer.is_verbatim:
        return None
    kinds = ("text/event-strexm", "text/html", "application/json", "application/jsXn", "text/plain", "", "\xff/\xff")
    line = f"Content-Type: {random.choice(kinds)}\r\n".encode("latin-1")
    return [_raw(_replaced(answer, b"content-type", line)), *_then(random)]


def lost_header(answer: Answer, random: Random) -> list[Step] | None:
    """The name of a header is damaged, that of the framing only where it can be noticed."""
    framing = (b"content-length", b"transfer-encoding", b"content-type")
    names = [
        at
        for at, piece in enumerate(answer.pieces)
        if piece.kind == "header" and (_unframed_is_fair(answer) or not piece.data.lower().startswith(framing))
    ]
    if not names:
        return None
    pieces, at = _data(answer.pieces), random.choice(names)
    pieces[at] = b"Z" + pieces[at][1:]
    return [_raw(pieces), *_then(random)]


HEAD_DAMAGE: Mapping[str, Callable[[Answer, Random], list[Step] | None]] = {
    "bad status": bad_status,
    "odd header": odd_header,
    "wrong length": wrong_length,
    "wrong type": wrong_type,
    "lost header": lost_header,
}


def _then(random: Random) -> list[Step]:
    """The connection is closed after the damage, or stays open."""
    return random.choice(([], [CLOSE]))


def _means_the_same_without_framing(answer: Answer) -> bool:
    return not answer.is_chunked or _unframed_is_fair(answer)


def _unframed_is_fair(answer: Answer) -> bool:
    """Whether a reader that takes all that follows for the body, chunk sizes too, can notice it."""
    return not answer.is_verbatim and is_fair(answer, _raw(_data(answer.framed)))


def _replaced(answer: Answer, name: bytes, line: bytes) -> list[bytes]:
    return [
        line if piece.kind == "header" and piece.data.lower().startswith(name) else piece.data
        for piece in answer.pieces
    ]


def _data(pieces: tuple[Piece, ...]) -> list[bytes]:
    return [piece.data for piece in pieces]


def _raw(pieces: list[bytes]) -> bytes:
    return b"".join(pieces)
