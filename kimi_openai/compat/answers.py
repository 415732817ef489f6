"""Puts the caller's names back into answers, after `names` has put Kimi's into the request.

The client gives each answer, and each chunk of one, to a `NameRestorer` before the SDK sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kimi_openai._internal.json_values import as_dict, as_list, is_dict
from kimi_openai.messages.tool_call_pieces import CallPiece, StreamedCall, ToolCallMerger
from kimi_openai.mfjs.names import NameMapper, Names

from .rule import Message

__all__ = ["NAMES_EXTENSION", "AnswerNames", "NameRestorer", "restorer_of"]

NAMES_EXTENSION = "kimi_openai_names"
"""The key in `response.extensions` under which a response carries its `NameRestorer`."""


@dataclass(frozen=True, slots=True)
class AnswerNames:
    """What to replace in the answers to one request: the names of tools by those that Kimi knows, the property names in
    the arguments of the tools that Kimi knows, and those in a JSON answer."""

    tools: Mapping[str, str] = field(default_factory=dict[str, str])
    arguments: Mapping[str, Names] = field(default_factory=dict[str, Names])
    content: Names | None = None


class NameRestorer:
    """Puts the caller's names into one answer, whole or in chunks, in place. What has no form of an answer stays."""

    def __init__(self, names: AnswerNames) -> None:
        self._names = names
        self._calls: dict[int, ToolCallMerger] = {}
        self._streamed: dict[tuple[int, int], _StreamedNames] = {}
        self._texts: dict[int, NameMapper] = {}

    def restore(self, answer: object) -> None:
        """Change a completion or a chunk, as on the wire."""
        for position, choice in enumerate(as_list(as_dict(answer).get("choices"))):
            message, delta = as_dict(choice).get("message"), as_dict(choice).get("delta")
            if is_dict(message):
                self._restore_message(message)
            elif is_dict(choice) and isinstance(delta, dict | None):
                index: Any = choice.get("index")
                self._restore_delta(choice, index if isinstance(index, int) else position)

    def _restore_message(self, message: Message) -> None:
        for call in as_list(message.get("tool_calls")):
            function = as_dict(call).get("function")
            if is_dict(function):
                name = str(function.get("name"))
                names = self._names.arguments.get(name)
                if name in self._names.tools:
                    function["name"] = self._names.tools[name]
                if names is not None and isinstance(function.get("arguments"), str):
                    function["arguments"] = names.from_kimi(function["arguments"])
        if self._names.content is not None and isinstance(message.get("content"), str):
            message["content"] = self._names.content.from_kimi(message["content"])

    def _restore_delta(self, choice: dict[str, Any], index: int) -> None:
        delta: dict[str, Any] = choice.get("delta") or {}
        pieces = [piece for piece in as_list(delta.get("tool_calls")) if is_dict(piece)]
        added = self._calls.setdefault(index, ToolCallMerger()).add(pieces) if pieces else ()
        for piece, what in zip(pieces, added, strict=True):
            if is_dict(piece.get("function")):
                key = index, what.call.position
                self._streamed.setdefault(key, _StreamedNames(self._names, what.call)).restore(piece["function"], what)
        if self._names.content is not None and isinstance(delta.get("content"), str):
            mapper = self._texts.setdefault(index, NameMapper(self._names.content))
            delta["content"] = mapper.feed(delta["content"])
        if choice.get("finish_reason"):
            self._flush(choice, delta, index)

    def _flush(self, choice: dict[str, Any], delta: dict[str, Any], index: int) -> None:
        """Add what was held back because the answer was cut within a name."""
        rest = self._texts[index].flush() if index in self._texts else ""
        if rest:
            choice["delta"] = delta = {**delta, "content": f"{delta.get('content') or ''}{rest}"}
        pieces = [names.flush() for (of_choice, _), names in self._streamed.items() if of_choice == index]
        if any(pieces):
            choice["delta"] = {**delta, "tool_calls": [*as_list(delta.get("tool_calls")), *filter(None, pieces)]}


class _StreamedNames:
    """Restores the names in the pieces of one call. A name that may still become another one is held back until the
    arguments begin."""

    def __init__(self, names: AnswerNames, call: StreamedCall) -> None:
        self._names, self._call = names, call
        self._given = ""
        self._mapper: NameMapper | None = None

    def restore(self, function: dict[str, Any], added: CallPiece) -> None:
        """Change the function of a piece of the call."""
        if function.get("name") or added.arguments:
            name = self._next_name(is_whole=bool(added.arguments))
            if name or "name" in function:
                function["name"] = name or None
        names = self._names.arguments.get(self._call.name)
        if names is not None and isinstance(function.get("arguments"), str):
            self._mapper = self._mapper or NameMapper(names)
            function["arguments"] = self._mapper.feed(function["arguments"])

    def flush(self) -> dict[str, Any] | None:
        """A piece with what is held back, None if nothing is."""
        name, held = self._next_name(is_whole=True), self._mapper.flush() if self._mapper else ""
        if not name and not held:
            return None
        function = {"name": name, "arguments": held} if name else {"arguments": held}
        return {"index": self._call.position if self._call.index is None else self._call.index, "function": function}

    def _next_name(self, *, is_whole: bool) -> str:
        """What the caller's name of the call has more than what was given of it."""
        sent = self._call.name
        if not is_whole and sent not in self._names.tools and any(name.startswith(sent) for name in self._names.tools):
            return ""
        name = self._names.tools.get(sent, sent)
        rest = name.removeprefix(self._given) if self._given else name
        self._given = name
        return rest


def restorer_of(response: Any) -> NameRestorer | None:
    """What restores the caller's names in a response, None if nothing has to."""
    restorer: NameRestorer | None = getattr(response, "extensions", {}).get(NAMES_EXTENSION)
    return restorer
