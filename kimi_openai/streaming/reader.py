"""Reads one response: its bytes come in, the events in them go out, and its chunks are added to the answer so far.

It knows nothing of the requests before and after it; `session` decides what follows. No I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import openai

from kimi_openai._internal.decode import is_json
from kimi_openai._internal.json_values import Json
from kimi_openai.client.chunk_reader import chunk_in
from kimi_openai.client.ending import MOMENT, USAGE_WAIT
from kimi_openai.client.sse import DONE, Splitter
from kimi_openai.compat.answers import restorer_of
from kimi_openai.messages.accumulator import ReplyAccumulator
from kimi_openai.messages.half_joiner import HalfJoiner

from .events import ContentDelta, Event, ReasoningDelta, ToolCallDelta
from .resume import PrefixTrimmer

__all__ = ["ResponseReader"]


class ResponseReader:
    """The events of one response. `received` is the answer so far, to which this response adds its part; `trimmer`
    removes what repeats text from before.

    `error` is what ended the response before its time, `None` if nothing did. After an error, further bytes are of no
    use.
    """

    def __init__(self, response: Any, received: ReplyAccumulator, trimmer: PrefixTrimmer | None) -> None:
        self.response = response
        self.error: Exception | None = None
        media_type: str = response.headers.get("content-type", "")
        self.is_document = "json" in media_type or "html" in media_type
        """Whether the body is one document instead of a stream of events."""
        self._document = bytearray()
        self._splitter = Splitter()
        self._half_joiner = HalfJoiner()
        self._has_seen_done = False
        self._received, self._trimmer = received, trimmer
        self._restorer = restorer_of(response)
        self._first_piece, self._first_character = received.size, received.length

    @property
    def pieces(self) -> int:
        """How many pieces of text, reasoning and arguments this response has brought."""
        return self._received.size - self._first_piece

    @property
    def has_text(self) -> bool:
        """Whether this response has brought text."""
        return self._received.length > self._first_character

    @property
    def request_id(self) -> str | None:
        """The id that the server gave to the request."""
        request_id: str | None = self.response.headers.get("x-request-id")
        return request_id

    @property
    def rest(self) -> float | None:
        """The seconds for which the rest of the body is read, `None` while the answer is not whole."""
        if self._has_seen_done:
            return MOMENT
        received = self._received
        return None if not received.finish_reason else MOMENT if received.usage else USAGE_WAIT

    @property
    def is_done(self) -> bool:
        """Whether `[DONE]` has come."""
        return self._has_seen_done

    def feed(self, data: bytes) -> Sequence[Event]:
        """The events in the next bytes."""
        events: list[Event] = []
        if self.is_document:
            self._document += data
        elif not self._has_seen_done:
            for payload in self._splitter.feed(data):
                if payload.startswith(DONE):
                    self._has_seen_done = True
                    break
                self._read(payload, events)
                if self.error is not None:
                    break
        return events

    def fail(self, error: Exception) -> None:
        """Notes that the response cannot be read any further."""
        self.error = error

    def finish(self) -> list[Event]:
        """The last events, when no more bytes come: those of a document, or of an event without the blank line that
        ends it. If it is not whole, it does not count."""
        events: list[Event] = []
        is_read = self._has_seen_done or isinstance(self.error, openai.OpenAIError)
        last = b"" if is_read else bytes(self._document) or self._splitter.flush()
        if last and (is_json(last) or (self._document and self.error is None)):
            self._read(last, events)
        return events

    def _read(self, payload: bytes, events: list[Event]) -> None:
        try:
            chunk = chunk_in(payload, self.response, self._half_joiner)
        except openai.OpenAIError as error:
            self.fail(error)
            return
        if self._restorer is not None:
            self._restorer.restore(chunk)
        if chunk["choices"]:
            self._add(chunk, chunk["choices"][0], events)
        else:
            self._received.add(chunk)

    def _add(self, chunk: Json, choice: dict[str, Any], events: list[Event]) -> None:
        delta: dict[str, Any] = choice.get("delta") or choice.get("message") or {}
        choice["delta"] = delta
        if self._trimmer is not None:
            self._trim(self._trimmer, choice.get("finish_reason"), delta)
        reasoning = delta.get("reasoning_content")
        if reasoning:
            events.append(ReasoningDelta(reasoning))
        content = delta.get("content")
        if content:
            events.append(ContentDelta(content))
        for piece in self._received.add(chunk):
            call = piece.call
            events.append(ToolCallDelta(call.position, call.id, call.name, piece.arguments))

    def _trim(self, trimmer: PrefixTrimmer, finish_reason: str | None, delta: dict[str, Any]) -> None:
        """Remove what repeats. Text that is still held back at the end is shown, unless a full budget cut it there."""
        text = trimmer.feed(delta.get("content") or "")
        if delta.get("tool_calls") or (finish_reason and finish_reason != "length"):
            text += trimmer.flush()
        delta["content"] = text
        if trimmer.is_done:
            self._trimmer = None
