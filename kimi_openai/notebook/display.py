"""`show` and `live`: a reply in one output of a notebook's cell, or as text in a terminal.

What a reply looks like is decided in `render.py`, when to paint in `live_view.py`, and where it goes in `outputs.py`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, cast, overload

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion
from openai.types.responses import Response, ResponseUsage
from pydantic import BaseModel

from kimi_openai._internal.sanitize import escape_controls
from kimi_openai._internal.table import Table
from kimi_openai.endpoints.model_list import ModelList
from kimi_openai.errors.exceptions import CompatError, Note, UnexpectedAnswerError
from kimi_openai.messages.reply import Reply, reply_of
from kimi_openai.usage.costs import PRICE_LIST, PriceList

from .live_view import LiveView
from .outputs import current_cell, live_output, publish
from .render import Snapshot, error_table, notes_table, reply_html, reply_text, usage_table
from .response_reply import reply_of_response

__all__ = ["ShownReply", "bundle_of", "html_of", "live", "show", "text_of"]

clock = time.monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReply(Reply):
    """A `Reply` that `live` has shown. As the last line of its own cell it is not shown a second time.

    `moments`: for each painting and each break (seconds since the start, tokens so far, "" or "resumed" or
    "restarted").
    """

    moments: tuple[tuple[float, int, str], ...] = ()
    cell: int | None = field(default=None, repr=False, compare=False)
    snapshot: Snapshot = field(repr=False, compare=False)

    def _ipython_display_(self) -> None:
        if self.cell is None or self.cell != current_cell():
            show(self.snapshot)


def show(value: Any, *, prices: PriceList | None = None) -> None:
    """Show a completion, a response, a `Reply`, a usage, an error, notes, or anything else that has its own HTML.

    An answer's Markdown is typeset, with the folded reasoning above it and its tokens and cost below. Nothing in it can
    run or fetch anything. In a terminal, and without IPython, it is text. The cost is that of `prices` (default:
    platform.kimi.ai's prices in USD; `kimi_openai.usage.costs.price_list(client)` has those of a client).
    """
    publish(text_of(value, prices), html_of(value, prices))


def bundle_of(value: Any) -> dict[str, str]:
    """A value for IPython's display formatter, by type of contents; empty if it has no HTML."""
    html = html_of(value)
    return {} if html is None else {"text/html": html, "text/plain": text_of(value)}


def html_of(value: Any, prices: PriceList | None = None) -> str | None:
    """The HTML of a value, `None` if it has none."""
    shown = _displayable(value, prices)
    if isinstance(shown, Snapshot):
        return reply_html(shown)
    make_html: Any = shown.html if isinstance(shown, Table) else getattr(shown, "_repr_html_", None)
    return str(make_html()) if callable(make_html) else None


def text_of(value: Any, prices: PriceList | None = None) -> str:
    """The text of a value, for a terminal."""
    shown = _displayable(value, prices)
    if isinstance(shown, Snapshot):
        return reply_text(shown)
    return shown.text() if isinstance(shown, Table) else escape_controls(repr(shown))


def _displayable(value: Any, prices: PriceList | None) -> Any:
    """The snapshot or the table that shows a value; otherwise the value itself."""
    prices = prices or PRICE_LIST
    match value:
        case ChatCompletion():
            return _completion(value, prices)
        case Reply():
            return Snapshot(reply=value, prices=prices)
        case Response():
            reply = reply_of_response(value)
            is_empty = not (reply.content or reply.reasoning or reply.tool_calls)
            return value if is_empty else Snapshot(reply=reply, prices=prices)
        case CompletionUsage() | ResponseUsage():
            return usage_table(value, prices=prices)
        case CompatError():
            return notes_table(value.notes)
        case openai.OpenAIError():
            return error_table(value)
        case Note():
            return notes_table([value])
        case [Note(), *_]:
            return notes_table(cast("Sequence[Note]", value))
        case ModelList():
            return value.table()
        case _:
            return value


def _completion(completion: ChatCompletion, prices: PriceList) -> Any:
    """The snapshot of a completion; the completion itself if no answer is in it (the bare SDK returns such)."""
    try:
        return Snapshot(reply=reply_of(completion), prices=prices)
    except UnexpectedAnswerError:
        return completion


@overload
def live(stream: AsyncIterable[Any] | Awaitable[Any], *, prices: PriceList | None = ...) -> Awaitable[ShownReply]: ...
@overload
def live(stream: Iterable[Any], *, prices: PriceList | None = ...) -> ShownReply: ...
def live(stream: Any, *, prices: PriceList | None = None) -> ShownReply | Awaitable[ShownReply]:
    """Show an answer while it arrives. Returns the whole `Reply`; everything in it has been shown.

    `stream`: what `create(..., stream=True)` or `kimi_openai.stream(...)` returns, from a synchronous or an
    asynchronous client; with an asynchronous one, `await live(...)`. The stream is read to its end and closed.

    The reasoning is open while Kimi thinks and folded afterwards. The last line has tokens, cached share, time to the
    first token (counted from the call of `live`), tokens per second, and the cost, if `prices` knows the model
    (default: platform.kimi.ai's prices in USD; `kimi_openai.usage.costs.price_list(client)` has those of a client).

    Raises what the stream raises, or `KeyboardInterrupt` or `CancelledError`; what has arrived stays visible, and is on
    the exception as `reply`. Raises `TypeError` for what is no stream: an answer that is whole already, a text.
    """
    if hasattr(stream, "__aiter__") or isawaitable(stream):
        return _live_async(stream, prices or PRICE_LIST)
    display = _LiveDisplay(stream, LiveView(clock(), prices or PRICE_LIST))
    with display:
        try:
            for item in stream:
                display.add(item)
        finally:
            getattr(stream, "close", _nothing)()
    return display.shown()


async def _live_async(stream: Any, prices: PriceList) -> ShownReply:
    view = LiveView(clock(), prices)
    if not hasattr(stream, "__aiter__"):
        stream = await stream
    display = _LiveDisplay(stream, view)
    with display:
        try:
            async for item in stream:
                display.add(item)
        finally:
            closing: Any = getattr(stream, "close", _nothing)()
            if isawaitable(closing):
                await closing
    return display.shown()


class _LiveDisplay:
    """Paints the view of a stream whenever that is due, and the last snapshot even if the stream fails."""

    def __init__(self, stream: Any, view: LiveView) -> None:
        kind = type(stream).__name__
        if isinstance(stream, str | bytes | Mapping | BaseModel | Reply) or not _is_iterable(stream):
            raise TypeError(
                f"live takes a stream, and this is a {kind}: pass what create(..., stream=True) or"
                " kimi_openai.stream(...) returns, or show() what is whole already"
            )
        self._stream, self._view, self._output = stream, view, live_output()
        self._last: Snapshot | None = None

    def add(self, item: Any) -> None:
        now = clock()
        self._view.add(item, now)
        if self._view.is_due(now):
            self._output.paint(self._view.snapshot())
            self._view.painted(now, clock())

    def __enter__(self) -> None:
        self._output.paint(self._view.snapshot())

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        now = clock()
        self._last = self._view.snapshot(is_live=False, stream=self._stream, error=error)
        if error is not None and not hasattr(error, "reply"):
            cast(Any, error).reply = self._last.reply
        self._output.paint(self._last)
        self._view.painted(now, now)

    def shown(self) -> ShownReply:
        assert self._last is not None
        fields = {name: getattr(self._last.reply, name) for name in Reply.__slots__}
        return ShownReply(**fields, moments=tuple(self._view.moments), cell=current_cell(), snapshot=self._last)


def _is_iterable(value: Any) -> bool:
    return hasattr(value, "__iter__") or hasattr(value, "__aiter__")


def _nothing() -> None: ...
