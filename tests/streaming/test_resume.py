"""How a cut answer goes on: the decision, the next request, and the joint between both texts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_openai.messages.accumulator import ReplyAccumulator
from kimi_openai.streaming.resume import PrefixTrimmer, recovery_of, resumed_body

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}


def received(text: str = "", calls: bool = False) -> ReplyAccumulator:
    fold = ReplyAccumulator()
    fold.add({"choices": [{"delta": {"content": text, "tool_calls": [{"index": 0}] if calls else None}}]})
    return fold


JSON_OBJECT = {"response_format": {"type": "json_object"}}
JSON_SCHEMA = {"response_format": {"type": "json_schema", "json_schema": {}}}
PARTS = {"messages": [{"role": "assistant", "partial": True, "content": [{"type": "text", "text": "a"}]}]}


@pytest.mark.parametrize(
    ("extra", "fold", "recovery"),
    [
        ({}, received("Hello"), "resume"),
        ({}, received(), "restart"),
        ({}, received(" \n"), "restart"),
        ({}, received("Hello", calls=True), "restart"),
        (JSON_OBJECT, received("{"), "restart"),
        (JSON_SCHEMA, received("{"), "restart"),
        ({"response_format": {"type": "text"}}, received("{"), "resume"),
        (PARTS, received("b"), "restart"),
    ],
    ids=["text", "nothing", "blanks", "tool call", "json_object", "json_schema", "text format", "parts as prefix"],
)
def test_partial_mode_where_it_can_resume(extra: Any, fold: ReplyAccumulator, recovery: str) -> None:
    """Text is resumed; reasoning, tool calls and JSON start over; `on_cut` overrides both."""
    body = {**ASK, **extra}
    assert recovery_of(body, fold) == recovery
    assert (recovery_of(body, fold, "restart"), recovery_of(body, fold, "raise")) == ("restart", "raise")


def test_the_callers_own_prefix_stays_in_front() -> None:
    """A partial message of the caller is extended, with its name and both reasonings; nothing is mutated."""
    begun = {"role": "assistant", "content": "Dear ", "partial": True, "name": "Ada", "reasoning_content": "x"}
    body = {**ASK, "messages": [*ASK["messages"], begun]}
    before = json.dumps(body)
    last = resumed_body(body, "customer, \n", "y")["messages"][-1]
    assert last == {**begun, "content": "Dear customer,", "reasoning_content": "xy"}
    assert json.dumps(body) == before


@pytest.mark.parametrize(
    ("prefix", "blanks", "pieces", "shown"),
    [
        ("Hello", "", [" world"], " world"),
        ("Hello", "", ["He", "llo", " world"], " world"),
        ("Hello", "", ["Hel", "p!"], "Help!"),
        ("Hello", "", ["Hel"], "Hel"),
        ("Hello", " ", [" ", "world"], "world"),
        ("Hello", " ", ["Hello ", "world"], "world"),
        ("Hello", "\n\n", ["\n", "- a"], "- a"),
        ("Hello", " ", ["world"], "world"),
        ("haha", "", ["haha"], "haha"),
        ("ok", "", ["okay"], "okay"),
        ("😀", "", ["😀"], "😀"),
        ("你好", "", ["你好", "吗"], "吗"),
    ],
)
def test_what_repeats_is_trimmed(prefix: str, blanks: str, pieces: list[str], shown: str) -> None:
    """A repetition is removed in whatever pieces it comes; whitespace comes once; a mere beginning of one is shown."""
    trimmer = PrefixTrimmer(prefix, blanks)
    assert "".join(map(trimmer.feed, pieces)) + trimmer.flush() == shown
