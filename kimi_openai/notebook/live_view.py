"""A stream on its way to the display: items and times go in, snapshots to paint come out, at a limited rate.

No I/O and no clock. It takes the SDK's chunks, plain dicts, the SDK's stream events and those of `kimi_openai.stream`.
`display.py` calls it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kimi_openai._internal.json_values import Json, to_json
from kimi_openai._internal.wire import WireError, checked_chunk
from kimi_openai.messages.accumulator import ReplyAccumulator
from kimi_openai.messages.reply import Reply
from kimi_openai.usage.costs import PRICE_LIST, PriceList

from .render import Snapshot

__all__ = ["LiveView"]

PAINT_INTERVAL = 0.06
"""Seconds between two paintings. Sixteen a second look continuous, and every front end can follow."""

PAUSE_FACTOR = 5
"""After a slow painting, the pause is this many times as long: painting a very long answer must not use all the
time."""


class LiveView:
    """Accumulates the items of a stream.

    `moments`: for each painting and each break (seconds since the start, pieces so far, what happened).
    """

    def __init__(self, now: float, prices: PriceList = PRICE_LIST) -> None:
        self._start, self._prices = now, prices
        self._fold = ReplyAccumulator()
        self._first_at: float | None = None
        self._last_at: float | None = None
        self._usage: Json | None = None
        self._next_paint, self._has_news = now, False
        self._status = ""
        self._breaks = 0
        self.moments: list[tuple[float, int, str]] = []

    def add(self, item: Any, now: float) -> None:
        """Take the next item of the stream."""
        kind: Any = getattr(item, "type", None)
        if kind in ("resumed", "restarted"):
            self._add_break(str(kind), now)
            return
        if kind == "usage":
            self._usage = item.usage
            return
        size = self._fold.size
        for chunk in _chunks(item):
            self._fold.add(chunk)
        if self._fold.size > size:
            self._has_news, self._status = True, ""
            self._last_at = now - self._start
            if self._first_at is None:
                self._first_at = self._last_at

    def _add_break(self, kind: str, now: float) -> None:
        self._breaks += 1
        self._next_paint, self._has_news = now, True
        self._status = "the connection broke; going on where it was"
        if kind == "restarted":
            self._fold, self._status = ReplyAccumulator(), "the answer broke off; starting over"
        self.moments.append((now - self._start, self._fold.size, kind))

    def is_due(self, now: float) -> bool:
        """Whether there is something new, and the time to paint it has come."""
        return self._has_news and now >= self._next_paint

    def painted(self, began: float, ended: float) -> None:
        """Note that it was painted, and how long that took."""
        self._has_news = False
        self._next_paint = ended + max(PAINT_INTERVAL, (ended - began) * PAUSE_FACTOR)
        self.moments.append((began - self._start, self._fold.size, ""))

    def snapshot(self, *, is_live: bool = True, stream: Any = None, error: BaseException | None = None) -> Snapshot:
        """What to show now. At the end `stream` may have a `reply` with the sums of all parts of the answer."""
        reply = self._fold.reply()
        whole: Any = getattr(stream, "reply", None)
        if isinstance(whole, Reply) and not is_live:
            reply = replace(reply, head=whole.head, finish_reason=whole.finish_reason, usage=whole.usage)
        if reply.usage is None:
            reply = replace(reply, usage=self._usage)
        return Snapshot(
            reply=reply,
            is_live=is_live,
            first_at=self._first_at,
            last_at=self._last_at,
            pieces=self._fold.size,
            breaks=self._breaks,
            status=f"ended by {type(error).__name__}" if error else self._status if is_live else "",
            prices=self._prices,
        )


def _chunks(item: Any) -> tuple[Json, ...]:
    """The chunk in an item; none if the item is an event that repeats others."""
    match getattr(item, "type", None):
        case "content.delta" if not hasattr(item, "snapshot"):
            return (_delta(content=item.delta),)
        case "reasoning.delta":
            return (_delta(reasoning_content=item.delta),)
        case "tool_calls.function.arguments.delta" if hasattr(item, "id"):
            function = {"name": item.name, "arguments": item.arguments_delta}
            return (_delta(tool_calls=[{"index": item.index, "id": item.id, "function": function}]),)
        case "chunk":  # the SDK's `chat.completions.stream` sends each chunk, and then events with the same contents
            return _chunk(item.chunk)
        case None:
            return _chunk(item)
        case _:
            return ()


def _chunk(value: Any) -> tuple[Json, ...]:
    """The JSON of a chunk; nothing if it is none, since the bare SDK's streams yield whatever came."""
    try:
        return (checked_chunk(to_json(value)),)
    except WireError:
        return ()


def _delta(**delta: Any) -> Json:
    return {"choices": [{"delta": delta}]}
