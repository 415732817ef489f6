"""Repairs the events of a Responses stream as JSON: ids, names, texts, and what is missing but known from before.

Pure, except for the memory behind the exchange. Raises `WireError` for what has another type than documented. Source of
the events: platform docs, Responses page, and live streams, both 2026-09-03.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from kimi_openai._internal.decode import decode_json
from kimi_openai._internal.json_values import Json, is_dict
from kimi_openai._internal.surrogates import joined, without_surrogates
from kimi_openai._internal.wire import WireError

from .answer import checked_item, checked_response
from .exchange import Exchange
from .texts import AnswerTexts, Place

__all__ = ["FAILED", "EventRepairer", "decoded_event"]

DELTAS: Mapping[str, str] = {
    "response.output_text.delta": "text",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.function_call_arguments.delta": "arguments",
}
"""The events that bring a piece of a text, and what kind of text that is."""

FAILED = "response.failed"
ENDS = ("response.completed", "response.incomplete", FAILED)

Event = dict[str, Any]


def decoded_event(data: bytes) -> Any:
    """The JSON value in the data of an event, without halves of characters except at the ends of pieces, which
    `EventRepairer` joins. Raises `ValueError`."""
    return decode_json(data, clean=_clean)


def _clean(event: Any) -> Any:
    if not (is_dict(event) and event.get("type") in DELTAS and isinstance(event.get("delta"), str)):
        return without_surrogates(event)
    return {**without_surrogates({**event, "delta": ""}), "delta": event["delta"]}


class EventRepairer:
    """Repairs the events of one stream, in their order. `exchange` gives ids and remembers the response; without one
    (`compat="off"`) only what the SDK could not read is repaired. `last` is the response of the last event, {} before.
    """

    def __init__(self, exchange: Exchange | None) -> None:
        self.last: Json = {}
        self._exchange = exchange
        self._texts = exchange.texts if exchange else AnswerTexts()
        self._so_far: dict[str, list[str]] = {"text": [], "reasoning": [], "arguments": []}
        self._arguments: dict[int, str] = {}
        self._items: dict[int, Event] = {}
        self._deltas: dict[Place, Event] = {}
        self._added = 0

    def repaired(self, event: Event) -> list[Event]:
        """The event as the SDK gets it. Nothing for one with nothing in it; before the end of a text another piece
        with what was held back of it."""
        found = self._repaired(event)
        number = event.get("sequence_number")
        if type(number) is int and (self._added or len(found) > 1):
            found = [{**each, "sequence_number": number + self._added + at} for at, each in enumerate(found)]
            self._added += max(0, len(found) - 1)
        return found

    def so_far(self, kind: str) -> str:
        """The "text" or the "reasoning" that has come. Nothing of it is held back any more."""
        self._held_pieces(None)
        return "".join(self._so_far[kind])

    def _repaired(self, event: Event) -> list[Event]:
        kind = str(event.get("type"))
        if kind in DELTAS:
            return self._delta(event, DELTAS[kind])
        change = self.CHANGES.get(kind)
        if change is None:
            return [event]
        if kind in ENDS:
            return [*self._held_pieces(None), change(self, event)]
        held = self._held_pieces(event.get("output_index")) if kind.endswith(".done") else []
        return [*held, change(self, event)]

    # Pieces of texts -------------------------------------------------------------------------------------------------

    def _delta(self, event: Event, kind: str) -> list[Event]:
        piece, position = event.get("delta"), _number(event, "output_index")
        if piece is None:
            return []
        if not isinstance(piece, str):
            raise WireError("delta", "text", piece)
        if kind == "arguments":
            position = _position(event)
            self._arguments[position] = self._arguments.get(position, "") + piece
        place = Place(kind, position, _number(event, "summary_index" if kind == "reasoning" else "content_index"))
        text = self._texts.feed(place, piece)
        self._so_far[kind].append(text)
        self._deltas[place] = event
        changes: Event = {} if text == piece else {"delta": text}
        if kind == "text" and event.get("logprobs", ()) is None:
            changes["logprobs"] = []
        return [{**event, **changes} if changes else event]

    def _held_pieces(self, position: object) -> list[Event]:
        """Pieces with what was held back of the texts of an item; of all items if the position is None."""
        held = list(self._texts.held(position))
        for place, text in held:
            self._so_far[place.kind].append(text)
        return [{**self._deltas[place], "delta": text} for place, text in held]

    # One method for each kind of event that is looked into -----------------------------------------------------------

    def _head(self, event: Event) -> Event:
        response = checked_response(event.get("response"))
        return {**event, "response": self._exchange.head(response) if self._exchange else response}

    def _item_added(self, event: Event) -> Event:
        position, item = _position(event), checked_item(event.get("item"), "item")
        if item["type"] == "function_call":
            self._texts.begin_call(position, item["name"])
        return {**event, "item": self._final(item, position)}

    def _item_done(self, event: Event) -> Event:
        position = _position(event)
        item = self._items[position] = self._with_arguments(checked_item(event.get("item"), "item"), position)
        return {**event, "item": self._final(item, position)}

    def _final(self, item: Event, position: int) -> Event:
        return self._exchange.item(item, position) if self._exchange else item

    def _text_done(self, event: Event) -> Event:
        text = event.get("text")
        return {**event, "text": self._texts.whole(text)} if isinstance(text, str) else event

    def _part_done(self, event: Event) -> Event:
        return {**event, "part": self._texts.part(event.get("part"))}

    def _arguments_done(self, event: Event) -> Event:
        position, arguments = _position(event), event.get("arguments")
        if not (isinstance(arguments, str) and arguments):
            return event
        self._arguments[position] = arguments
        changed = {**event, "arguments": self._texts.arguments(arguments, position)}
        if isinstance(event.get("name"), str):
            changed["name"] = self._texts.tool_name(event["name"])
        return changed

    def _with_arguments(self, item: Event, position: int) -> Event:
        """A call with the arguments that came before it, if it has none."""
        known = self._arguments.get(position)
        return {**item, "arguments": joined(known)} if item.get("arguments") == "" and known else item

    def _end(self, event: Event) -> Event:
        response = checked_response(event.get("response"))
        if not response["output"]:  # some servers send null there, and all items before
            response["output"] = [self._items[position] for position in sorted(self._items)]
        output = [self._with_arguments(item, position) for position, item in enumerate(response["output"])]
        response = {**response, "output": output}
        if self._exchange is not None:
            response = self._exchange.whole(response)
            if event["type"] != FAILED:
                self._exchange.remember(response)
        self.last = response
        return {**event, "response": response}

    def _unchanged(self, event: Event) -> Event:
        return event

    CHANGES: ClassVar[Mapping[str, Callable[[Any, Event], Event]]] = {
        "response.created": _head,
        "response.in_progress": _head,
        "response.queued": _head,
        "response.output_item.added": _item_added,
        "response.output_item.done": _item_done,
        "response.output_text.done": _text_done,
        "response.content_part.done": _part_done,
        "response.reasoning_summary_text.done": _unchanged,
        "response.function_call_arguments.done": _arguments_done,
        **dict.fromkeys(ENDS, _end),
    }


def _position(event: Event) -> int:
    position = _number(event, "output_index")
    if position is None:
        raise WireError("output_index", "a number", position)
    return position


def _number(event: Event, name: str) -> int | None:
    number = event.get(name)
    if number is not None and type(number) is not int:
        raise WireError(name, "a number", number)
    return number
