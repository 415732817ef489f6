"""Damage to the body of an answer and to its framing, of such kinds that a careful reader can notice it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from .meaning import is_fair, json_spans
from .steps import CLOSE, Step
from .wire import Answer, Piece

__all__ = ["BODY_DAMAGE"]

TRIES = 40


def truncated(answer: Answer, random: Random) -> list[Step] | None:
    """The body ends early, and the framing says that this is all of it."""
    if answer.is_verbatim:
        return None
    size = random.randrange(len(answer.body))
    if not is_fair(answer, answer.body[:size]):
        return None
    return _sent(answer, answer.body[:size], random)


def bad_json(answer: Answer, random: Random) -> list[Step] | None:
    """One byte of a JSON object becomes another, such that it is JSON no more."""
    spans = [] if answer.is_verbatim else json_spans(answer)
    for _ in range(TRIES if spans else 0):
        at = random.randrange(*random.choice(spans))
        byte = random.choice((b"\xff", b"\x80", b"\x01", b"\x00", b"}", b"{", b'"', b"X", b","))
        body = answer.body[:at] + byte + answer.body[at + 1 :]
        if _is_broken(answer, body):
            return _sent(answer, body, random)
    return None


def _is_broken(answer: Answer, body: bytes) -> bool:
    return is_fair(answer, body) and not is_fair(_with_body(answer, body), answer.body)


def lost_blank_line(answer: Answer, random: Random) -> list[Step] | None:
    """Two events of a stream become one."""
    at = answer.body.find(b"\n\ndata: {", random.randrange(len(answer.body) + 1)) if answer.is_stream else -1
    if at < 0:
        return None
    body = answer.body[:at] + b" " + answer.body[at + 1 :]
    return _sent(answer, body, random) if is_fair(answer, body) else None


def doubled(answer: Answer, random: Random) -> list[Step] | None:
    """A few bytes come twice, and neither length nor chunk sizes know of it."""
    datas = [at for at, piece in enumerate(answer.pieces) if piece.kind == "data" and len(piece.data) > 2]
    for _ in range(TRIES if datas else 0):
        at = random.choice(datas)
        data = answer.pieces[at].data
        start = random.randrange(len(data) - 1)
        end = random.randrange(start + 1, len(data))
        more = data[:end] + data[start:]
        told = more if answer.ends_by_close else more[: len(data)]
        before = b"".join(piece.data for piece in answer.pieces[:at] if piece.kind == "data")
        if is_fair(answer, before + told) and (answer.is_chunked or told != data):
            return [_raw(answer.pieces[:at]) + more + _raw(answer.pieces[at + 1 :]), *_then(random)]
    return None


def bad_chunk_size(answer: Answer, random: Random) -> list[Step] | None:
    sizes = [at for at, piece in enumerate(answer.pieces) if piece.kind == "size"]
    if not sizes:
        return None
    at = random.choice(sizes)
    size = len(answer.pieces[at + 1].data)
    lines = [b"zz", b"", b"-1", b"%xg" % size, b"0x%x" % size, b"%x" % (size + 1)]
    lines += [b"%x" % less for less in (size - 1, size // 2) if 0 < less < size and _ends_oddly(answer, at, less)]
    if not answer.is_verbatim and is_fair(answer, _rest_as_data(answer, at)):
        lines += [b"%x" % (size * 16 + 1), b"f" * 20]  # which swallow the framing of what follows
    return [_raw(answer.pieces[:at]) + random.choice(lines) + b"\r\n" + _raw(answer.pieces[at + 1 :]), *_then(random)]


def _ends_oddly(answer: Answer, at: int, size: int) -> bool:
    """Whether a chunk that ends earlier is not followed by what looks like its end."""
    return answer.pieces[at + 1].data[size : size + 2] != b"\r\n"


def _rest_as_data(answer: Answer, at: int) -> bytes:
    before = b"".join(piece.data for piece in answer.pieces[:at] if piece.kind == "data")
    return before + _raw(answer.pieces[at + 1 :])


def bad_chunk_end(answer: Answer, random: Random) -> list[Step] | None:
    ends = [at for at, piece in enumerate(answer.pieces) if piece.kind == "crlf"]
    if not ends:
        return None
    at = random.choice(ends)
    end = random.choice((b"", b"XX", b"\r", b"\x00\xff\x00garbage"))
    return [_raw(answer.pieces[:at]) + end + _raw(answer.pieces[at + 1 :]), *_then(random)]


def junk_after_the_end(answer: Answer, random: Random) -> list[Step] | None:
    """Bytes that belong to no answer, on a connection that stays open."""
    if answer.ends_by_close:
        return None
    return [_raw(answer.pieces) + random.choice((b"\r\n\r\n", b"junk", b"\x00\xff", b"data: {}\n\n"))]


BODY_DAMAGE: Mapping[str, Callable[[Answer, Random], list[Step] | None]] = {
    "truncated": truncated,
    "bad JSON": bad_json,
    "lost blank line": lost_blank_line,
    "doubled": doubled,
    "bad chunk size": bad_chunk_size,
    "bad chunk end": bad_chunk_end,
    "junk after the end": junk_after_the_end,
}


def _sent(answer: Answer, body: bytes, random: Random) -> list[Step]:
    """The answer with another body, in the same framing."""
    return [_raw(_with_body(answer, body).pieces), *_then(random)]


def _with_body(answer: Answer, body: bytes) -> Answer:
    pieces: list[Piece] = []
    for piece in answer.pieces:
        if piece.kind == "header" and piece.data.lower().startswith(b"content-length"):
            pieces.append(Piece("header", b"Content-Length: %d\r\n" % len(body)))
        elif piece.kind == "data":
            data, body = body[: len(piece.data)], body[len(piece.data) :]
            pieces += _chunk(data) if answer.is_chunked else [Piece("data", data)]
        elif piece.kind not in ("size", "crlf"):
            pieces.append(piece)
    return Answer(tuple(pieces), answer.path)


def _chunk(data: bytes) -> list[Piece]:
    return [Piece("size", b"%x\r\n" % len(data)), Piece("data", data), Piece("crlf", b"\r\n")] if data else []


def _then(random: Random) -> list[Step]:
    return random.choice(([], [CLOSE]))


def _raw(pieces: tuple[Piece, ...]) -> bytes:
    return b"".join(piece.data for piece in pieces)
