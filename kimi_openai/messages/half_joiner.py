"""Joins characters whose two halves came in two chunks, escaped as `\\ud83d` and `\\ude00`.

Pure. The readers of chat streams call `HalfJoiner` for chunks that their fast JSON parser refuses because of such a
half; the reader of Responses streams has a `PieceJoiner` for each text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kimi_openai._internal.counts import count_of
from kimi_openai._internal.decode import decode_json
from kimi_openai._internal.json_values import as_dict, as_list, is_dict
from kimi_openai._internal.surrogates import REPLACEMENT, is_first_half, joined, without_surrogates

__all__ = ["HalfJoiner", "PieceJoiner"]

TEXTS = ("reasoning_content", "content")


class PieceJoiner:
    """Joins the pieces of one text: a first half at the end of a piece is held back until the next one.

    >>> joiner = PieceJoiner()
    >>> joiner.feed("a\\ud83d"), joiner.feed("\\ude00"), joiner.feed("\\ud83d"), joiner.flush()
    ('a', '😀', '', '\ufffd')
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = ""

    @property
    def is_holding(self) -> bool:
        """Whether a half is held back."""
        return bool(self._held)

    def feed(self, text: str) -> str:
        """The next part of the text."""
        text, self._held = self._held + text, ""
        if text and is_first_half(text[-1]):
            text, self._held = text[:-1], text[-1]
        return joined(text)

    def flush(self) -> str:
        """What is shown for a half whose other half did not come; "" if none is held back."""
        held, self._held = self._held, ""
        return REPLACEMENT if held else ""


class HalfJoiner:
    """Holds the first half at the end of a text back until the next piece of that text.

    If the other half does not come, U+FFFD is shown instead, at the latest with the finish_reason.

    >>> joiner = HalfJoiner()
    >>> first = joiner.join({"choices": [{"delta": {"content": "a\\ud83d"}}]})
    >>> first, joiner.join({"choices": [{"delta": {"content": "\\ude00"}}]})
    ({'choices': [{'delta': {'content': 'a'}}]}, {'choices': [{'delta': {'content': '😀'}}]})
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[object, PieceJoiner] = {}

    @property
    def is_holding(self) -> bool:
        """Whether a half is held back, so that the next chunk needs `join`."""
        return bool(self._held)

    def decode(self, data: bytes) -> Any:
        """The chunk in the data of an event, joined if that is needed. Raises `ValueError` if it is not JSON."""
        if self._held:
            return self.join(decode_json(data, clean=_unchanged))
        return decode_json(data, clean=self.join)

    def join(self, chunk: Any) -> Any:
        """The chunk without surrogates. Texts in `chunk` itself are changed."""
        for choice in as_list(as_dict(chunk).get("choices"))[:1]:
            delta = as_dict(choice).get("delta")
            if is_dict(delta):
                self._join_delta(delta, is_last=bool(choice.get("finish_reason")))
        return without_surrogates(chunk)

    def _join_delta(self, delta: dict[str, Any], *, is_last: bool) -> None:
        before, self._held = self._held, {}
        has_text = False
        for key, holder, name in _texts(delta):
            text: Any = holder.get(name)
            if isinstance(text, str) and text:
                joiner, has_text = before.pop(key, None) or PieceJoiner(), True
                holder[name] = joiner.feed(text) + (joiner.flush() if is_last else "")
                if joiner.is_holding:
                    self._held[key] = joiner
        if not (has_text or is_last):
            self._held = before
            return
        for key in before:  # another text goes on, or none does
            if key in TEXTS:
                delta[str(key)] = REPLACEMENT
            else:
                piece = {"index": key, "function": {"arguments": REPLACEMENT}}
                delta["tool_calls"] = [piece, *as_list(delta.get("tool_calls"))]


def _unchanged(value: Any) -> Any:
    return value


def _texts(delta: dict[str, Any]) -> Iterator[tuple[object, dict[str, Any], str]]:
    """The places of texts in a delta: a key that is the same in each chunk, the dict, and the name in it."""
    for name in TEXTS:
        yield name, delta, name
    for piece in as_list(delta.get("tool_calls")):
        function = as_dict(piece).get("function")
        if is_dict(function):
            yield count_of(piece.get("index")), function, "arguments"
