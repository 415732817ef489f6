"""A reply, whole or still arriving, as HTML and as text; usage, errors and notes as tables.

Pure: a `Snapshot` comes in, strings go out. Every text of a model or a server is escaped, by `markdown.py`, `code.py`
or `_internal/table.py`, and MathJax typesets nothing of it but the formulas that `markdown.py` lets through.
`display.py` shows the strings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import openai

from kimi_openai._internal.sanitize import escape_controls
from kimi_openai._internal.table import MUTED, NO_MATH, Table, escape_html
from kimi_openai.errors.exceptions import Note
from kimi_openai.errors.explanations import fault_of, refusal_of_error
from kimi_openai.messages.reply import Reply
from kimi_openai.usage.costs import PRICE_LIST, PriceList, Tokens, money, tokens_of

from .code import tool_call_box, tool_call_text
from .markdown import html_of_markdown, html_of_text

__all__ = ["Snapshot", "error_table", "notes_table", "reply_html", "reply_text", "summary_line", "usage_table"]

PANEL = "border-left:3px solid rgba(127,127,127,.4);padding-left:.8em;margin:.3em 0"

UNUSUAL_ENDS = {
    "length": "cut off by its token budget",
    "max_output_tokens": "cut off by its token budget",
    "content_filter": "stopped by the content filter",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A reply at one moment.

    `is_live`: more is to come. `first_at`, `last_at`: seconds from the question to the first and to the newest piece,
    `None` if they were not measured. `pieces`: how many pieces of text have come. `breaks`: how often the connection
    broke. `status`: what the last line says about the stream.
    """

    reply: Reply
    is_live: bool = False
    first_at: float | None = None
    last_at: float | None = None
    pieces: int = 0
    breaks: int = 0
    status: str = ""
    prices: PriceList = PRICE_LIST

    @property
    def is_thinking(self) -> bool:
        """Whether only reasoning has come so far."""
        return self.is_live and not (self.reply.content or self.reply.tool_calls)

    @property
    def speed(self) -> float | None:
        """Tokens per second since the first piece. Until the usage has come it counts pieces, each at most a token."""
        if self.first_at is None or self.last_at is None or self.last_at <= self.first_at:
            return None
        output = max(self.pieces, tokens_of(self.reply.usage).output if self.reply.usage else 0)
        return output / (self.last_at - self.first_at)


def reply_html(snapshot: Snapshot) -> str:
    """The reply as HTML: reasoning (open while Kimi thinks, folded afterwards), answer, tool calls, summary line."""
    reply, parts = snapshot.reply, list[str]()
    if reply.reasoning:
        state, title = (" open", "Thinking…") if snapshot.is_thinking else ("", "Reasoning")
        parts.append(
            f'<details{state}><summary style="{MUTED};cursor:pointer">{title}</summary>'
            f'<div style="{PANEL};{MUTED}">{html_of_text(reply.reasoning)}</div></details>'
        )
    if reply.content:
        parts.append(html_of_markdown(reply.content))
    parts += map(tool_call_box, reply.tool_calls)
    line = summary_line(snapshot)
    if line:
        parts.append(f'<div style="{MUTED};font-size:85%;margin-top:.5em">{escape_html(line)}</div>')
    return f'<div class="{NO_MATH}">{"".join(parts)}</div>'


def reply_text(snapshot: Snapshot) -> str:
    """The same parts as text, for a terminal."""
    reply, line = snapshot.reply, summary_line(snapshot)
    parts = [
        f"Reasoning: {reply.reasoning}" if reply.reasoning else "",
        reply.content,
        *map(tool_call_text, reply.tool_calls),
        f"[{line}]" if line else "",
    ]
    return escape_controls("\n\n".join(part for part in parts if part))


