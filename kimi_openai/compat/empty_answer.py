"""Answers without text: Kimi at times ends an answer after its reasoning, with `content: ""` and finish_reason "stop".

`stream` and `complete` ask for such an answer once more; the client only notes it, because `create` sends one request.
Pure; `adapt.report_answer` reports the notes. Source: reports in MoonshotAI/Kimi-K3#45 and Kimi-K2#128.
"""

from __future__ import annotations

from typing import Any

from kimi_openai._internal.json_values import as_dict, as_list
from kimi_openai.errors.exceptions import Note

__all__ = ["asked_again", "came_empty", "is_empty", "is_partial"]

WHERE = "choices.0.message.content"
WHY = "the answer ended with finish_reason 'stop' and without text"


def is_empty(text: str | None, has_calls: bool, finish_reason: str | None) -> bool:
    """Whether an answer ended as if it were whole, with neither text nor a tool call.

    >>> is_empty("", False, "stop"), is_empty("ok", False, "stop"), is_empty(None, False, "length")
    (True, False, False)
    """
    return finish_reason == "stop" and not has_calls and not (text or "").strip()


def is_partial(body: Any) -> bool:
    """Whether a request continues a text, which may need nothing more.

    >>> is_partial({"messages": [{"role": "assistant", "content": "All of it.", "partial": True}]})
    True
    """
    messages = as_list(as_dict(body).get("messages"))
    return bool(messages) and bool(as_dict(messages[-1]).get("partial"))


def came_empty(*, tries: int = 1) -> Note:
    """The note for an answer that is returned without text."""
    change = "returned without text" + (", as it came twice" if tries > 1 else "")
    fix = "ask again later" if tries > 1 else "ask again, or use kimi_openai.complete, which does so once"
    return Note("empty_answer", WHERE, change, WHY, fix)


def asked_again() -> Note:
    """The note for an answer that was asked for once more."""
    return Note("empty_answer", WHERE, "asked for once more", WHY, "both answers are in the usage")
