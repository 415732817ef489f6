"""Damage to frames, without a socket."""

from __future__ import annotations

import pytest

from kimi_openai.emulator import (
    Damage,
    comments,
    drop_after,
    ends_after,
    error_event,
    garbage,
    reset_after,
    slow,
    stall,
)
from kimi_openai.emulator.faults.damage import damaged_frames, damaged_response
from kimi_openai.emulator.frames import Cut, Frame, Pause, Response, event

A, B = event("{}"), event('{"finish_reason":"stop"}')
FRAMES: list[Frame] = [A, Pause(1), A, B, event("[DONE]")]
END = Cut("end")

CASES: dict[str, tuple[Damage, list[Frame]]] = {
    "reset after 0": (reset_after(0), [Cut()]),
    "reset, by default": (reset_after(), [A, Cut()]),
    "drop, by default": (drop_after(), [A, Cut("drop")]),
    "reset after 2": (reset_after(2), [A, Pause(1), A, Cut()]),
    "reset after more than there is": (reset_after(9), FRAMES),
    "drop after bytes": (drop_after(nbytes=len(A) + 3), [A, Pause(1), A[:3], Cut("drop")]),
    "drop at a border": (drop_after(nbytes=len(A)), [A, Pause(1), Cut("drop")]),
    "end before [DONE]": (ends_after(), [*FRAMES[:4], END]),
    "end before the finish": (ends_after("finish"), [*FRAMES[:3], END]),
    "end after 1": (ends_after(1), [A, END]),
    "stall": (stall(1), [A, Pause(float("inf")), *FRAMES[1:]]),
    "error event": (
        error_event(1, message="m", type="t"),
        [A, event('{"error":{"message":"m","type":"t"}}'), END],
    ),
    "garbage": (garbage(1), [A, event('{"id":"chatcmpl-'), *FRAMES[1:]]),
}


@pytest.mark.parametrize(("damage", "left"), CASES.values(), ids=CASES)
def test_damage(damage: Damage, left: list[Frame]) -> None:
    """The insert is at its place, and the rest is lost or kept as the damage says."""
    assert damaged_frames(FRAMES, damage) == left


def test_damage_before_each() -> None:
    """Comments and waits are before every frame."""
    assert damaged_frames([A, B], comments("hi")) == [b": hi\n\n", A, b": hi\n\n", B]
    assert damaged_frames([A], slow(2)) == [Pause(2), A]


def test_reset_inside_a_character() -> None:
    """nbytes=-1 leaves the first byte of the first character of several bytes."""
    got = damaged_frames([b"ab", "c你".encode()], reset_after(nbytes=-1))
    assert got == [b"ab", b"c\xe4", Cut()]


def test_errors_stay_whole() -> None:
    """An error response is not damaged."""
    response = Response((b"{}",), 400)
    assert damaged_response(response, reset_after(0)) is response


def test_a_body_breaks_in_its_middle() -> None:
    """A body that is not streamed has two halves, and the announced size is that of the whole."""
    got = damaged_response(Response((b"abcd",)), drop_after(5))
    assert (got.frames, got.size) == ((b"ab", Cut("drop")), 4)
