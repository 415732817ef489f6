"""What the proxy does to one answer: pure functions from an answer to steps, `None` if a fault does not fit the answer.

Damage to the head is in `head_damage`, to the body in `body_damage`; here is what concerns time and the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from random import Random

from .body_damage import BODY_DAMAGE
from .head_damage import HEAD_DAMAGE
from .steps import CLOSE, FOREVER, RESET, Drip, Pause, Repeat, Step
from .wire import Answer, Piece

__all__ = ["ANSWER_FAULTS", "CONNECTION_FAULTS", "HARMLESS", "REQUEST_FAULTS", "raw", "steps_of"]

Fault = Callable[[Answer, Random], "list[Step] | None"]

SHORT = 0.2
"""Seconds of a pause that must not matter."""

PART = 0.02
"""Seconds between bytes that are written in parts."""

LONG = 6.0
"""Seconds, more than any patience of a run."""


def raw(pieces: tuple[Piece, ...]) -> bytes:
    """The pieces as bytes."""
    return b"".join(piece.data for piece in pieces)


def nothing(answer: Answer, _: Random) -> list[Step]:
    return [raw(answer.pieces)]


def short_pause(answer: Answer, random: Random) -> list[Step]:
    whole = raw(answer.pieces)
    at = random.randrange(len(whole))
    return [whole[:at], Pause(random.uniform(0, SHORT)), whole[at:]]


def early_hints(answer: Answer, _: Random) -> list[Step]:
    return [b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n" + raw(answer.pieces)]


def late_head(answer: Answer, random: Random) -> list[Step]:
    return [Pause(random.uniform(SHORT, LONG)), raw(answer.pieces)]


def no_head(_: Answer, random: Random) -> list[Step]:
    return [random.choice((FOREVER, RESET, CLOSE))]


def dripping_head(answer: Answer, random: Random) -> list[Step]:
    head = raw(answer.head)
    return [Drip(head, LONG / len(head) * random.uniform(0.1, 1.2)), raw(answer.framed)]


def interim_heads_forever(_: Answer, random: Random) -> list[Step]:
    return [Repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n", random.uniform(0.05, 0.5))]


def cut_head(answer: Answer, random: Random) -> list[Step]:
    head = raw(answer.head)
    return [head[: random.randrange(1, len(head))], random.choice((FOREVER, RESET, CLOSE))]


def late_body(answer: Answer, random: Random) -> list[Step]:
    head, body = raw(answer.head), raw(answer.framed)
    at = random.randrange(len(body))
    return [head + body[:at], Pause(random.uniform(SHORT, LONG)), body[at:]]


def dripping_body(answer: Answer, random: Random) -> list[Step]:
    body = raw(answer.framed)
    return [raw(answer.head), Drip(body, random.choice((0.02, 0.1, 0.3)))]


def cut_body(answer: Answer, random: Random) -> list[Step] | None:
    """Not for a file's content that ends with the connection: it may end anywhere."""
    if answer.is_verbatim and answer.ends_by_close:
        return None
    body = raw(answer.framed)
    return [raw(answer.head) + body[: random.randrange(len(body))], random.choice((FOREVER, RESET, CLOSE))]


def comments_forever(answer: Answer, random: Random) -> list[Step] | None:
    if not (answer.is_stream and answer.is_chunked):
        return None
    pieces = answer.pieces
    ends = [at for at, piece in enumerate(pieces) if piece.kind == "crlf" and pieces[at - 1].data.endswith(b"\n\n")]
    at = random.choice([len(answer.head) - 1, *ends]) + 1
    return [raw(pieces[:at]), Repeat(b"e\r\n: keep-alive\n\n\r\n", random.uniform(0.05, 0.5))]


def after_done(answer: Answer, random: Random) -> list[Step] | None:
    """A stream up to `[DONE]`, then silence, comments for ever, or the end of the connection."""
    if not (answer.is_stream and answer.is_chunked and b"data: [DONE]" in answer.body):
        return None
    comments = Repeat(b"e\r\n: keep-alive\n\n\r\n", random.uniform(0.05, 0.5))
    return [raw(answer.pieces[:-1]), random.choice((FOREVER, CLOSE, comments))]


def gateway_page(_: Answer, random: Random) -> list[Step]:
    status = random.choice(("502 Bad Gateway", "503 Service Unavailable", "504 Gateway Time-out"))
    page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\r\n"
    wait = random.choice(("", "Retry-After: 1\r\n", "Retry-After: 1e9\r\n", "Retry-After: soon\r\n"))
    return [f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{wait}Content-Length: {len(page)}\r\n\r\n{page}".encode()]


CONNECTION_FAULTS: Mapping[str, tuple[Step, ...]] = {
    "reset at accept": (RESET,),
    "closed at accept": (CLOSE,),
    "silent from accept": (FOREVER,),
}
"""What happens to a connection before anything of a request is read."""

REQUEST_FAULTS: Mapping[str, tuple[Step, ...]] = {
    "deaf": (FOREVER,),
    "reset in the upload": (RESET,),
    "refused in the upload": (b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", CLOSE),
}
"""What happens to a request of which only the head is read."""

ANSWER_FAULTS: Mapping[str, Fault] = {
    "nothing": nothing,
    "short pause": short_pause,
    "early hints": early_hints,
    "after [DONE]": after_done,
    "late head": late_head,
    "no head": no_head,
    "dripping head": dripping_head,
    "interim heads forever": interim_heads_forever,
    "cut head": cut_head,
    "late body": late_body,
    "dripping body": dripping_body,
    "cut body": cut_body,
    "comments forever": comments_forever,
    "gateway page": gateway_page,
    **HEAD_DAMAGE,
    **BODY_DAMAGE,
}

HARMLESS = frozenset({"nothing", "short pause", "early hints", "after [DONE]"})
"""A run that meets nothing else must have its answer."""


def steps_of(name: str, seed: int, answer: Answer) -> tuple[str, list[Step]]:
    """The name of a fault and its steps. If it does not fit the answer, the body is cut or, at last, nothing breaks.

    Bytes are written at once or in parts: what comes with the head meets other code in a client than what comes later.
    The end of the connection follows if it is the end of the body.
    """
    random = Random(seed)
    for each in (name, "cut body", "nothing"):
        steps = ANSWER_FAULTS[each](answer, random)
        if steps is not None:
            written = _in_parts(steps, len(raw(answer.head)), random)
            return each, [*written, CLOSE] if answer.ends_by_close else written
    raise AssertionError("unreachable")


def _in_parts(steps: list[Step], head: int, random: Random) -> list[Step]:
    if random.random() < 0.4:
        return steps
    parts: list[Step] = []
    for step in steps:
        if isinstance(step, bytes) and len(step) > 1:
            places = {at for at in (head, *(random.randrange(1, len(step)) for _ in range(3))) if at < len(step)}
            for start, end in pairwise([0, *sorted(places), len(step)]):
                parts += [step[start:end], Pause(PART)]
        else:
            parts.append(step)
    return parts
