"""How an answer that was cut goes on: resume it or start over, the body of the next request, and the joint between both
texts.

Pure functions and one pure trimmer; `session` calls them. Source: platform docs, partial mode guide.
"""

from __future__ import annotations

from typing import Any, Literal

from kimi_openai._internal.json_values import Json
from kimi_openai.compat.fenced_json import asks_for_json
from kimi_openai.messages.accumulator import ReplyAccumulator
from kimi_openai.messages.builders import partial_message

__all__ = ["OnCut", "PrefixTrimmer", "is_distinctive", "recovery_of", "resumed_body", "trimmer_of"]

OnCut = Literal["resume", "restart", "raise"]

LEAST_DISTINCTIVE = 4
"""Bytes. A shorter prefix that comes again is left alone: "ha" may well follow "ha"."""


def recovery_of(body: Json, received: ReplyAccumulator, on_cut: OnCut = "resume") -> OnCut:
    """How the answer to `body` goes on after a cut: as `on_cut` says, but "restart" where partial mode cannot resume.

    It can if there is text and no tool call has begun. `response_format` must not be combined with partial mode
    ("json_object" gives unexpected output by the docs; "json_schema" is discouraged on K2.6 and not described for K3),
    so a JSON answer starts over.
    """
    if on_cut != "resume":
        return on_cut
    can_resume = received.content.strip() and not received.calls and not asks_for_json(body)
    return "resume" if can_resume and _prefix_of(body) is not None else "restart"


def resumed_body(body: Json, text: str, reasoning: str | None) -> dict[str, Any]:
    """The request for the rest of an answer to `body`, of which `text` has come, after `reasoning`.

    Whitespace at the end of the text is not sent: the documentation does not say how the platform treats it, and models
    go on better without it. A `PrefixTrimmer` removes it from the rest if it comes again.

    >>> resumed_body({"messages": [{"role": "user", "content": "Hi"}]}, "Hello, ", "hm")["messages"][-1]
    {'role': 'assistant', 'content': 'Hello,', 'partial': True, 'reasoning_content': 'hm'}
    """
    messages: list[Any] = list(body["messages"])
    begun: Json = messages.pop() if messages[-1].get("partial") else {}
    thoughts = [part for part in (begun.get("reasoning_content"), reasoning) if part is not None]
    prefix = (begun.get("content") or "") + text.rstrip()
    message = partial_message(prefix, reasoning="".join(thoughts) if thoughts else None)
    return {**body, "messages": [*messages, {**begun, **message}]}


class PrefixTrimmer:
    """Removes from a continued text what the reader has seen already: an exact repetition of the `prefix` that was
    sent, and the whitespace (`blanks`) that was shown after it but not sent.

    `feed` returns what to show of each piece; a beginning that may still become a repetition is held back. A prefix
    that is not distinctive is never removed: "ha" after "haha" is more likely meant.

    >>> trimmer = PrefixTrimmer("Dear customer,", " ")
    >>> trimmer.feed("Dear cust"), trimmer.feed("omer, hel"), trimmer.feed("lo")
    ('', 'hel', 'lo')
    """

    __slots__ = ("_blanks", "_held", "_prefix")

    def __init__(self, prefix: str, blanks: str = "") -> None:
        self._prefix = prefix if is_distinctive(prefix) else ""
        self._blanks = blanks
        self._held = ""

    @property
    def is_done(self) -> bool:
        """Whether all further text passes unchanged."""
        return not (self._prefix or self._blanks)

    def feed(self, text: str) -> str:
        """What to show of the next piece."""
        if self._prefix:
            text = self._held = self._held + text
            if len(text) < len(self._prefix):
                if self._prefix.startswith(text):
                    return ""
            else:
                text = text.removeprefix(self._prefix)
            self._prefix = self._held = ""
        while self._blanks and text:
            is_repeated = text[0] == self._blanks[0]
            self._blanks = self._blanks[1:] if is_repeated else ""
            text = text[1:] if is_repeated else text
        return text

    def flush(self) -> str:
        """What was held back, when no more text can come."""
        held, self._held, self._prefix = self._held, "", ""
        return self.feed(held)


def trimmer_of(sent: Json, shown: str = "") -> PrefixTrimmer | None:
    """The trimmer for the answer to `sent`, whose reader has seen the text `shown`; `None` if nothing can repeat."""
    prefix = _prefix_of(sent)
    return PrefixTrimmer(prefix, shown[len(shown.rstrip()) :]) if prefix else None


def is_distinctive(prefix: str) -> bool:
    """Whether a prefix that comes again is more likely repeated by the server than meant by the model."""
    repeats_itself = prefix in (prefix + prefix)[1:-1]
    return len(prefix) > 1 and len(prefix.encode(errors="replace")) >= LEAST_DISTINCTIVE and not repeats_itself


def _prefix_of(body: Json) -> str | None:
    """The text of the partial message at the end of `body`; "" if there is none, `None` if it is not plain text."""
    messages: list[Json] = body["messages"]
    if not messages or not messages[-1].get("partial"):
        return ""
    content: Any = messages[-1].get("content") or ""
    return content if isinstance(content, str) else None
