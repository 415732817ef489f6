"""Responses and their events as they are documented and were captured (platform docs and live streams, 2026-09-03)."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["call", "events_of", "message", "reasoning", "response", "sse"]


def reasoning(text: str = "hm") -> dict[str, Any]:
    return {
        "id": "rs_1",
        "type": "reasoning",
        "status": "completed",
        "summary": [{"type": "summary_text", "text": text}],
    }


def message(text: str = "Hello", id: str = "msg_1") -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"id": id, "type": "message", "status": "completed", "role": "assistant", "content": [part]}


def call(name: str = "f", call_id: str = "f_0", arguments: str = '{"a":1}', id: str = "fc_1") -> dict[str, Any]:
    base = {"id": id, "type": "function_call", "status": "completed"}
    return {**base, "call_id": call_id, "name": name, "arguments": arguments}


USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 14,
}


def response(*output: Any, **fields: Any) -> dict[str, Any]:
    """A whole response."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1788439520,
        "completed_at": 1788439521,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "kimi-k3",
        "output": list(output),
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": False,
        "temperature": 1,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 0.95,
        "truncation": "disabled",
        "usage": USAGE,
        **fields,
    }


def events_of(whole: dict[str, Any], *, end: str = "response.completed") -> list[dict[str, Any]]:
    """The events of a stream of this response, in the order of the captures, numbered."""
    begun = {**whole, "status": "in_progress", "completed_at": None, "output": [], "usage": None}
    found: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for position, item in enumerate(whole["output"]):
        found += _item_events(item, position)
    found.append({"type": end, "response": whole})
    return [{**event, "sequence_number": number} for number, event in enumerate(found)]


def _item_events(item: dict[str, Any], position: int) -> list[dict[str, Any]]:
    place = {"item_id": item["id"], "output_index": position}
    empty = {"message": {"content": []}, "reasoning": {"summary": []}, "function_call": {"arguments": ""}}[item["type"]]
    inner = {"message": _text_events, "reasoning": _summary_events, "function_call": _argument_events}[item["type"]]
    return [
        {
            "type": "response.output_item.added",
            "output_index": position,
            "item": {**item, **empty, "status": "in_progress"},
        },
        *inner(item, place),
        {"type": "response.output_item.done", "output_index": position, "item": item},
    ]


def _pieces(text: str) -> list[str]:
    return [text[:2], text[2:]] if len(text) > 2 else [text]


def _text_events(item: dict[str, Any], place: dict[str, Any]) -> list[dict[str, Any]]:
    (part,) = item["content"]
    at = {**place, "content_index": 0}
    deltas = [
        {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []} for piece in _pieces(part["text"])
    ]
    return [
        {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
        *deltas,
        {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", **at, "part": part},
    ]


def _summary_events(item: dict[str, Any], place: dict[str, Any]) -> list[dict[str, Any]]:
    (part,) = item["summary"]
    at = {**place, "summary_index": 0}
    kind = "response.reasoning_summary_text"
    return [
        {"type": "response.reasoning_summary_part.added", **at, "part": {**part, "text": ""}},
        *({"type": f"{kind}.delta", **at, "delta": piece} for piece in _pieces(part["text"])),
        {"type": f"{kind}.done", **at, "text": part["text"]},
        {"type": "response.reasoning_summary_part.done", **at, "part": part},
    ]


def _argument_events(item: dict[str, Any], place: dict[str, Any]) -> list[dict[str, Any]]:
    kind, arguments = "response.function_call_arguments", item["arguments"]
    deltas = [{"type": f"{kind}.delta", **place, "delta": piece} for piece in _pieces(arguments)]
    return [*deltas, {"type": f"{kind}.done", **place, "name": item["name"], "arguments": arguments}]


def sse(*events: dict[str, Any]) -> bytes:
    """The bytes of a stream of these events, without `[DONE]`."""
    return b"".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in events)
