"""Whether what a way of asking returned is what the server meant. Each judge returns what is wrong, "" if nothing is.

A judge may fail on a value of a wrong type: what cannot be read is untrue as well.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk

from .plans import TOOL_RESULTS, UNIT, Plan
from .wire import Answer

__all__ = ["balance", "complete", "create", "create_stream", "estimate", "extracted", "models", "run_tools", "stream"]


@dataclass(frozen=True)
class Told:
    """What was delivered of a chat answer."""

    text: str
    reasoning: str
    calls: tuple[tuple[str, str], ...]
    finish_reason: str | None
    usage: Any


def create(plan: Plan, value: Any, _: Sequence[Answer]) -> str:
    return _compared(plan, _told(value), parts=1)


def complete(plan: Plan, value: Any, answers: Sequence[Answer]) -> str:
    return _compared(plan, _told(value), parts=len(answers))


def stream(plan: Plan, value: Any, answers: Sequence[Answer]) -> str:
    events, completion = value
    told = _told(completion)
    if (told.text, told.reasoning) != (events["content.delta"], events["reasoning.delta"]):
        return f"events {events} and completion {told} differ"
    return _compared(plan, told, parts=len(answers))


def run_tools(plan: Plan, value: Any, answers: Sequence[Answer]) -> str:
    results = tuple(message["content"] for message in value.messages if message["role"] == "tool")
    if results != TOOL_RESULTS[: len(plan.meant.calls)]:
        return f"tool results {results}"
    if value.messages[-1]["content"] != plan.meant.text:
        return f"last message {value.messages[-1]}"
    after_calls = replace(plan, meant=replace(plan.meant, calls=()))
    return _compared(after_calls, replace(_told(value.completion), usage=value.usage), parts=len(answers))


def create_stream(plan: Plan, value: Any, _: Sequence[Answer]) -> str:
    text = reasoning = ""
    calls: dict[int, list[str]] = {}
    finish_reason = usage = None
    for chunk in value:
        if not isinstance(chunk, ChatCompletionChunk):
            return f"a {type(chunk).__name__} in the stream"
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasoning += getattr(choice.delta, "reasoning_content", None) or ""
            finish_reason = choice.finish_reason or finish_reason
            for piece in choice.delta.tool_calls or ():
                call, function = calls.setdefault(piece.index, ["", ""]), piece.function
                call[0] += (function and function.name) or ""
                call[1] += (function and function.arguments) or ""
    pairs = tuple((name, arguments) for name, arguments in calls.values())
    return _compared(plan, Told(text, reasoning, pairs, finish_reason, usage and usage.model_dump()), parts=1)


def _told(completion: Any) -> Told:
    if not isinstance(completion, ChatCompletion):
        raise TypeError(f"a {type(completion).__name__}: {str(completion)[:60]!r}")
    choice = completion.choices[0]
    message: Any = choice.message
    calls = tuple((call.function.name, call.function.arguments) for call in message.tool_calls or ())
    usage = None if completion.usage is None else completion.usage.model_dump()
    return Told(message.content or "", message.reasoning_content or "", calls, choice.finish_reason, usage)


def _compared(plan: Plan, told: Told, *, parts: int) -> str:
    """What differs from what was meant. The usage is the sum of what was reported, by `parts` answers at most."""
    meant = plan.meant
    for name, is_, should_be in (
        ("text", told.text, "" if meant.calls else meant.text),
        ("reasoning", told.reasoning, meant.reasoning),
        ("calls", told.calls, meant.calls),
        ("finish_reason", told.finish_reason, "tool_calls" if meant.calls else "stop"),
    ):
        if is_ != should_be:
            return f"{name} is {is_!r}, not {should_be!r}"
    if told.usage is not None and not any(_is_multiple(told.usage, count) for count in range(1, parts + 1)):
        return f"usage is {told.usage}"
    return ""


def _is_multiple(usage: Mapping[str, Any], count: int) -> bool:
    return all(usage.get(name) == count * number for name, number in UNIT.items())


def balance(_: Plan, value: Any, answers: Sequence[Answer]) -> str:
    fields = {"available": "available_balance", "voucher": "voucher_balance", "cash": "cash_balance"}
    told = {theirs: getattr(value, ours) for ours, theirs in fields.items()}
    meant = [json.loads(_body(answer), parse_float=Decimal)["data"] for answer in answers]
    return "" if told in meant else f"{told}, not one of {meant}"


def models(_: Plan, value: Any, answers: Sequence[Answer]) -> str:
    told = [(model.id, model.context_length) for model in value]
    lists = [json.loads(_body(answer))["data"] for answer in answers]
    meant = [[(entry["id"], entry["context_length"]) for entry in entries] for entries in lists]
    return "" if told in meant else f"{told}, not one of {meant}"


def estimate(_: Plan, value: Any, answers: Sequence[Answer]) -> str:
    meant = [json.loads(_body(answer))["data"]["total_tokens"] for answer in answers]
    return "" if value in meant and type(value) is int else f"{value!r}, not one of {meant}"


def extracted(_: Plan, value: Any, answers: Sequence[Answer]) -> str:
    meant = [answer.body.decode() for answer in answers if answer.is_verbatim]
    return "" if value in meant else f"{str(value)[:80]!r}, not one of {[text[:80] for text in meant]}"


def _body(answer: Answer) -> bytes:
    return gzip.decompress(answer.body) if "content-encoding" in answer.headers else answer.body
