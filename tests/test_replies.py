"""Chunks folded into replies: the recorded transcripts, any cut of them, and what becomes of a reply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from kimi_openai.replies import Fold, Reply, fold, reply_of, sum_usage, usage_of
from kimi_openai.sse import DONE, Splitter

WIRE = Path(__file__).parent / "wire"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def chunk(delta: dict[str, Any], finish_reason: str | None = None, **choice: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "kimi-k3",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason, **choice}],
    }


def call(index: int, arguments: str, **first: Any) -> dict[str, Any]:
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


def test_text_reasoning_calls_and_usage_are_folded() -> None:
    """Pieces join by kind and by the index of their call; the usage is found inside the choice."""
    reply = fold(CALLS)
    assert (reply.content, reply.reasoning, reply.finish_reason, reply.usage) == ("", "hm", "tool_calls", USAGE)
    assert [each["function"] for each in reply.tool_calls] == [
        {"name": "add", "arguments": '{"a":1}'},
        {"name": "$web_search", "arguments": "{}"},
    ]
    assert [each["type"] for each in reply.tool_calls] == ["function", "builtin_function"]


def test_a_reply_becomes_the_message_to_send_back() -> None:
    """With the reasoning and the calls, without the index that only an answer has."""
    message = fold(CALLS).message()
    assert message["reasoning_content"] == "hm"
    assert message["tool_calls"][0] == {
        "id": "add_0",
        "type": "function",
        "function": {"name": "add", "arguments": '{"a":1}'},
    }
    assert "reasoning_content" not in Reply(content="ok").message()


def test_a_reply_becomes_a_real_completion() -> None:
    """The SDK's class, with what Kimi adds to it, and back again."""
    reply = fold(CALLS)
    completion = reply.completion()
    assert isinstance(completion, ChatCompletion)
    message: Any = completion.choices[0].message
    assert (completion.id, completion.model, message.reasoning_content) == ("chatcmpl-1", "kimi-k3", "hm")
    assert message.tool_calls[0].function.arguments == '{"a":1}'
    assert completion.usage is not None
    assert completion.usage.total_tokens == 5
    again = reply_of(completion)
    assert (again.message(), again.usage, again.finish_reason) == (reply.message(), USAGE, "tool_calls")


def test_chunks_of_the_sdk_fold_too() -> None:
    """What `create(stream=True)` gives can be collected and folded."""
    typed = [ChatCompletionChunk.model_validate(each) for each in CALLS[:3]] + [
        ChatCompletionChunk.construct(**each) for each in CALLS[3:]
    ]
    assert fold(typed).message() == fold(CALLS).message()


@pytest.mark.parametrize(
    "answer",
    [
        {"choices": [], "usage": USAGE},
        {"choices": [{"delta": {}, "finish_reason": "stop", "usage": USAGE}]},
        {"choices": [{"message": {"content": "ok"}}], "usage": USAGE},
        ChatCompletionChunk.construct(choices=[{"delta": {}, "usage": USAGE}]),
    ],
    ids=["usage chunk", "finish chunk", "completion", "object"],
)
def test_usage_is_found_wherever_it_hides(answer: Any) -> None:
    """At the top or inside the first choice, in dicts and in objects."""
    assert usage_of(answer) == USAGE


def test_usages_add_up_with_their_details() -> None:
    """Missing keys count as nothing, and nothing at all stays nothing."""
    first = {"total_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1}}
    second = {"total_tokens": 2, "cached_tokens": 4, "prompt_tokens_details": {"cached_tokens": 4}}
    total = {"total_tokens": 7, "cached_tokens": 4, "prompt_tokens_details": {"cached_tokens": 5}}
    assert sum_usage([first, None, second]) == total
    assert sum_usage([None]) is None
    assert first == {"total_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1}}


def test_odd_chunks_do_no_harm() -> None:
    """Null deltas and contents, calls without an index or a function, log probabilities."""
    tokens = [{"token": "a", "logprob": -1.0}]
    reply = fold(
        [
            chunk({"content": None, "reasoning_content": None, "tool_calls": None}),
            {**chunk({}), "choices": [{"delta": None}]},
            chunk({"content": "a"}, logprobs={"content": tokens}),
            chunk({"content": "b"}, logprobs={"content": tokens, "refusal": None}),
            chunk({"tool_calls": [{"id": "x", "function": None}]}),
        ]
    )
    assert (reply.content, reply.reasoning, reply.finish_reason) == ("ab", None, None)
    assert reply.extra == {"logprobs": {"content": tokens * 2, "refusal": []}}
    assert reply.tool_calls[0]["function"] == {"name": "", "arguments": ""}


@pytest.mark.parametrize("path", sorted(WIRE.glob("*.sse")), ids=lambda path: path.stem)
@given(data=st.data())
def test_recorded_streams_fold_the_same_at_any_cut(path: Path, data: st.DataObject) -> None:
    """Wherever the bytes are split, inside characters too, the chunks and their reply are the same."""
    raw = path.read_bytes()
    at = data.draw(st.integers(0, len(raw)))
    splitter = Splitter()
    found = [*splitter.feed(raw[:at]), *splitter.feed(raw[at:])]
    chunks = [json.loads(each) for each in found if not each.startswith(DONE)]
    whole = [json.loads(each) for each in Splitter().feed(raw) if not each.startswith(DONE)]
    assert fold(chunks) == fold(whole)
    if all("error" not in each for each in whole):
        assert fold(whole).head["id"]


@given(st.lists(st.sampled_from(CALLS[1:]) | st.text(max_size=5).map(lambda text: chunk({"content": text}))))
def test_a_fold_does_not_change_its_chunks(chunks: list[dict[str, Any]]) -> None:
    """What went in is what it was, and the text is all the text."""
    before = json.dumps(chunks)
    folded = Fold()
    for each in chunks:
        folded.add(each)
    texts = [each["choices"][0]["delta"].get("content") or "" for each in chunks]
    assert (json.dumps(chunks), folded.content, folded.length) == (before, "".join(texts), len("".join(texts)))
