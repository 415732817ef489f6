"""The pieces of tool calls in the SDK's chunks, as accumulators need them: calls counted from 0, each id and name once.

The SDK's `.stream()` adds up ids and names, and takes the index for a place in a list; frameworks do the like. `chunks`
calls this for each chunk with tool calls.
"""

from __future__ import annotations

from typing import Any, cast

from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall

from kimi_openai.messages.tool_call_pieces import CallPiece, ToolCallMerger

__all__ = ["number_calls"]


def number_calls(pieces: list[ChoiceDeltaToolCall], merger: ToolCallMerger) -> None:
    """Changes the pieces of one chunk in place. `merger` has the pieces of the chunks before it."""
    for piece, added in zip(pieces, merger.add(map(_as_json, pieces)), strict=True):
        _number(piece, added)


def _as_json(piece: ChoiceDeltaToolCall) -> dict[str, Any]:
    function = piece.function and {"name": piece.function.name, "arguments": piece.function.arguments}
    return {"index": getattr(piece, "index", None), "id": piece.id, "type": piece.type, "function": function}


def _number(piece: ChoiceDeltaToolCall, added: CallPiece) -> None:
    if getattr(piece, "index", None) != added.call.position:  # the SDK builds a piece without index, too
        piece.index = added.call.position
    if piece.id and not added.id:
        piece.id = None
    if not piece.type and (added.begins or "type" in piece.model_fields_set):
        cast(Any, piece).type = added.call.type
    function = piece.function
    if function is not None:
        if function.name and function.name != added.name:
            function.name = added.name or None
        if function.arguments is not None and function.arguments != added.arguments:
            function.arguments = added.arguments
