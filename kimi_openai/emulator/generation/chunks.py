"""What chunks and bodies of a chat answer look like, byte for byte.

Key order is the order measured on the platform on 2026-09-03, since transcripts are compared with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kimi_openai.emulator.errors import Problem
from kimi_openai.emulator.frames import DONE, Cut, Frame, event
from kimi_openai.emulator.json_values import Json, encode

from .reply import Reply

__all__ = ["Envelope", "stream_frames"]

ROLE_DELTA = '{"role":"assistant","content":""}'


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all chunks of one answer have in common."""

    id: str
    created: int
    model: str
    fingerprint: str

    @property
    def _head(self) -> str:
        return f'"created":{self.created},"model":{encode(self.model)},"choices":'

    def chunks(self, deltas: Sequence[str]) -> list[bytes]:
        """One event for each delta (JSON text)."""
        before = f'data: {{"id":"{self.id}","object":"chat.completion.chunk",{self._head}[{{"index":0,"delta":'
        after = f',"finish_reason":null}}],"system_fingerprint":"{self.fingerprint}"}}\n\n'
        return [f"{before}{delta}{after}".encode() for delta in deltas]

    def finish(self, reason: str, usage: Mapping[str, Any]) -> bytes:
        """The finish chunk: an empty delta, and the usage inside `choices[0]`."""
        choice: Json = {"index": 0, "delta": {}, "finish_reason": reason, "usage": usage}
        text = f'{{"id":"{self.id}","object":"chat.completion.chunk",{self._head}[{encode(choice)}]'
        return event(f'{text},"system_fingerprint":"{self.fingerprint}"}}')

    def usage(self, usage: Mapping[str, Any]) -> bytes:
        """The extra chunk of `include_usage`: no choices and no fingerprint."""
        return event(f'{{"id":"{self.id}","object":"chat.completion.chunk",{self._head}[],"usage":{encode(usage)}}}')

    def completion(self, message: Json, reason: str, usage: Mapping[str, Any]) -> Json:
        """The non-streaming body, which has no fingerprint."""
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": usage,
        }


def stream_frames(reply: Reply, envelope: Envelope, usage: Json, *, include_usage: bool) -> list[Frame]:
    """The stream: role chunk, reasoning, the empty reasoning delta, answer and calls, finish chunk, usage, `[DONE]`."""
    frames: list[Frame] = [*envelope.chunks([ROLE_DELTA])]
    deltas: list[str] = []
    for item in reply.stream:
        if isinstance(item, str):
            deltas.append(item)
            continue
        frames += envelope.chunks(deltas)
        deltas.clear()
        if isinstance(item, Problem):
            return [*frames, event(item.body.decode()), Cut("end")]
        frames.append(item)
        if isinstance(item, Cut):
            return frames
    frames += envelope.chunks(deltas)
    frames.append(envelope.finish(reply.finish_reason, usage))
    return [*frames, *([envelope.usage(usage)] if include_usage else []), DONE]
