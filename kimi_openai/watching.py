"""A stream as a reader watches it: pieces come in with the time, views go out, not more often than an eye follows.

No I/O and no clock. Takes the SDK's chunks, plain dicts, the SDK's stream events and those of `kimi_openai.stream`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pydantic

from .costs import PRICE_LIST, PriceList
from .rendering import View
from .replies import Fold, Reply

__all__ = ["Watch"]

Json = Mapping[str, Any]

SMOOTH = 0.06
"""Seconds between two paintings: sixteen a second look like a flow, and are few enough for every front end."""

BUSY_SHARE = 5
"""Painting may take a fifth of the time: what takes long, as a very long answer does, happens less often."""


class Watch:
    """Folds what comes. `moments` has, for each painting and each break, (seconds, pieces so far, what happened)."""

    def __init__(self, now: float, prices: PriceList = PRICE_LIST) -> None:
        self._start, self._prices = now, prices
        self._fold = Fold()
        self._first: float | None = None
        self._last: float | None = None
        self._usage: Json | None = None
        self._due, self._is_new = now, False
        self._news = ""
        self.breaks = 0
        self.moments: list[tuple[float, int, str]] = []

    def take(self, item: Any, now: float) -> None:
        """The next thing from the stream."""
        kind: Any = getattr(item, "type", None)
        if kind in ("resumed", "restarted"):
            self._broke(str(kind), now)
            return
        if kind == "usage":
            self._usage = item.usage
            return
        size = self._fold.size
        for chunk in _chunks(item):
            self._fold.add(chunk)
        if self._fold.size > size:
            self._is_new = True
            self._last, self._news = now - self._start, ""
            if self._first is None:
                self._first = self._last

    def _broke(self, how: str, now: float) -> None:
        self.breaks += 1
        self._due, self._is_new = now, True
        self._news = "the connection broke; going on where it was"
        if how == "restarted":
            self._fold, self._news = Fold(), "the connection broke; starting over"
        self.moments.append((now - self._start, self._fold.size, how))

    def is_due(self, now: float) -> bool:
        """Whether there is something new, and time to paint it."""
        return self._is_new and now >= self._due

    def painted(self, began: float, ended: float) -> None:
        """It was painted, which took a while."""
        self._is_new = False
        self._due = ended + max(SMOOTH, (ended - began) * BUSY_SHARE)
        self.moments.append((began - self._start, self._fold.size, ""))

    def view(self, *, is_live: bool = True, stream: Any = None, error: BaseException | None = None) -> View:
        """What is to be seen now. `stream` knows more than its events, where it is one of `kimi_openai.stream`."""
        reply = self._fold.reply()
        whole: Any = getattr(stream, "reply", None)
        if isinstance(whole, Reply) and not is_live:
            reply = replace(reply, head=whole.head, finish_reason=whole.finish_reason, usage=whole.usage)
        if reply.usage is None:
            reply = replace(reply, usage=self._usage)
        return View(
            reply=reply,
            is_live=is_live,
            first=self._first,
            last=self._last,
            pieces=self._fold.size,
            breaks=self.breaks,
            news=f"ended by {type(error).__name__}" if error else self._news if is_live else "",
            prices=self._prices,
        )


def _chunks(item: Any) -> tuple[Json, ...]:
    """The chunks in an item: one, or none for an event that only repeats what was told."""
    match getattr(item, "type", None):
        case "content.delta" if not hasattr(item, "snapshot"):
            return (_delta(content=item.delta),)
        case "reasoning.delta":
            return (_delta(reasoning_content=item.delta),)
        case "tool_calls.function.arguments.delta" if hasattr(item, "id"):
            function = {"name": item.name, "arguments": item.arguments_delta}
            return (_delta(tool_calls=[{"index": item.index, "id": item.id, "function": function}]),)
        case "chunk":  # the SDK's `chat.completions.stream` wraps each chunk, and tells it once more in other words
            return (_plain(item.chunk),)
        case None:
            return (_plain(item),)
        case _:
            return ()


def _delta(**delta: Any) -> Json:
    return {"choices": [{"delta": delta}]}


def _plain(chunk: Any) -> Json:
    if isinstance(chunk, pydantic.BaseModel):
        return chunk.model_dump(mode="json", exclude_none=True, warnings=False)
    return cast(Json, chunk)
