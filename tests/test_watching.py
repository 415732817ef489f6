"""A stream as a reader watches it: how often it is painted, and what each kind of stream adds up to."""

from __future__ import annotations

from typing import Any

from kimi_openai.events import ContentDelta, ContentDone, ReasoningDelta, Restarted, Resumed, ToolCallDelta, UsageTotal
from kimi_openai.watching import Watch


def chunk(**delta: Any) -> dict[str, Any]:
    """One chunk, as on the wire."""
    return {"model": "kimi-k3", "choices": [{"delta": delta}]}


def painted(watch: Watch, items: list[Any], *, step: float, cost: float) -> int:
    """How often a stream is painted that brings an item each `step` seconds, where painting takes `cost` seconds."""
    now, count = 0.0, 0
    for item in items:
        now += step
        watch.take(item, now)
        if watch.is_due(now):
            count += 1
            watch.painted(now, now + cost)
            now += cost
    return count


def test_two_hundred_tokens_a_second_are_painted_sixteen_times() -> None:
    """As often as looks smooth, and no more; slow painting takes a fifth of the time at most."""
    second = [chunk(content="x")] * 200
    assert 14 <= painted(Watch(0.0), second, step=0.005, cost=0.0) <= 17
    assert painted(Watch(0.0), second * 2, step=0.005, cost=0.1) <= 5


def test_a_slow_stream_is_painted_with_every_token() -> None:
    """Nothing waits that could be seen."""
    assert painted(Watch(0.0), [chunk(content="x")] * 5, step=0.1, cost=0.001) == 5


def test_chunks_add_up() -> None:
    """With the times of the first and the last piece; an empty opening is no piece."""
    watch = Watch(10.0)
    for now, item in enumerate([chunk(content=""), chunk(reasoning_content="hm"), chunk(content="yes")], 11):
        watch.take(item, float(now))
    view = watch.view()
    assert (view.reply.reasoning, view.reply.content, view.pieces) == ("hm", "yes", 2)
    assert (view.first, view.last) == (2.0, 3.0)


def test_events_add_up_to_the_same() -> None:
    """Those of `kimi_openai.stream`, of which some only repeat others."""
    watch = Watch(0.0)
    call = ToolCallDelta(0, "add_0", "add", '{"a":1}')
    for event in (ReasoningDelta("hm"), ContentDelta("yes"), call, ContentDone("yes"), UsageTotal({"total_tokens": 3})):
        watch.take(event, 1.0)
    reply = watch.view(is_live=False).reply
    assert (reply.reasoning, reply.content, reply.usage) == ("hm", "yes", {"total_tokens": 3})
    assert reply.tool_calls[0]["function"] == {"name": "add", "arguments": '{"a":1}'}


def test_a_break_is_told_at_once() -> None:
    """What was there stays when the stream goes on, and goes when it starts over."""
    watch = Watch(0.0)
    watch.take(ContentDelta("Hello"), 1.0)
    watch.painted(1.0, 1.0)
    watch.take(Resumed(None, 1), 1.01)
    assert watch.is_due(1.01)
    assert (watch.view().news, watch.view().reply.content) == ("the connection broke; going on where it was", "Hello")
    watch.take(ContentDelta(", you"), 2.0)
    assert watch.view().news == ""
    watch.take(Restarted(None, 2), 3.0)
    assert (watch.view().news, watch.view().reply.content) == ("the connection broke; starting over", "")
    assert [what for *_, what in watch.moments] == ["", "resumed", "restarted"]
    assert watch.view(is_live=False).breaks == 2
