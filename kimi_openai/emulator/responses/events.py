"""A reply as the body or as the stream of a response. A stream has `event:` lines, sequence numbers and no `[DONE]`."""

from __future__ import annotations

import json
from typing import Literal

from kimi_openai.emulator.errors import Problem
from kimi_openai.emulator.frames import Cut, Frame, Pause
from kimi_openai.emulator.generation.reply import Reply
from kimi_openai.emulator.json_values import Json, encode

from .output import OutputWriter
from .response_object import ResponseObject

__all__ = ["response_body", "response_frames", "response_usage"]

REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Finish reason of the engine to the reason of an incomplete response."""


def response_usage(usage: Json) -> Json:
    """The usage object of this API from that of chat. Cached tokens are there on a miss too, as 0 (measured)."""
    details = usage.get("prompt_tokens_details", {})
    return {
        "input_tokens": usage["prompt_tokens"],
        "input_tokens_details": {
            "cache_write_tokens": details.get("cache_write_tokens", 0),
            "cached_tokens": details.get("cached_tokens", 0),
        },
        "output_tokens": usage["completion_tokens"],
        "output_tokens_details": {
            "reasoning_tokens": usage.get("completion_tokens_details", {}).get("reasoning_tokens", 0)
        },
        "total_tokens": usage["total_tokens"],
    }


def _last_state(response: ResponseObject, reply: Reply, output: list[Json], usage: Json) -> Json:
    reason = REASONS.get(reply.finish_reason)
    return response.of("incomplete" if reason else "completed", output, usage, reason=reason)


def response_body(reply: Reply, writer: OutputWriter, response: ResponseObject, usage: Json) -> Json:
    """The whole response."""
    for item in reply.stream:
        if isinstance(item, str):
            writer.write(json.loads(item))
    writer.finish()
    return _last_state(response, reply, writer.output, usage)


class _Frames:
    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._number = 0

    def add(self, *events: Json) -> None:
        for event in events:
            name = event.pop("type")
            data = encode({"type": name, "sequence_number": self._number, **event})
            self.frames.append(f"event: {name}\ndata: {data}\n\n".encode())
            self._number += 1


def response_frames(
    reply: Reply,
    writer: OutputWriter,
    response: ResponseObject,
    usage: Json,
    *,
    failure: Literal["failed", "error"],
) -> list[Frame]:
    """The stream. An error of the script after the first event is a `response.failed`, or an `error` event."""
    out = _Frames()
    for name in ("created", "in_progress"):
        out.add({"type": f"response.{name}", "response": response.of("in_progress", [], None)})
    for item in reply.stream:
        if isinstance(item, str):
            out.add(*writer.write(json.loads(item)))
        elif isinstance(item, Problem):
            out.add(_failure(item, writer, response, failure))
            return [*out.frames, Cut("end")]
        else:
            out.frames.append(item)
            if not isinstance(item, Pause):
                return out.frames
    out.add(*writer.finish())
    last = _last_state(response, reply, writer.output, usage)
    out.add({"type": f"response.{last['status']}", "response": last})
    return out.frames


def _failure(
    problem: Problem, writer: OutputWriter, response: ResponseObject, failure: Literal["failed", "error"]
) -> Json:
    if failure == "error":
        return {"type": "error", "code": problem.type, "message": problem.message, "param": None}
    error = {"code": problem.type, "message": problem.message}
    return {"type": "response.failed", "response": response.of("failed", writer.output, None, error=error)}
