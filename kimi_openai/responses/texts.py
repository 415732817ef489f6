"""The texts and the calls of an answer as the caller sees them: whole characters, JSON without a fence, own names.

Pure. A text may come in pieces; what a piece ends in is held back if the next one may change it. The reader of streams
gives each piece to `feed`, and whole items to `item`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from kimi_openai._internal.json_values import as_list, is_dict
from kimi_openai.compat.answers import AnswerNames
from kimi_openai.compat.fenced_json import FenceRemover, fence_removed
from kimi_openai.errors.exceptions import Note
from kimi_openai.messages.half_joiner import PieceJoiner
from kimi_openai.mfjs.names import NameMapper, Names

__all__ = ["AnswerTexts", "Place"]


class Place(NamedTuple):
    """Where a text is: its kind ("text", "reasoning" or "arguments"), the item of the output, and the part of that."""

    kind: str
    position: object
    part: object = None


class Step(Protocol):
    """What changes a text that comes in pieces."""

    def feed(self, text: str, /) -> str:
        """The next part of the changed text."""
        ...

    def flush(self) -> str:
        """What was held back."""
        ...


class AnswerTexts:
    """`names` are put back; with `is_json` the texts of messages were asked for as JSON, so a Markdown fence around one
    is removed, and told to `report` once.

    >>> texts, place = AnswerTexts(is_json=True), Place("text", 0)
    >>> texts.whole("```json\\n{}\\n```"), [texts.feed(place, piece) for piece in ("``", "`\\n{", "}\\n```")]
    ('{}', ['', '{', '}'])
    """

    def __init__(
        self, names: AnswerNames | None = None, *, is_json: bool = False, report: Callable[[Note], object] | None = None
    ) -> None:
        self._names, self._is_json, self._report = names or AnswerNames(), is_json, report
        self._steps: dict[Place, list[Step]] = {}
        self._called: dict[object, str] = {}

    # Whole texts and items -------------------------------------------------------------------------------------------

    def whole(self, text: str) -> str:
        """A text of a message."""
        steps = self._steps_for(Place("text", None))
        return _fed(steps, text) + self._flushed(steps)

    def part(self, part: Any) -> Any:
        """A part of a message."""
        if not is_dict(part) or part.get("type") != "output_text" or not isinstance(part.get("text"), str):
            return part
        return {**part, "text": self.whole(part["text"])}

    def tool_name(self, name: str) -> str:
        """The caller's name of a tool."""
        return self._names.tools.get(name, name)

    def arguments(self, text: str, position: object) -> str:
        """The arguments of the call at this position."""
        names = self._names_in(position)
        return text if names is None else names.from_kimi(text)

    def item(self, item: dict[str, Any], position: object) -> dict[str, Any]:
        """A whole item of the output."""
        if item.get("type") == "message":
            return {**item, "content": [self.part(part) for part in as_list(item.get("content"))]}
        if item.get("type") != "function_call":
            return item
        self.begin_call(position, str(item.get("name")))
        changed = {**item, "name": self.tool_name(str(item.get("name")))}
        if isinstance(item.get("arguments"), str):
            changed["arguments"] = self.arguments(item["arguments"], position)
        return changed

    # Pieces ----------------------------------------------------------------------------------------------------------

    def begin_call(self, position: object, name: str) -> None:
        """Note Kimi's name of the tool that the item at this position calls."""
        self._called[position] = name

    def feed(self, place: Place, text: str) -> str:
        """The next part of a text that comes in pieces."""
        steps = self._steps.get(place)
        if steps is None:
            steps = self._steps[place] = self._steps_for(place)
        return _fed(steps, text)

    def held(self, position: object = None) -> Iterator[tuple[Place, str]]:
        """What is held back of the texts of an item, with its place: the text is over. All texts if it is None."""
        for place in [place for place in self._steps if position is None or place.position == position]:
            if text := self._flushed(self._steps.pop(place)):
                yield place, text

    def _steps_for(self, place: Place) -> list[Step]:
        steps: list[Step] = [PieceJoiner()]
        if place.kind == "text" and self._is_json:
            steps.append(FenceRemover())
        names = self._names_in(place.position) if place.kind == "arguments" else None
        names = self._names.content if place.kind == "text" else names
        return steps if names is None else [*steps, NameMapper(names)]

    def _names_in(self, position: object) -> Names | None:
        return self._names.arguments.get(self._called.get(position, ""))

    def _flushed(self, steps: list[Step]) -> str:
        """What the steps hold back, each of it changed by the steps after it."""
        rest = ""
        for number, step in enumerate(steps, 1):
            rest += _fed(steps[number:], step.flush())
            if isinstance(step, FenceRemover) and step.is_fenced and self._report is not None:
                self._report(fence_removed("output"))
                self._report = None
        return rest


def _fed(steps: list[Step], text: str) -> str:
    for step in steps:
        text = step.feed(text)
    return text
