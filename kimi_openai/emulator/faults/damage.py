"""Damage to a response: what breaks, where, and which frames are left.

Pure: a response goes in and another comes out; the server does what its frames say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kimi_openai.emulator.frames import Frame, Response

__all__ = ["BEFORE_HEADERS", "Damage", "damaged_frames", "damaged_response"]

BEFORE_HEADERS = -1
"""For `Damage.chunks`: the insert replaces the whole response, and the request is not processed."""


LAST_EVENTS = (b"event: response.completed\n", b"event: response.incomplete\n")
"""How the last event of a stream of `/v1/responses` begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """`insert` is put after `chunks` chunks or `nbytes` bytes; what follows is lost unless `keeps_rest`.

    `chunks` may be "finish" or "done" (just before that chunk, or before the last event of `/v1/responses`) or -1
    (before the headers). `nbytes=-1` means within the first character of several bytes. `before_each` is put before
    every chunk. `as_json` answers a stream with plain JSON.
    """

    chunks: int | Literal["finish", "done"] | None = None
    nbytes: int | None = None
    insert: tuple[Frame, ...] = ()
    keeps_rest: bool = False
    before_each: tuple[Frame, ...] = ()
    as_json: bool = False


def damaged_response(response: Response, damage: Damage) -> Response:
    """The response after the damage. Error responses stay whole."""
    if response.status != 200:
        return response
    frames = response.frames if response.streaming else _halves(response.frames)
    if not response.streaming and isinstance(damage.chunks, int):
        damage = replace(damage, chunks=min(damage.chunks, 1))
    return replace(response, frames=tuple(damaged_frames(frames, damage)), size=len(response.body))


def _halves(frames: Sequence[Frame]) -> list[Frame]:
    """A non-streaming body in two writes, so that it can break in the middle."""
    halves: list[Frame] = []
    for frame in frames:
        if isinstance(frame, bytes):
            halves += [frame[: len(frame) // 2], frame[len(frame) // 2 :]]
        else:
            halves.append(frame)
    return halves


def damaged_frames(frames: Sequence[Frame], damage: Damage) -> list[Frame]:
    """The frames after the damage. They stay whole if they end before the place of the damage.

    >>> damaged_frames([b"a", b"b", b"c"], Damage(chunks=2, insert=(b"!",)))
    [b'a', b'b', b'!']
    """
    if damage.before_each:
        return [each for frame in frames for each in (*damage.before_each, frame)]
    if damage.nbytes is not None:
        nbytes = _inside_character(frames) if damage.nbytes < 0 else damage.nbytes
        return [*_cut_bytes(frames, nbytes), *damage.insert]
    if damage.chunks is None:
        return list(frames)
    index = _index(frames, damage.chunks)
    if index >= len(frames):
        return list(frames)
    return [*frames[:index], *damage.insert, *(frames[index:] if damage.keeps_rest else ())]


def _index(frames: Sequence[Frame], chunks: int | Literal["finish", "done"]) -> int:
    """The index that the insert gets; past the end if there are fewer chunks."""
    written = [index for index, frame in enumerate(frames) if isinstance(frame, bytes)]
    if isinstance(chunks, str):
        marks = (b'"finish_reason":"' if chunks == "finish" else b"data: [DONE]", *LAST_EVENTS)
        return next((index for index in written if any(mark in _bytes(frames[index]) for mark in marks)), len(frames))
    if chunks <= 0:
        return 0
    return written[chunks - 1] + 1 if chunks <= len(written) else len(frames)


def _bytes(frame: Frame) -> bytes:
    return frame if isinstance(frame, bytes) else b""


def _cut_bytes(frames: Sequence[Frame], nbytes: int) -> list[Frame]:
    """The frames up to so many bytes; all of them if there are fewer."""
    kept: list[Frame] = []
    for frame in frames:
        size = len(_bytes(frame))
        if size and nbytes < size:
            return [*kept, _bytes(frame)[:nbytes]] if nbytes else kept
        nbytes -= size
        kept.append(frame)
    return kept


def _inside_character(frames: Sequence[Frame]) -> int:
    body = b"".join(map(_bytes, frames))
    return next((at + 1 for at, byte in enumerate(body) if byte >= 0xC0), len(body) // 2)
