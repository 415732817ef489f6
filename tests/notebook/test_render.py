"""Replies as HTML and as text; usage, errors and notes as tables."""

from __future__ import annotations

from datetime import date

import pytest

from kimi_openai.errors.exceptions import Note, UnexpectedAnswerError
from kimi_openai.messages.reply import Reply
from kimi_openai.models.prices import PRICES
from kimi_openai.notebook.render import (
    Snapshot,
    error_table,
    notes_table,
    reply_html,
    reply_text,
    summary_line,
    usage_table,
)
from kimi_openai.usage.costs import PriceList, Tokens
from tests.harmless import wrong_in
from tests.hostile import HTML_ATTACKS

USAGE = {
    "prompt_tokens": 400,
    "completion_tokens": 45,
    "total_tokens": 445,
    "cached_tokens": 256,
    "completion_tokens_details": {"reasoning_tokens": 20},
}


@pytest.mark.parametrize("text", HTML_ATTACKS)
def test_no_field_of_a_reply_has_an_effect(text: str) -> None:
    """Answer, reasoning, tool call, model, finish reason, status: no tag or attribute that is not ours."""
    call = {"function": {"name": text, "arguments": text}}
    reply = Reply(content=text, reasoning=text, tool_calls=(call,), head={"model": text}, finish_reason=text)
    for is_live in (True, False):
        assert wrong_in(reply_html(Snapshot(reply=reply, is_live=is_live, status=text))) == []
    assert "\x1b" not in reply_text(Snapshot(reply=reply))


def test_control_characters_are_written_out() -> None:
    """In a notebook as in a terminal, and none is removed."""
    reply = Reply(content="a\x1b[2J\r\n\ud83d", reasoning="\u202egpj.exe")
    for shown in (reply_html(Snapshot(reply=reply)), reply_text(Snapshot(reply=reply))):
        assert all(part in shown for part in (r"a\x1b[2J", r"\ud83d", r"\u202egpj.exe"))


def test_the_reasoning_is_open_while_kimi_thinks_and_folded_afterwards() -> None:
    """It stands above the answer."""
    thinks = reply_html(Snapshot(reply=Reply(reasoning="hm"), is_live=True, pieces=1))
    answers = reply_html(Snapshot(reply=Reply(reasoning="hm", content="yes"), is_live=True, pieces=2))
    assert "<details open>" in thinks
    assert "Thinking…" in thinks
    assert "<details>" in answers
    assert answers.index("hm") < answers.index("<p>yes</p>")


def test_the_summary_line() -> None:
    """Tokens, cached share, time to the first token, speed, cost: each if it is known."""
    reply = Reply(content="x", usage=USAGE, head={"model": "kimi-k3"})
    assert summary_line(Snapshot(reply=reply, first_at=0.31, last_at=0.76)) == (
        "kimi-k3 · 400 tokens in (64% cached) · 45 out (20 reasoning) · 310 ms to the first token · 100 tokens/s"
        " · $0.0012"
    )
    assert summary_line(Snapshot(reply=reply, breaks=1)).endswith(
        " · $0.0012 or more · broke off once, went on each time"
    )
    assert summary_line(Snapshot(reply=Reply(content="x"))) == ""
    assert summary_line(Snapshot(reply=Reply(finish_reason="length"))) == "cut off by its token budget"
    assert summary_line(Snapshot(reply=Reply(), breaks=3)) == "broke off 3 times, went on each time"
    assert summary_line(Snapshot(reply=Reply(), breaks=1, status="ended by X")) == "ended by X"


def test_the_summary_line_of_a_live_reply() -> None:
    """What is waited for, or how much has come; no model and no cost yet."""
    reply = Reply(usage=USAGE, head={"model": "kimi-k3"})
    assert summary_line(Snapshot(reply=reply, is_live=True)) == "waiting for the first token"
    assert summary_line(Snapshot(reply=reply, is_live=True, pieces=1)) == "1 token so far"
    assert summary_line(Snapshot(reply=reply, is_live=True, pieces=7, first_at=2.0)) == (
        "7 tokens so far · 2.0 s to the first token"
    )
    assert summary_line(Snapshot(reply=reply, is_live=True, pieces=7, status="starting over")) == "starting over"


def test_the_text_has_the_same_parts() -> None:
    """For a terminal."""
    call = {"function": {"name": "add", "arguments": '{"a":1}'}}
    reply = Reply(content="x", reasoning="hm", tool_calls=(call,), usage=USAGE, head={"model": "other"})
    assert reply_text(Snapshot(reply=reply)) == (
        'Reasoning: hm\n\nx\n\nadd({"a":1})\n\n[other · 400 tokens in (64% cached) · 45 out (20 reasoning)]'
    )


def test_usage_errors_and_notes_are_tables() -> None:
    """Each with what its reader needs."""
    assert usage_table(USAGE, "kimi-k3").rows[-1] == ("cost", "$0.0012 (prices of 2026-11-23)")
    assert ("of it cached", "256 (64%)") in usage_table(USAGE).rows
    assert [name for name, _ in error_table(UnexpectedAnswerError("x", {})).rows] == ["what", "whose", "to do"]
    note = Note("pinned", "temperature", "left out", "only 1 is allowed", "leave it out")
    assert notes_table([note]).rows == (("temperature", "left out", "only 1 is allowed", "leave it out"),)


def test_prices_can_be_replaced() -> None:
    """By a list of another day and currency."""
    prices = PriceList({"kimi-k3": PRICES["kimi-k2.6"]}, date(2027, 1, 1), "CNY")
    snapshot = Snapshot(reply=Reply(usage=USAGE, head={"model": "kimi-k3"}), prices=prices)
    assert summary_line(snapshot).endswith("¥0.00036")
    assert prices.cost("kimi-k9", Tokens()) is None
