"""Damage to frames, and the answers of faults, without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_openai.emulator import (
    Damage,
    Fault,
    comments,
    content_filtered,
    drop_after,
    ends_after,
    error_event,
    garbage,
    html,
    internal_error,
    out_of_quota,
    overloaded,
    parse_fault,
    rate_limited,
    reset,
    reset_after,
    slow,
    stall,
)
from kimi_openai.emulator.damage import damaged
from kimi_openai.emulator.faults import FAULTS
from kimi_openai.emulator.wire import Answer, Cut, Frame, Pause, event

from .http import error_of

A, B = event("{}"), event('{"finish_reason":"stop"}')
FRAMES: list[Frame] = [A, Pause(1), A, B, event("[DONE]")]
END = Cut("end")

CASES: dict[str, tuple[Damage, list[Frame]]] = {
    "reset after 0": (reset_after(0), [Cut()]),
    "reset, not said where": (reset_after(), [A, Cut()]),
    "drop, not said where": (drop_after(), [A, Cut("drop")]),
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
    """Damage falls where it says, and the rest is lost or kept as it says."""
    assert damaged(FRAMES, damage) == left


def test_damage_before_each() -> None:
    """Comments and waits stand before every frame."""
    assert damaged([A, B], comments("hi")) == [b": hi\n\n", A, b": hi\n\n", B]
    assert damaged([A], slow(2)) == [Pause(2), A]


def test_reset_inside_a_character() -> None:
    """nbytes=-1 leaves the first byte of the first character of several bytes."""
    got = damaged([b"ab", "c你".encode()], reset_after(nbytes=-1))
    assert got == [b"ab", b"c\xe4", Cut()]


ANSWERS: dict[str, Answer] = {
    "rate_organization": rate_limited(),
    "rate_concurrency": rate_limited("concurrency"),
    "rate_rpm": rate_limited("rpm"),
    "rate_tpm": rate_limited("tpm"),
    "rate_tpd": rate_limited("tpd"),
    "overloaded": overloaded(),
    "quota": out_of_quota(),
    "content_filter": content_filtered(),
    "state_transition": internal_error(),
}


@pytest.mark.parametrize(("name", "answer"), ANSWERS.items(), ids=ANSWERS)
def test_answers(name: str, answer: Answer) -> None:
    """Each refusal has its recorded status and body, and no Retry-After unless asked for."""

    assert (answer.status, json.loads(answer.body)) == error_of(name)
    assert answer.headers == ()


def test_retry_after() -> None:
    """Both header names are sent, as on the one 429 that was measured."""
    assert overloaded(2).headers == (("Retry-After", "2"), ("x-retry-after", "2"))


def test_html() -> None:
    """The gateway's page has the title of its status."""
    assert b"<title>504 Gateway Time-out</title>" in html(504).body


NAMED: dict[str, Fault] = {
    "reset": reset(),
    "reset_after=3": reset_after(3),
    "reset_after; nbytes=7": reset_after(nbytes=7),
    "ends_after=finish": ends_after("finish"),
    "rate_limited=tpm; retry_after=2": rate_limited("tpm", retry_after=2),
    "stall=2; seconds=0.5": stall(2, seconds=0.5),
    "html=503": html(503),
}


@pytest.mark.parametrize(("text", "fault"), NAMED.items(), ids=NAMED)
def test_parse(text: str, fault: Fault) -> None:
    """A fault by name is the fault of that function."""
    assert parse_fault(text) == fault


@pytest.mark.parametrize("text", ["earthquake", "", "reset=1=2"])
def test_parse_refuses(text: str) -> None:
    """An unknown fault or argument is an error, not a normal answer."""
    with pytest.raises((ValueError, TypeError)):
        parse_fault(text)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_faults_are_values(name: str) -> None:
    """Every fault works without arguments (but `refuse`), equals itself and can be a key of `chance`."""
    arguments: list[Any] = ["no"] if name == "refuse" else []
    assert {FAULTS[name](*arguments): 0.1} == {FAULTS[name](*arguments): 0.1}
