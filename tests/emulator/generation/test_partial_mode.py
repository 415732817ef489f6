"""Partial mode: only the continuation of a prefix is generated."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.emulator import Behaviour, Step, call, cut, say, think
from kimi_openai.emulator.generation.partial_mode import continuation
from kimi_openai.emulator.generation.script import Say
from tests.emulator.http import HELLO

from .test_engine import TEXTS, made


def prefix(content: str, **more: Any) -> dict[str, Any]:
    return {"messages": [*HELLO, {"role": "assistant", "content": content, "partial": True, **more}]}


PARTIAL: dict[str, tuple[list[Step], dict[str, Any], str]] = {
    "rest of the answer": ([say("hello world")], prefix("hello "), "world"),
    "rest over steps": ([say("hello "), cut(), say("world")], prefix("hello wo"), "rld"),
    "a cut at the end of the prefix": ([say("hello "), cut(), say("world")], prefix("hello "), "world"),
    "another answer": ([say("something else")], prefix("hello "), "something else"),
    "nothing left": ([say("hello")], prefix("hello"), ""),
    "empty prefix": ([say("hello")], prefix("", name="Kim"), "hello"),
    "not last": (
        [say("hello")],
        {"messages": [{"role": "assistant", "content": "he", "partial": True}, *HELLO]},
        "hello",
    ),
}


@pytest.mark.parametrize(("steps", "body", "content"), PARTIAL.values(), ids=PARTIAL)
def test_partial_mode(steps: list[Step], body: dict[str, Any], content: str) -> None:
    """Only the continuation of a prefix is returned."""
    assert made(*steps, **body).content == content


def test_partial_mode_and_calls() -> None:
    """A call that follows the prefix is still made."""
    assert made(say("hello"), call("f"), **prefix("hello")).calls[0]["id"] == "f_0"


def test_partial_mode_and_thinking() -> None:
    """Reasoning that came along with the prefix is not repeated; without it the model thinks again."""
    steps = (think("hm"), say("hello world"))
    assert made(*steps, **prefix("hello ")).reasoning == "hm"
    assert made(*steps, **prefix("hello ", reasoning_content="hm")).reasoning == ""
    assert made(*steps, **prefix("hello "), behaviour=Behaviour(rethink_partial=False)).reasoning == ""


def test_partial_mode_switches() -> None:
    """The prefix can be repeated, and scripts can be sent unchanged."""
    assert (
        made(say("hello world"), **prefix("hello "), behaviour=Behaviour(repeat_prefix=True)).content == "hello world"
    )
    assert made(say("ha ha"), **prefix("ha"), behaviour=Behaviour(whole_scripts=False)).content == "ha ha"


@given(TEXTS, st.integers(0, 30))
def test_a_continued_answer_is_whole(text: str, at: int) -> None:
    """Prefix and continuation make the answer, wherever the prefix ends."""
    rest = continuation([say(text[:7]), cut(), say(text[7:])], text[:at])
    assert text[:at] + "".join(step.text for step in rest if isinstance(step, Say)) == text
