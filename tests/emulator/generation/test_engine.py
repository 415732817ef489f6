"""The rules of generation: thinking, budget, stop texts, calls, and the order of chunks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.emulator import Behaviour, Step, call, cut, error, finish, pause, say, think, usage
from kimi_openai.emulator.frames import Cut, Frame, Pause
from kimi_openai.emulator.generation.chunks import Envelope, stream_frames
from kimi_openai.emulator.generation.engine import generate
from kimi_openai.emulator.generation.reply import Reply
from tests.emulator.http import HELLO, deltas, events

ENVELOPE = Envelope("chatcmpl-1", 1, "kimi-k3", "fpv0_1")


def made(*steps: Step, behaviour: Behaviour | None = None, **body: Any) -> Reply:
    whole = {"model": "kimi-k3", "messages": HELLO, **body}
    return generate(whole, steps, prompt=10, behaviour=behaviour or Behaviour())


def sent(reply: Reply, *, include_usage: bool = False) -> list[Frame]:
    return stream_frames(reply, ENVELOPE, reply.usage(10, 0), include_usage=include_usage)


def body_of(frames: list[Frame]) -> bytes:
    return b"".join(frame for frame in frames if isinstance(frame, bytes))


def test_order_of_chunks() -> None:
    """Role, reasoning, the empty reasoning delta, answer, calls with their name first, finish, usage, [DONE]."""
    reply = made(think("a b"), say("c d"), call("f", {"x": 1}))
    got = events(body_of(sent(reply, include_usage=True)))
    assert [event["choices"][0]["delta"] for event in got[:-2]] == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "a"},
        {"reasoning_content": " b"},
        {"reasoning_content": ""},
        {"content": "c"},
        {"content": " d"},
        {"tool_calls": [{"index": 0, "id": "f_0", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        *(
            {"tool_calls": [{"index": 0, "function": {"arguments": part}}]}
            for part in ["{", '"', "x", '"', ":", "1", "}"]
        ),
        {},
    ]
    assert got[-3]["choices"][0]["finish_reason"] == "tool_calls"
    assert got[-3]["choices"][0]["usage"] == got[-2]["usage"]
    assert (got[-2]["choices"], got[-1]) == ([], "[DONE]")
    assert ["system_fingerprint" in event for event in got[:-1]] == [True] * (len(got) - 2) + [False]


OFF = {"thinking": {"type": "disabled"}}
MESSAGES: dict[str, Any] = {
    "K3 thinking": (
        made(think("a b"), say("c")),
        {"role": "assistant", "content": "c", "reasoning_content": "a b"},
        {"completion_tokens": 6, "completion_tokens_details": {"reasoning_tokens": 5}},
    ),
    "K3 off": (made(think("a b"), say("c"), **OFF), {"role": "assistant", "content": "c"}, {"completion_tokens": 1}),
    "K2.6 off": pytest.param(
        made(think("a b"), say("c"), model="kimi-k2.6", **OFF),
        {"role": "assistant", "content": "c", "reasoning_content": ""},
        {"completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 1}},
        marks=pytest.mark.k2,
    ),
    "no thoughts": (
        made(say("c")),
        {"role": "assistant", "content": "c", "reasoning_content": ""},
        {"completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 0}},
    ),
}


@pytest.mark.parametrize(("reply", "message", "counted"), MESSAGES.values(), ids=MESSAGES)
def test_message_and_usage(reply: Reply, message: dict[str, Any], counted: dict[str, Any]) -> None:
    """Whether message and usage show the reasoning depends on the model and on thinking."""
    total = 10 + counted["completion_tokens"]
    assert reply.message == message
    assert reply.usage(10, 0) == {"prompt_tokens": 10, "total_tokens": total, **counted}


def test_budget_ends_in_the_reasoning() -> None:
    """A budget that is too small is no error: no content, finish_reason length, no end of the reasoning.

    The markup of the reasoning is paid from it, too.
    """
    reply = made(think("one two three"), say("four"), max_completion_tokens=5)
    assert (reply.message["content"], reply.reasoning, reply.finish_reason) == ("", "one two", "length")
    assert {"reasoning_content": ""} not in deltas(body_of(sent(reply)))


def test_budget_ends_in_the_answer() -> None:
    """The budget covers reasoning and answer together, and the newer field wins over max_tokens."""
    reply = made(think("one"), say("two three four"), max_completion_tokens=6, max_tokens=1)
    assert (reply.content, reply.finish_reason, reply.completion_tokens) == ("two three", "length", 6)


def test_budget_ends_in_a_call() -> None:
    """A truncated call has arguments that are not JSON."""
    reply = made(call("f", {"city": "Paris"}), max_tokens=4)
    assert reply.calls[0]["function"]["arguments"] == '{"city"'
    assert reply.finish_reason == "length"


@pytest.mark.parametrize(
    ("stop", "content"), [("three", "one two "), (["x", "wo th"], "one t"), (["nine"], "one two three")]
)
def test_stop(stop: Any, content: str) -> None:
    """The answer ends before the first stop text, also across steps, and the reasoning is not searched."""
    reply = made(think("three"), say("one two"), say(" three"), stop=stop)
    assert (reply.content, reply.reasoning, reply.finish_reason) == (content, "three", "stop")


def test_calls_are_numbered() -> None:
    """Ids are `<name>_<n>` within one answer, `index` is also in the message, and a `$` name is a builtin."""
    calls = made(call("a"), call("b", id="own"), call("$web_search")).message["tool_calls"]
    assert [(c["index"], c["id"], c["type"]) for c in calls] == [
        (0, "a_0", "function"),
        (1, "own", "function"),
        (2, "$web_search_2", "builtin_function"),
    ]


def test_usage_and_finish_steps() -> None:
    """A script may set token counts and the finish reason."""
    reply = made(
        usage(prompt_tokens=89, completion_tokens=22, cached_tokens=89, reasoning_tokens=6), finish("content_filter")
    )
    assert reply.usage(10, 0) == {
        "prompt_tokens": 89,
        "completion_tokens": 22,
        "total_tokens": 111,
        "cached_tokens": 89,
        "completion_tokens_details": {"reasoning_tokens": 6},
        "prompt_tokens_details": {"cached_tokens": 89},
    }
    assert reply.finish_reason == "content_filter"


def test_cache_keys_are_absent_on_a_miss() -> None:
    """On a miss there is no key, rather than 0; written tokens are shown if given."""
    assert "cached_tokens" not in made(say("x")).usage(10, 0)
    assert made(say("x")).usage(10, 4, 6)["prompt_tokens_details"] == {"cached_tokens": 4, "cache_write_tokens": 6}


def test_cut_ends_the_stream() -> None:
    """After a cut there is no finish chunk, no usage and no [DONE]."""
    got = sent(made(say("a"), cut("drop"), say("b")))
    assert got[-1] == Cut("drop")
    assert b'finish_reason":"' not in body_of(got)


def test_pause_is_between_chunks() -> None:
    """A pause is a frame at its place in the script."""
    got = sent(made(say("a"), pause(2), say("b")))
    assert got.index(Pause(2)) == 3


def test_error_within_a_stream() -> None:
    """An error after the first delta is an event and a clean end without [DONE]; before, it is an HTTP error."""
    late, early = made(say("a"), error("broken")), made(pause(1), error("broken"))
    assert events(body_of(sent(late)))[-1] == {"error": {"message": "broken", "type": "server_error"}}
    assert sent(late)[-1] == Cut("end")
    assert (late.problem(streaming=True), late.problem(streaming=False)) == (None, error("broken"))
    assert early.problem(streaming=True) == error("broken")


TEXTS = st.text(alphabet="ab 你\n1.", max_size=30)


@given(TEXTS, TEXTS, st.integers(1, 40))
def test_stream_and_message_agree(reasoning: str, content: str, budget: int) -> None:
    """Folding the deltas of a stream gives the message of the body."""
    reply = made(think(reasoning), say(content), max_tokens=budget)
    got = deltas(body_of(sent(reply)))
    assert "".join(delta.get("content", "") for delta in got) == reply.content
    assert "".join(delta.get("reasoning_content", "") for delta in got) == reply.reasoning
    assert json.loads(json.dumps(reply.message)) == reply.message
