"""Characters whose halves came in two chunks: joined, or U+FFFD at the latest with the end."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.messages.accumulator import ReplyAccumulator
from kimi_openai.messages.half_joiner import HalfJoiner

HIGH, LOW = "\ud83d", "\ude00"


def chunk(finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}


def call(arguments: str, index: int | None = 0) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}


def deltas(*chunks: dict[str, Any]) -> list[dict[str, Any]]:
    joiner = HalfJoiner()
    return [joiner.join(copy.deepcopy(each))["choices"][0]["delta"] for each in chunks]


CASES = [
    pytest.param(
        [chunk(content=f"a{HIGH}"), chunk(content=f"{LOW}b")], [{"content": "a"}, {"content": "😀b"}], id="text"
    ),
    pytest.param(
        [chunk(reasoning_content=HIGH), chunk(reasoning_content=LOW)],
        [{"reasoning_content": ""}, {"reasoning_content": "😀"}],
        id="reasoning",
    ),
    pytest.param([chunk(**call(HIGH)), chunk(**call(LOW))], [call(""), call("😀")], id="arguments"),
    pytest.param(
        [chunk(content=HIGH), chunk(), chunk(content=LOW)], [{"content": ""}, {}, {"content": "😀"}], id="later"
    ),
    pytest.param([chunk(content=HIGH), chunk(content="x")], [{"content": ""}, {"content": "\ufffdx"}], id="no half"),
    pytest.param([chunk(content=LOW)], [{"content": "\ufffd"}], id="the second half alone"),
    pytest.param([chunk(content=HIGH), chunk("stop")], [{"content": ""}, {"content": "\ufffd"}], id="the end"),
    pytest.param([chunk("stop", content=HIGH)], [{"content": "\ufffd"}], id="a half in the last chunk"),
    pytest.param(
        [chunk(reasoning_content=HIGH), chunk(content="x")],
        [{"reasoning_content": ""}, {"content": "x", "reasoning_content": "\ufffd"}],
        id="another text follows",
    ),
    pytest.param([chunk(**call(HIGH)), chunk("tool_calls")], [call(""), call("\ufffd")], id="the end of a call"),
]


@pytest.mark.parametrize(("chunks", "expected"), CASES)
def test_halves_are_joined_over_chunks(chunks: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """A half waits for the next piece of its own text, and no longer than that or the end."""
    assert deltas(*chunks) == expected


@given(st.text(max_size=12), st.text(max_size=12), st.data())
def test_a_text_cut_between_any_halves_stays_whole(content: str, reasoning: str, data: st.DataObject) -> None:
    """As UTF-16, which is how JSON escapes characters, cut anywhere and sent in order."""
    chunks: list[dict[str, Any]] = []
    for name, text in (("reasoning_content", reasoning), ("content", content)):
        units = text.encode("utf-16-le")
        while units:
            size = 2 * data.draw(st.integers(1, 3))
            chunks.append(chunk(**{name: units[:size].decode("utf-16-le", "surrogatepass")}))
            units = units[size:]
    joiner, joined, unjoined = HalfJoiner(), ReplyAccumulator(), ReplyAccumulator()
    for each in [*chunks, chunk("stop")]:
        unjoined.add(copy.deepcopy(each))
        joined.add(joiner.join(each))
    for reply in (joined.reply(), unjoined.reply()):
        assert (reply.content, reply.reasoning or "") == (content, reasoning)


@pytest.mark.parametrize("value", [None, 1, "text", [HIGH], {"choices": [1]}, {"choices": [{"delta": [HIGH]}]}, {}])
def test_what_is_no_chunk_passes(value: Any) -> None:
    """Only its texts are cleaned."""
    repr(HalfJoiner().join(value)).encode()
