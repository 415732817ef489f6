"""The accumulator: which reply the chunks of a stream add up to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.client.sse import DONE, Splitter
from kimi_openai.messages.accumulator import ReplyAccumulator
from kimi_openai.messages.reply import Reply

WIRE = Path(__file__).parents[1] / "wire"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def chunk(delta: Any, finish_reason: str | None = None, **choice: Any) -> dict[str, Any]:
    """A chunk as on the wire."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "kimi-k3",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason, **choice}],
    }


def call(index: Any, arguments: str, **first: Any) -> dict[str, Any]:
    """A piece of a tool call; the first one has also id, type and name."""
    name = {"name": first.pop("name")} if first else {}
    return {"index": index, **first, "function": {**name, "arguments": arguments}}


CALLS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"reasoning_content": "hm"}),
    chunk({"reasoning_content": ""}),
    chunk({"tool_calls": [call(0, "", id="add_0", type="function", name="add")]}),
    chunk({"tool_calls": [call(0, '{"a":')]}),
    chunk({"tool_calls": [call(1, "", id="$web_search_1", type="builtin_function", name="$web_search")]}),
    chunk({"tool_calls": [call(0, "1}"), call(1, "{}")]}),
    chunk({}, "tool_calls", usage=USAGE),
]


def added(chunks: Iterable[dict[str, Any]]) -> ReplyAccumulator:
    """An accumulator that has the chunks."""
    accumulator = ReplyAccumulator()
    for each in chunks:
        accumulator.add(each)
    return accumulator


def test_text_reasoning_and_calls_are_joined() -> None:
    """Pieces of a call are joined by its index; the head is that of the first chunk."""
    assert added(CALLS).reply() == Reply(
        reasoning="hm",
        tool_calls=(
            {"index": 0, "id": "add_0", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}},
            {
                "index": 1,
                "id": "$web_search_1",
                "type": "builtin_function",
                "function": {"name": "$web_search", "arguments": "{}"},
            },
        ),
        finish_reason="tool_calls",
        usage=USAGE,
        head={"id": "chatcmpl-1", "created": 1, "model": "kimi-k3"},
    )


@pytest.mark.parametrize(
    "last",
    [{"choices": [], "usage": USAGE}, chunk({}, "stop", usage=USAGE), {**chunk({}, "stop"), "usage": USAGE}],
    ids=["usage chunk", "inside the choice", "beside the choice"],
)
def test_usage_is_found_in_each_place(last: dict[str, Any]) -> None:
    """Kimi sends it inside the last choice, OpenAI beside the choices or in a chunk of its own."""
    assert added([chunk({"content": "a"}), last]).usage == USAGE


def test_size_counts_the_pieces() -> None:
    """Text, reasoning and pieces of calls count; empty texts do not."""
    assert added(CALLS).size == 6
    assert added([chunk({"content": "a"}), chunk({"content": ""}), chunk({"content": "b"})]).size == 2


def test_the_next_answer_continues_the_text() -> None:
    """The text stays; head, finish reason and usage are those of the next answer."""
    accumulator = added([chunk({"content": "a"}, "length", usage=USAGE)])
    accumulator.start_next_answer()
    assert accumulator.reply() == Reply(content="a")
    accumulator.add({**chunk({"content": "b"}, "stop"), "id": "chatcmpl-2"})
    reply = accumulator.reply()
    assert (reply.content, reply.finish_reason, reply.usage, reply.head["id"]) == ("ab", "stop", None, "chatcmpl-2")


def test_odd_chunks_are_accepted() -> None:
    """Null deltas and contents, calls without an index, an id or a function, log probabilities."""
    tokens = [{"token": "a", "logprob": -1.0}]
    reply = added(
        [
            chunk({"content": None, "reasoning_content": None, "tool_calls": None}),
            chunk(None),
            chunk({"content": "a"}, logprobs={"content": tokens}),
            chunk({"content": "b"}, logprobs={"content": tokens, "refusal": None}),
            chunk({"tool_calls": [{"id": "x", "function": None}]}),
            chunk({"tool_calls": [call(None, "{"), call(1, "}"), {"index": "2", "id": 7, "function": {"name": 7}}]}),
            chunk({}, usage="none"),
            {"choices": None, "usage": "none"},
        ]
    ).reply()
    assert (reply.content, reply.reasoning, reply.finish_reason, reply.usage) == ("ab", None, None, None)
    assert reply.extra == {"logprobs": {"content": tokens * 2, "refusal": []}}
    assert reply.tool_calls == (
        {"index": 0, "id": "x", "type": "function", "function": {"name": "", "arguments": "{"}},
        {"index": 1, "id": "", "type": "function", "function": {"name": "", "arguments": "}"}},
        {"index": 2, "id": "", "type": "function", "function": {"name": "", "arguments": ""}},
    )


@pytest.mark.parametrize("path", sorted(WIRE.glob("*.sse")), ids=lambda path: path.stem)
@given(data=st.data())
def test_a_recorded_stream_gives_the_same_reply_for_any_cut(path: Path, data: st.DataObject) -> None:
    """The chunks and the reply do not depend on where the bytes are split, also inside a character."""
    raw = path.read_bytes()
    at = data.draw(st.integers(0, len(raw)))
    splitter = Splitter()
    payloads = [*splitter.feed(raw[:at]), *splitter.feed(raw[at:])]
    chunks = [json.loads(each) for each in payloads if not each.startswith(DONE)]
    whole = [json.loads(each) for each in Splitter().feed(raw) if not each.startswith(DONE)]
    assert added(chunks).reply() == added(whole).reply()
    assert added(whole).head["id"]


@given(st.lists(st.sampled_from(CALLS[1:]) | st.text(max_size=5).map(lambda text: chunk({"content": text}))))
def test_adding_does_not_change_the_chunks(chunks: list[dict[str, Any]]) -> None:
    """The chunks stay as they were, and `content` and `length` cover all their text."""
    before = json.dumps(chunks)
    accumulator = added(chunks)
    text = "".join(each["choices"][0]["delta"].get("content") or "" for each in chunks)
    assert (json.dumps(chunks), accumulator.content, accumulator.length) == (before, text, len(text))
