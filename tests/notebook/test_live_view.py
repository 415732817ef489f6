"""How often a stream is painted, and what each kind of stream adds up to."""

from __future__ import annotations

from typing import Any

from kimi_openai.notebook.live_view import LiveView
from kimi_openai.streaming.events import (
    ContentDelta,
    ContentDone,
    ReasoningDelta,
    Restarted,
    Resumed,
    ToolCallDelta,
    UsageTotal,
)


def chunk(**delta: Any) -> dict[str, Any]:
    """One chunk, as on the wire."""
    return {"model": "kimi-k3", "choices": [{"delta": delta}]}


def paintings(view: LiveView, items: list[Any], *, step: float, cost: float) -> int:
    """How often a stream is painted if an item comes every `step` seconds and painting takes `cost` seconds."""
    now, count = 0.0, 0
    for item in items:
        now += step
        view.add(item, now)
        if view.is_due(now):
            count += 1
            view.painted(now, now + cost)
            now += cost
    return count


def test_two_hundred_tokens_a_second_are_painted_sixteen_times() -> None:
    """As often as looks continuous, and no more; slow painting takes a sixth of the time at most."""
    second = [chunk(content="x")] * 200
    assert 14 <= paintings(LiveView(0.0), second, step=0.005, cost=0.0) <= 17
    assert paintings(LiveView(0.0), second * 2, step=0.005, cost=0.1) <= 5


def test_a_slow_stream_is_painted_with_every_token() -> None:
    """Nothing that could be shown waits."""
    assert paintings(LiveView(0.0), [chunk(content="x")] * 5, step=0.1, cost=0.001) == 5


def test_chunks_add_up() -> None:
    """With the times of the first and the last piece; the empty first chunk is no piece."""
    view = LiveView(10.0)
    for now, item in enumerate([chunk(content=""), chunk(reasoning_content="hm"), chunk(content="yes")], 11):
        view.add(item, float(now))
    shown = view.snapshot()
    assert (shown.reply.reasoning, shown.reply.content, shown.pieces) == ("hm", "yes", 2)
    assert (shown.first_at, shown.last_at) == (2.0, 3.0)


def test_events_add_up_to_the_same() -> None:
    """The events of `kimi_openai.stream`; some of them repeat others."""
    view = LiveView(0.0)
    call = ToolCallDelta(0, "add_0", "add", '{"a":1}')
    for event in (ReasoningDelta("hm"), ContentDelta("yes"), call, ContentDone("yes"), UsageTotal({"total_tokens": 3})):
        view.add(event, 1.0)
    reply = view.snapshot(is_live=False).reply
    assert (reply.reasoning, reply.content, reply.usage) == ("hm", "yes", {"total_tokens": 3})
    assert reply.tool_calls[0]["function"] == {"name": "add", "arguments": '{"a":1}'}


def test_a_break_is_shown_at_once() -> None:
    """The text stays if the stream is resumed, and goes if it starts over."""
    view = LiveView(0.0)
    view.add(ContentDelta("Hello"), 1.0)
    view.painted(1.0, 1.0)
    view.add(Resumed(None, 1), 1.01)
    assert view.is_due(1.01)
    assert (view.snapshot().status, view.snapshot().reply.content) == (
        "the connection broke; going on where it was",
        "Hello",
    )
    view.add(ContentDelta(", you"), 2.0)
    assert view.snapshot().status == ""
    view.add(Restarted(None, 2), 3.0)
    assert (view.snapshot().status, view.snapshot().reply.content) == ("the answer broke off; starting over", "")
    assert [what for *_, what in view.moments] == ["", "resumed", "restarted"]
    assert view.snapshot(is_live=False).breaks == 2
