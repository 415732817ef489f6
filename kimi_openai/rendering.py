"""A reply, whole or still arriving, as HTML and as text; usage, errors and notes as tables.

Pure: `View` in, strings out. Nothing of a model's or a server's leaves here but through `markup.py` or `tables.py`,
which make it harmless. `notebook.py` puts the strings on the screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import openai

from .costs import PRICE_LIST, PriceList, Tokens, tokens_of
from .errors import Note, fault_of, refusal_of_error
from .markup import html_of_markdown, html_of_text
from .replies import Reply
from .tables import MUTED, Table, escaped
from .terminal import harmless

__all__ = ["View", "error_table", "facts_line", "money", "notes_table", "reply_html", "reply_text", "usage_table"]

PANEL = "border-left:3px solid var(--jp-border-color2,#bbb);padding-left:.8em;margin:.3em 0"
CALL = "border:1px solid var(--jp-border-color2,#bbb);border-radius:4px;padding:.3em .6em;margin:.4em 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A reply as it stands at one moment.

    `is_live`: more is to come. `first` and `last`: seconds from the question to the first and to the newest piece,
    `None` where nobody measured. `breaks`: how often the stream broke off; `news`: what is to be said about it.
    """

    reply: Reply
    is_live: bool = False
    first: float | None = None
    last: float | None = None
    pieces: int = 0
    breaks: int = 0
    news: str = ""
    prices: PriceList = PRICE_LIST

    @property
    def is_thinking(self) -> bool:
        """Whether there is only reasoning so far."""
        return self.is_live and not (self.reply.content or self.reply.tool_calls)

    @property
    def speed(self) -> float | None:
        """Tokens per second from the first piece on; by pieces, of which none is more than a token, until the usage is
        there."""
        if self.first is None or self.last is None or self.last <= self.first:
            return None
        output = max(self.pieces, tokens_of(self.reply.usage).output if self.reply.usage else 0)
        return output / (self.last - self.first)


def reply_html(view: View) -> str:
    """The reasoning folded (open while it comes), the answer, the tool calls, the facts."""
    reply, parts = view.reply, list[str]()
    if reply.reasoning:
        state, title = (" open", "Thinking…") if view.is_thinking else ("", "Reasoning")
        body = html_of_text(reply.reasoning)
        parts.append(
            f'<details{state}><summary style="{MUTED};cursor:pointer">{title}</summary>'
            f'<div style="{PANEL};{MUTED}">{body}</div></details>'
        )
    if reply.content:
        parts.append(html_of_markdown(reply.content))
    parts += [f'<div style="{CALL}"><code>{escaped(_call(call))}</code></div>' for call in reply.tool_calls]
    line = facts_line(view)
    if line:
        parts.append(f'<div style="{MUTED};font-size:85%;margin-top:.5em">{escaped(line)}</div>')
    return f"<div>{''.join(parts)}</div>"


def reply_text(view: View) -> str:
    """The same for a terminal."""
    reply = view.reply
    parts = [f"Reasoning: {reply.reasoning}"] if reply.reasoning else []
    parts += [reply.content] if reply.content else []
    parts += [_call(call) for call in reply.tool_calls]
    line = facts_line(view)
    parts += [f"[{line}]"] if line else []
    return harmless("\n\n".join(parts))


def facts_line(view: View) -> str:
    """Tokens, cached share, time to the first token, tokens per second, cost: as far as each is known.

    >>> facts_line(View(reply=Reply(usage={"prompt_tokens": 89, "completion_tokens": 22}, head={"model": "kimi-k3"})))
    'kimi-k3 · 89 tokens in · 22 out · $0.0006'
    """
    reply, facts = view.reply, list[str]()
    model = str(reply.head.get("model") or "")
    if view.is_live:
        waits = "waiting for the first token" if not view.pieces else ""
        facts.append(view.news or waits or f"{view.pieces} token{'s' * (view.pieces != 1)} so far")
    else:
        facts += [model, *(_usage_facts(tokens_of(reply.usage)) if reply.usage else [])]
    facts += [f"{_seconds(view.first)} to the first token"] if view.first is not None else []
    facts += [f"{view.speed:.0f} tokens/s"] if view.speed is not None else []
    if not view.is_live:
        cost = view.prices.cost(model, tokens_of(reply.usage)) if reply.usage else None
        at_least = " or more" if view.breaks else ""  # what a broken part cost is not reported
        facts += [money(cost, view.prices.currency) + at_least] if cost is not None else []
        facts += [UNUSUAL[reply.finish_reason]] if reply.finish_reason in UNUSUAL else []
        facts += [f"broke off {_times(view.breaks)}, went on each time"] if view.breaks and not view.news else []
        facts.append(view.news)
    return " · ".join(fact for fact in facts if fact)


UNUSUAL = {
    "length": "cut off by its token budget",
    "content_filter": "stopped by the content filter",
}


def money(amount: Decimal, currency: str = "USD") -> str:
    """An amount with two significant digits or more.

    >>> money(Decimal("0.000597")), money(Decimal("12.345")), money(Decimal("0.1"), "CNY")
    ('$0.0006', '$12.34', '¥0.10')
    """
    digits = 2 if abs(amount) >= Decimal("0.1") or not amount else 1 - amount.adjusted()
    shown = f"{amount:,.{digits}f}"
    shown = shown.rstrip("0") if digits > 2 else shown
    return {"USD": "$", "CNY": "¥"}.get(currency, f"{currency} ") + shown


def usage_table(usage: Any, model: str = "", prices: PriceList = PRICE_LIST) -> Table:
    """What a usage says; with the cost where the model is named and has a price."""
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
    """What happened, whose side it is on, what to do."""
    fault = fault_of(error)
    rows: list[tuple[object, ...]] = [
        ("what", fault.meaning),
        ("whose", f"{fault.whose} side"),
        ("to do", fault.advice),
    ]
    if isinstance(error, openai.APIError):
        said = refusal_of_error(error)
        rows.append(("Kimi said", " ".join(str(part) for part in (said.status, said.type, said.message) if part)))
    request_id = getattr(error, "request_id", None)
    rows += [("request", request_id)] if request_id else []
    return Table(tuple(rows), (type(error).__name__, ""))


def notes_table(notes: Iterable[Note]) -> Table:
    """Where a request is not what Kimi accepts, what is sent instead, and why."""
    rows = tuple((note.where, note.change, note.why, note.fix) for note in notes)
    return Table(rows, ("where", "change", "why", "what to write"))


def _usage_facts(tokens: Tokens) -> list[str]:
    cached = f" ({tokens.cached_share:.0%} cached)" if tokens.cached else ""
    reasoning = f" ({tokens.reasoning:,} reasoning)" if tokens.reasoning else ""
    return [f"{tokens.prompt:,} tokens in{cached}", f"{tokens.output:,} out{reasoning}"]


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _call(call: Any) -> str:
    function: Any = call.get("function") or {}
    return f"{function.get('name') or ''}({function.get('arguments') or ''})"
