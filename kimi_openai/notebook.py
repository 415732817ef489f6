"""`show` and `live`: a reply on the screen, in one cell of a notebook or as text in a terminal.

Thin: what it looks like is decided in `rendering.py`, when to paint in `watching.py`. IPython is looked at only where
it runs already; without it everything goes to stdout as text.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, cast, overload

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion

from .account import ModelList
from .costs import PRICE_LIST, PriceList
from .errors import CompatError, Note
from .rendering import View, error_table, facts_line, notes_table, reply_html, reply_text, usage_table
from .replies import Reply, reply_of
from .terminal import Harmless, harmless
from .watching import Watch

__all__ = ["Shown", "html_of", "live", "show", "text_of"]

clock = time.monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(Reply):
    """A `Reply` that `live` has put on the screen. `moments`: (seconds, tokens so far, "" or "resumed" or "restarted")
    each time it was painted or broke off. As the last line of its own cell it is not shown a second time."""

    moments: tuple[tuple[float, int, str], ...] = ()
    cell: int | None = field(default=None, repr=False, compare=False)
    view: View = field(repr=False, compare=False)

    def _ipython_display_(self) -> None:
        if self.cell is None or self.cell != _cell(_shell()):
            show(self.view)


def show(value: Any, *, prices: PriceList = PRICE_LIST) -> None:
    """Show a completion, a `Reply`, a usage, an error, notes or anything else that has a form for notebooks.

    An answer's Markdown is typeset with its reasoning folded above it and its tokens and cost below; nothing in it can
    run or fetch anything. In a terminal, and without IPython, it is text.
    """
    text, markup = text_of(value, prices), html_of(value, prices)
    shell = _shell()
    if shell is None or not _is_rich(shell) or markup is None:
        print(text)
        return
    shell.display_pub.publish({"text/html": markup, "text/plain": text}, metadata={})


def html_of(value: Any, prices: PriceList = PRICE_LIST) -> str | None:
    """The HTML of a value, `None` where it has no form of its own."""
    form = _form(value, prices)
    if isinstance(form, View):
        return reply_html(form)
    own = getattr(form, "html", None) or getattr(form, "_repr_html_", None)
    return str(own()) if own is not None else None


def text_of(value: Any, prices: PriceList = PRICE_LIST) -> str:
    """The text of a value."""
    form = _form(value, prices)
    if isinstance(form, View):
        return reply_text(form)
    return form.text() if hasattr(form, "text") else harmless(repr(form))


def _form(value: Any, prices: PriceList) -> Any:
    """The view or the table of a value, or the value itself."""
    match value:
        case ChatCompletion():
            return View(reply=reply_of(value), prices=prices)
        case Reply():
            return View(reply=value, prices=prices)
        case CompletionUsage():
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


@overload
def live(stream: AsyncIterable[Any] | Awaitable[Any], *, prices: PriceList = ...) -> Awaitable[Shown]: ...
@overload
def live(stream: Iterable[Any], *, prices: PriceList = ...) -> Shown: ...
def live(stream: Any, *, prices: PriceList = PRICE_LIST) -> Shown | Awaitable[Shown]:
    """Show an answer while it arrives; gives the whole `Reply` in the end, of which the screen has seen everything.

    `stream`: what `create(..., stream=True)` gives, or `kimi_openai.stream(...)`, of a client of either kind; with an
    asynchronous one, `await` it. It is read to its end and closed. The reasoning is open while Kimi thinks and folded
    afterwards; the last line has tokens, cached share, time to the first token (counted from here), tokens per second,
    and the cost by `prices` where the model has one there (default: platform.kimi.ai's in USD; `costs.price_list` gives
    those of a client). Raises what the stream raises, what came stays on the screen; `TypeError` for a whole
    answer.
    """
    if hasattr(stream, "__aiter__") or isawaitable(stream):
        return _live_async(stream, prices)
    _check(stream)
    watch, screen = Watch(clock(), prices), _screen()
    with _Painting(watch, screen, stream) as painting:
        try:
            for item in stream:
                painting.took(item)
        finally:
            getattr(stream, "close", _nothing)()
    return painting.shown()


async def _live_async(stream: Any, prices: PriceList) -> Shown:
    watch, screen = Watch(clock(), prices), _screen()
    if not hasattr(stream, "__aiter__"):
        stream = await stream
    _check(stream)
    with _Painting(watch, screen, stream) as painting:
        try:
            async for item in stream:
                painting.took(item)
        finally:
            closing: Any = getattr(stream, "close", _nothing)()
            if isawaitable(closing):
                await closing
    return painting.shown()


def _check(stream: Any) -> None:
    if isinstance(stream, ChatCompletion | Reply):
        raise TypeError("live takes a stream: ask with stream=True, or show() what is whole already")


class _Painting:
    """The last view is painted whatever happens."""

    def __init__(self, watch: Watch, screen: Callable[[View], None], stream: Any) -> None:
        self.watch, self.screen, self.stream = watch, screen, stream
        self._last: View | None = None

    def took(self, item: Any) -> None:
        now = clock()
        self.watch.take(item, now)
        if self.watch.is_due(now):
            self.screen(self.watch.view())
            self.watch.painted(now, clock())

    def __enter__(self) -> _Painting:
        self.screen(self.watch.view())
        return self

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        now = clock()
        self._last = self.watch.view(is_live=False, stream=self.stream, error=error)
        self.screen(self._last)
        self.watch.painted(now, now)

    def shown(self) -> Shown:
        assert self._last is not None
        reply = self._last.reply
        fields = {name: getattr(reply, name) for name in Reply.__slots__}
        return Shown(**fields, moments=tuple(self.watch.moments), cell=_cell(_shell()), view=self._last)


def _nothing() -> None: ...


# Screens -------------------------------------------------------------------------------------------------------------


def _screen() -> Callable[[View], None]:
    shell = _shell()
    return _Text().paint if shell is None or not _is_rich(shell) else _Cell().paint


class _Cell:
    """One output of a notebook's cell, painted over and over."""

    def __init__(self) -> None:
        self._handle: Any = None

    def paint(self, view: View) -> None:
        from IPython import display as ipython

        display: Any = ipython
        bundle = {"text/html": reply_html(view), "text/plain": reply_text(view)}
        if self._handle is None:
            self._handle = display.display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