def summary_line(snapshot: Snapshot) -> str:
    """Tokens, cached share, time to the first token, tokens per second, cost, as far as each is known.

    >>> head, usage = {"model": "kimi-k3"}, {"prompt_tokens": 89, "completion_tokens": 22}
    >>> summary_line(Snapshot(reply=Reply(usage=usage, head=head)))
    'kimi-k3 · 89 tokens in · 22 out · $0.0006'
    """
    if snapshot.is_live:
        facts = [_progress(snapshot), *_timing(snapshot)]
    else:
        reply, tokens = snapshot.reply, tokens_of(snapshot.reply.usage) if snapshot.reply.usage else None
        facts = [
            _model(reply),
            *(_token_counts(tokens) if tokens else ()),
            *_timing(snapshot),
            _cost(snapshot, tokens) if tokens else "",
            UNUSUAL_ENDS.get(reply.finish_reason or "", ""),
            snapshot.status or _breaks(snapshot),
        ]
    return " · ".join(fact for fact in facts if fact)


def usage_table(usage: Any, model: str = "", prices: PriceList = PRICE_LIST) -> Table:
    """The token counts of a usage, and its cost if `model` has a price."""
    tokens = tokens_of(usage)
    cost = prices.cost(model, tokens)
    rows: list[tuple[object, ...]] = [
        ("prompt", f"{tokens.prompt:,}"),
        ("of it cached", f"{tokens.cached:,} ({tokens.cached_share:.0%})"),
        ("answer", f"{tokens.output:,}"),
        ("of it reasoning", f"{tokens.reasoning:,}"),
    ]
    rows += [("cost", f"{money(cost, prices.currency)} (prices of {prices.date})")] if cost is not None else []
    return Table(tuple(rows), ("tokens", "") if cost is None else (model, ""))


def error_table(error: BaseException) -> Table:
    """What happened, on whose side, and what to do."""
    fault = fault_of(error)
    rows: list[tuple[object, ...]] = [
        ("what", fault.meaning),
        ("whose", f"{fault.whose} side"),
        ("to do", fault.advice),
    ]
    if isinstance(error, openai.APIError):
        refusal = refusal_of_error(error)
        words = " ".join(str(part) for part in (refusal.status, refusal.type, refusal.message) if part)
        rows.append(("Kimi said", words))
    request_id = getattr(error, "request_id", None)
    rows += [("request", request_id)] if request_id else []
    return Table(tuple(rows), (type(error).__name__, ""))


def notes_table(notes: Iterable[Note]) -> Table:
    """What was changed in a request for Kimi: where, how, why, and what to write instead."""
    rows = tuple((note.where, note.change, note.why, note.fix) for note in notes)
    return Table(rows, ("where", "change", "why", "what to write"))


def _model(reply: Reply) -> str:
    return str(reply.head.get("model") or "")


def _progress(snapshot: Snapshot) -> str:
    if snapshot.status or not snapshot.pieces:
        return snapshot.status or "waiting for the first token"
    return f"{snapshot.pieces} token{'s' * (snapshot.pieces != 1)} so far"


def _timing(snapshot: Snapshot) -> list[str]:
    first = [f"{_seconds(snapshot.first_at)} to the first token"] if snapshot.first_at is not None else []
    return first + ([f"{snapshot.speed:.0f} tokens/s"] if snapshot.speed is not None else [])


def _token_counts(tokens: Tokens) -> list[str]:
    cached = f" ({tokens.cached_share:.0%} cached)" if tokens.cached else ""
    reasoning = f" ({tokens.reasoning:,} reasoning)" if tokens.reasoning else ""
    return [f"{tokens.prompt:,} tokens in{cached}", f"{tokens.output:,} out{reasoning}"]


def _cost(snapshot: Snapshot, tokens: Tokens) -> str:
    cost = snapshot.prices.cost(_model(snapshot.reply), tokens)
    if cost is None:
        return ""
    or_more = " or more" if snapshot.breaks else ""  # the cost of a part that was cut off is not reported
    return money(cost, snapshot.prices.currency) + or_more


def _breaks(snapshot: Snapshot) -> str:
    times = {1: "once", 2: "twice"}.get(snapshot.breaks, f"{snapshot.breaks} times")
    return f"broke off {times}, went on each time" if snapshot.breaks else ""


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
