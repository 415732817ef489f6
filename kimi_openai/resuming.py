"""How an answer that broke off goes on: the next request, and the seam between what was shown and what comes.

Pure: what was received and asked comes in, a decision, a body or a trimmed text goes out. `exchange.py` asks here, and
sends nothing either. Source: platform docs, partial mode guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from .messages import partial_message
from .replies import Fold

__all__ = ["OnCut", "Seam", "asks_for_json", "is_telling", "resumed_body", "seam_after", "way_on"]

Json = Mapping[str, Any]
OnCut = Literal["resume", "restart", "raise"]

SURELY_A_REPEAT = 4
"""Bytes that a prefix must have to be trimmed where it comes again: "ha" may well follow "ha"."""


def way_on(body: Json, received: Fold, on_cut: OnCut = "resume") -> OnCut:
    """How to go on after a cut: where partial mode can (there is text, and no tool call has begun) "resume".

    `response_format` must not be combined with partial mode ("json_object" gives unexpected output by the docs, and
    "json_schema" is discouraged on K2.6 and not described for K3), so a JSON answer starts over.
    """
    if on_cut != "resume":
        return on_cut
    can_resume = received.content.strip() and not received.calls and not asks_for_json(body)
    return "resume" if can_resume and prefix_of(body) is not None else "restart"


def asks_for_json(body: Json) -> bool:
    """Whether the answer is to be JSON."""
    wanted: Any = body.get("response_format")
    return isinstance(wanted, Mapping) and cast(Json, wanted).get("type") in ("json_object", "json_schema")


def prefix_of(body: Json) -> str | None:
    """The text that the caller has begun by partial mode, "" where none has been, `None` where it is not plain text."""
    messages: list[Json] = body["messages"]
    if not messages or not messages[-1].get("partial"):
        return ""
    content: Any = messages[-1].get("content") or ""
    return content if isinstance(content, str) else None


def resumed_body(body: Json, text: str, reasoning: str | None) -> dict[str, Any]:
    """The request for the rest of an answer of which `text` has come, led to by `reasoning`.

    Blanks at the end of the text are not sent: how the platform treats them is not documented, and models go on better
    without. `Seam` takes care of them.

    >>> resumed_body({"messages": [{"role": "user", "content": "Hi"}]}, "Hello, ", "hm")["messages"][-1]
    {'role': 'assistant', 'content': 'Hello,', 'partial': True, 'reasoning_content': 'hm'}
    """
    messages: list[Any] = list(body["messages"])
    begun: Json = messages.pop() if messages[-1].get("partial") else {}
    thought = [part for part in (begun.get("reasoning_content"), reasoning) if part is not None]
    prefix = (begun.get("content") or "") + text.rstrip()
    message = partial_message(prefix, reasoning="".join(thought) if thought else None)
    return {**body, "messages": [*messages, {**begun, **message}]}


class Seam:
    """Joins what comes to the text that it continues: an exact repetition of it is dropped, as are blanks that were
    shown but not sent.

    `take` gives what to show of each piece; a beginning that may yet turn out to be a repetition is held back. A prefix
    that is very short, or itself a repetition, is left alone: "ha" after "haha" is more likely meant.

    >>> seam = Seam("Dear customer,", " ")
    >>> seam.take("Dear cust"), seam.take("omer, hel"), seam.take("lo")
    ('', 'hel', 'lo')
    """

    __slots__ = ("_blanks", "_held", "_prefix")

    def __init__(self, prefix: str, blanks: str = "") -> None:
        self._prefix = prefix if is_telling(prefix) else ""
        self._blanks = blanks
        self._held = ""

    @property
    def is_closed(self) -> bool:
        """Whether all that comes passes as it is from here on."""
        return not (self._prefix or self._blanks)

    def take(self, text: str) -> str:
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
            again = text[0] == self._blanks[0]
            self._blanks = self._blanks[1:] if again else ""
            text = text[1:] if again else text
        return text

    def rest(self) -> str:
        """What was held back, once it is certain that nothing more comes."""
        held, self._held, self._prefix = self._held, "", ""
        return self.take(held)


def is_telling(prefix: str) -> bool:
    """Whether a prefix that comes again is more likely the server's repetition than the model's."""
    repeats_itself = prefix in (prefix + prefix)[1:-1]
    return len(prefix) > 1 and len(prefix.encode(errors="replace")) >= SURELY_A_REPEAT and not repeats_itself


def seam_after(sent: Json, text: str = "") -> Seam | None:
    """The seam of a request's answer to the text shown before it; `None` where nothing was."""
    prefix = prefix_of(sent)
    return Seam(prefix, text[len(text.rstrip()) :]) if prefix else None