class _Text:
    """A terminal, to which only what is new is written."""

    def __init__(self) -> None:
        self._reasoning = self._content = 0
        self._harmless = Harmless()

    def paint(self, view: View) -> None:
        reply, out = view.reply, sys.stdout
        reasoning, content = reply.reasoning or "", reply.content
        if len(reasoning) < self._reasoning or len(content) < self._content:
            out.write("\n[the connection broke; starting over]\n")
            self._reasoning = self._content = 0
        if len(reasoning) > self._reasoning and not self._content:  # what comes after a break would cut the text apart
            out.write("" if self._reasoning else "[thinking] ")
            out.write(self._harmless.feed(reasoning[self._reasoning :]))
        if len(content) > self._content:
            out.write("\n\n" if reasoning and not self._content else "")
            out.write(self._harmless.feed(content[self._content :]))
        self._reasoning, self._content = len(reasoning), len(content)
        if not view.is_live:
            calls = reply_text(View(reply=Reply(tool_calls=reply.tool_calls))) if reply.tool_calls else ""
            out.write(self._harmless.rest())
            out.write("".join(f"\n\n{part}" for part in (calls, f"[{facts_line(view)}]") if part) + "\n")
        out.flush()


def _shell() -> Any:
    """The running IPython, `None` if there is none; it is not imported for the question."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _is_rich(shell: Any) -> bool:
    return "text/html" in shell.display_formatter.active_types


def _cell(shell: Any) -> int | None:
    return shell.execution_count if shell is not None else None
