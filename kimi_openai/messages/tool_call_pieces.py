"""Joins the pieces of streamed tool calls: which call a piece belongs to, and what it adds to that call.

Pure. Kimi numbers the calls of an answer from 0 and names each once. But gateways leave out the number, send the same
one for all calls, or repeat id and name in every piece, and Kimi K3 has sent names in fragments (reported in
MoonshotAI/kimi-code#3220). `accumulator` uses it for dicts, `client.chunks` for the SDK's chunks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from kimi_openai._internal.json_values import Json, as_dict
from kimi_openai._internal.surrogates import joined

__all__ = ["CallPiece", "StreamedCall", "ToolCallMerger"]

MOST_DIGITS = 10
"""A longer text is not the number of a call."""


@dataclass(slots=True, eq=False)
class StreamedCall:
    """A tool call as far as it has come. `position` counts the calls of the answer from 0, whatever their numbers on
    the wire are; `index` is the number on the wire, `None` if no piece had one."""

    position: int
    index: int | None
    id: str = ""
    type: str = "function"
    name: str = ""
    arguments: StringIO = field(default_factory=StringIO)

    def as_json(self) -> dict[str, Any]:
        """The call as in an answer that was not streamed."""
        function = {"name": joined(self.name), "arguments": joined(self.arguments.getvalue())}
        return {"index": self.position, "id": joined(self.id), "type": self.type, "function": function}


@dataclass(frozen=True, slots=True)
class CallPiece:
    """What a piece adds to `call`, which it may begin: `id` and `name` are empty if the call had them before."""

    call: StreamedCall
    begins: bool
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class _Sent:
    """A piece as it was sent, with values of other types left out."""

    place: int
    index: int | None
    id: str
    type: str
    name: str
    arguments: str

    @classmethod
    def read(cls, piece: Json, place: int) -> _Sent:
        function = as_dict(piece.get("function"))
        texts = (piece.get("id"), piece.get("type"), function.get("name"))
        id, type, name = (text if isinstance(text, str) else "" for text in texts)
        return cls(place, _number(piece.get("index")), id, type, name, _arguments(function.get("arguments")))


class ToolCallMerger:
    """Collects the pieces of an answer's tool calls; `calls` has the calls in the order in which they began.

    A piece belongs to the call with its number and its id. Without a number, the id decides; without both, it
    continues the last call, or the call at its place if a chunk has several pieces. A new id begins a new call, also at
    a number that is taken. So does a name that comes after arguments, unless it repeats the name of the call.

    >>> merger = ToolCallMerger()
    >>> _ = merger.add([{"id": "a_0", "function": {"name": "get_"}}])
    >>> _ = merger.add([{"function": {"name": "time", "arguments": "{}"}}])
    >>> merger.calls[0].as_json()
    {'index': 0, 'id': 'a_0', 'type': 'function', 'function': {'name': 'get_time', 'arguments': '{}'}}
    """

    __slots__ = ("calls",)

    def __init__(self) -> None:
        self.calls: list[StreamedCall] = []

    def add(self, pieces: Iterable[Json]) -> list[CallPiece]:
        """Add the pieces of one chunk; what each of them adds."""
        sent = [_Sent.read(piece, place) for place, piece in enumerate(pieces)]
        added: list[CallPiece] = []
        for piece in sent:
            call = self._find(piece, is_alone=len(sent) == 1)
            in_chunk = any(each.call is call for each in added)
            begins = call is None or _begins_another(piece, call, in_chunk)
            if call is None or begins:
                call = StreamedCall(len(self.calls), piece.index)
                self.calls.append(call)
            added.append(_extended(call, piece, begins))
        return added

    def _find(self, piece: _Sent, *, is_alone: bool) -> StreamedCall | None:
        """The call that the piece continues, `None` if it begins one."""
        if piece.index is not None:
            return self._with_index(piece, piece.index)
        if not self.calls:
            return None
        last = self.calls[-1]
        if piece.id:
            unnamed = last if not (last.id or piece.name) else None
            return self._last(self.calls, piece.id) or unnamed
        if is_alone or (piece.place >= len(self.calls) and not piece.name):
            return last
        return self.calls[piece.place] if piece.place < len(self.calls) else None

    def _with_index(self, piece: _Sent, index: int) -> StreamedCall | None:
        there = [call for call in self.calls if call.index == index]
        if not there:
            if piece.id or piece.name:
                return None
            there = [call for call in self.calls[index : index + 1] if call.index is None]  # numbered from now on
        if not piece.id:
            return there[-1] if there else None
        return self._last(there, piece.id) or (there[-1] if not there[-1].id else None)

    @staticmethod
    def _last(calls: list[StreamedCall], id: str) -> StreamedCall | None:
        return next((call for call in reversed(calls) if call.id == id), None)


def _begins_another(piece: _Sent, call: StreamedCall, in_chunk: bool) -> bool:
    """Whether a piece with the number or id of `call` begins another call; `in_chunk`: the chunk had a piece of
    `call` already."""
    if not piece.name:
        return False
    if piece.index is None and in_chunk:
        return True
    if not call.arguments.tell():
        return False
    return piece.name != call.name or (bool(piece.arguments.strip()) and _is_whole(call.arguments.getvalue()))


def _extended(call: StreamedCall, piece: _Sent, begins: bool) -> CallPiece:
    """Adds the piece to the call."""
    id = piece.id if not call.id else ""
    name = _rest_of_name(call.name, piece.name)
    if call.index is None:
        call.index = piece.index
    call.id, call.name, call.type = call.id or id, call.name + name, piece.type or call.type
    call.arguments.write(piece.arguments)
    return CallPiece(call, begins, id, name, piece.arguments)


def _rest_of_name(before: str, name: str) -> str:
    """What a piece adds to the name: a fragment, or nothing if it repeats the name. It may also repeat the beginning.

    >>> _rest_of_name("get_", "time"), _rest_of_name("get_time", "get_time"), _rest_of_name("get_", "get_time")
    ('time', '', 'time')
    """
    return name.removeprefix(before)


def _number(index: object) -> int | None:
    if isinstance(index, str) and index.isdecimal() and len(index) < MOST_DIGITS:
        return int(index)
    return index if isinstance(index, int) and not isinstance(index, bool) and index >= 0 else None


def _arguments(value: object) -> str:
    """The arguments as text; an object instead of a text is written as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _is_whole(text: str) -> bool:
    """Whether the text is a JSON object."""
    try:
        return text.rstrip().endswith("}") and isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
