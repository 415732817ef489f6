"""JSON answers inside a Markdown fence, as K2.6 may give them: the JSON without the fence, and the note about it.

Pure; `adapt.report_answer` reports the note. Source: docs, response format guide, 2026-09-03.
"""

from __future__ import annotations

import json
import re
from typing import Any

from kimi_openai._internal.json_values import Json, as_dict
from kimi_openai.errors.exceptions import Note

__all__ = ["FenceRemover", "asks_for_json", "fence_removed", "remove_fences", "unfenced_json"]

OPENING = re.compile(r"\s*```(?:json)?[ \t]*\r?\n", re.IGNORECASE)
OPENING_SO_FAR = re.compile(r"\s*(?:`{0,3}|```(?:j|js|jso|json)?[ \t]*\r?)", re.IGNORECASE)
CLOSING = re.compile(r"\s*```\s*")


def asks_for_json(body: Json) -> bool:
    """Whether `response_format` asks for a JSON answer.

    >>> asks_for_json({"response_format": {"type": "json_object"}}), asks_for_json({})
    (True, False)
    """
    return as_dict(body.get("response_format")).get("type") in ("json_object", "json_schema")


def unfenced_json(content: str) -> str | None:
    """The JSON text in an answer, without the Markdown fence around it; `None` if it is not JSON.

    >>> unfenced_json('```json\\n{"a": 1}\\n```'), unfenced_json('{"a": 1'), unfenced_json(' {"a": 1}')
    ('{"a": 1}', None, ' {"a": 1}')
    >>> unfenced_json('{"a": NaN}') is None
    True
    """
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", content, re.DOTALL | re.IGNORECASE)
    text = fenced[1] if fenced else content
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return text


def _refuse(word: str) -> None:
    """Refuse `NaN` and `Infinity`, which Python reads although JSON does not have them."""
    raise ValueError(word)


class FenceRemover:
    """Removes the fence from a JSON answer that comes in pieces.

    What may belong to a fence is held back until that is clear. A text that does not begin with a fence passes as it
    is.

    >>> remover = FenceRemover()
    >>> "".join(map(remover.feed, ("``", "`json", '\\n{"a":', " 1}\\n`", "``"))) + remover.flush(), remover.is_fenced
    ('{"a": 1}', True)
    """

    def __init__(self) -> None:
        self.is_fenced = False
        self._has_begun = False
        self._held: str = ""

    def feed(self, text: str) -> str:
        """What is known to be the answer after the next piece."""
        text = self._held + text
        self._held = ""
        if not self._has_begun:
            if OPENING_SO_FAR.fullmatch(text):
                self._held = text
                return ""
            self._has_begun = True
            opening = OPENING.match(text)
            if opening:
                self.is_fenced = True
                text = text[opening.end() :]
        if not self.is_fenced:
            return text
        kept = text.rstrip("` \t\r\n")
        self._held = text[len(kept) :]
        return kept

    def flush(self) -> str:
        """The rest of the answer, when no more pieces come."""
        rest, self._held = self._held, ""
        return "" if self.is_fenced and CLOSING.fullmatch(rest) else rest


def fence_removed(where: str = "choices.0.message.content") -> Note:
    """The note for a JSON answer that was parsed without its fence."""
    why = "the answer came as JSON inside a Markdown fence"
    fix = "ask for JSON without a fence in the prompt, or use another model"
    return Note("fenced_json", where, "parsed without the fence", why, fix)


def remove_fences(completion: Any) -> bool:
    """Remove the fences around JSON answers, in place. Returns whether there was one."""
    found = False
    for choice in completion.choices:
        content = choice.message.content
        text = unfenced_json(content) if isinstance(content, str) and OPENING.match(content) else None
        if text is not None:
            choice.message.content, found = text, True
    return found
