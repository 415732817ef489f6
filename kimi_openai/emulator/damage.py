"""Damage to an answer on its way: what breaks, where, and what is left of the frames.

Pure: a list of frames goes in and another comes out; the server does what the frames say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .wire import Frame

__all__ = ["Damage", "damaged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What befalls an answer on its way: `insert` after `chunks` chunks or `nbytes` bytes, with the rest lost or not.

    `chunks` also takes "finish" and "done": just before that chunk. `nbytes=-1` means inside the first character of
    several bytes. `before_each` stands before every chunk. `as_json` answers a stream with plain JSON.
    """

    chunks: int | Literal["finish", "done"] | None = None
    nbytes: int | None = None
    insert: tuple[Frame, ...] = ()
    keeps_rest: bool = False
    before_each: tuple[Frame, ...] = ()
    as_json: bool = False


def _place(frames: Sequence[Frame], damage: Damage) -> int:
    """The index that the insert goes to; past the end when the answer is over before."""
    written = [index for index, frame in enumerate(frames) if isinstance(frame, bytes)]
    if damage.chunks in ("finish", "done"):
        mark = b'"finish_reason":"' if damage.chunks == "finish" else b"data: [DONE]"
        return next((i for i in written if mark in bytes(_bytes(frames[i]))), len(frames))
    count = int(damage.chunks or 0)
    return 0 if count <= 0 else written[count - 1] + 1 if count <= len(written) else len(frames)


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


def damaged(frames: Sequence[Frame], damage: Damage) -> list[Frame]:
    """The frames as the damage leaves them. An answer that is over before the place is reached stays whole.

    >>> damaged([b"a", b"b", b"c"], Damage(chunks=2, insert=(b"!",)))
    [b'a', b'b', b'!']
    """
    if damage.before_each:
        return [each for frame in frames for each in (*damage.before_each, frame)]
    if damage.nbytes is not None:
        nbytes = _inside_character(frames) if damage.nbytes < 0 else damage.nbytes
        return [*_cut_bytes(frames, nbytes), *damage.insert]
    place = _place(frames, damage)
    if damage.chunks is None or place >= len(frames):
        return list(frames)
    return [*frames[:place], *damage.insert, *(frames[place:] if damage.keeps_rest else ())]
