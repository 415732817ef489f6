"""One question until its answer is whole, over as many requests as that takes: bytes come in, events go out.

No I/O, no clock: `streaming.py` sends `body` after `wait` seconds, hands over what it gets (`opened`, `feed`, `ended`,
`refused`) and passes the events on until `is_over`. How to go on is decided in `resuming.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import openai
from jiter import from_json
from openai.types.chat import ChatCompletion

from .errors import StreamCutError, UnexpectedAnswerError, stream_error
from .events import (
    ContentDelta,
    ContentDone,
    Event,
    Part,
    ReasoningDelta,
    Restarted,
    Resumed,
    ToolCallDelta,
    ToolCallDone,
    UsageTotal,
)
from .pace import Pace, can_be_mended
from .replies import Fold, Reply, sum_usage
from .resuming import OnCut, Seam, resumed_body, seam_after, way_on
from .sse import DONE, Splitter

__all__ = ["Exchange"]

Json = Mapping[str, Any]


class Exchange:
    """See the module. `pace` says how long to wait before each further request, and when to give up."""

    def __init__(
        self,
        body: Json,
        pace: Pace,
        *,
        on_cut: OnCut = "resume",
        max_parts: int = 1,
        max_total_tokens: int | None = None,
    ) -> None:
        self.body = self._asked = body
        self.wait = 0.0
        self.is_over = self.is_broken = False
        self.keeps_text = False
        """Set where text that was told cannot be taken back: then the answer does not start over after it."""
        self.error: BaseException | None = None
        self.parts: list[Part] = []
        self.refusals = 0
        self.pace = pace
        self._on_cut: OnCut = on_cut
        self._max_parts, self._max_total_tokens = max_parts, max_total_tokens
        self._how: Literal["first", "resumed", "continued", "restarted"] = "first"
        self._fold = Fold()
        self._response: Any = None
        self._seam: Seam | None = seam_after(body)

    # One request ---------------------------------------------------------------------------------------------------

    def opened(self, response: Any) -> None:
        """The request was accepted; its bytes follow."""
        self._response = response
        self._splitter, self._size, self._length = Splitter(), self._fold.size, self._fold.length
        self._is_read = self.is_broken = False
        self._cause: Exception | None = None
        kind: str = response.headers.get("content-type", "")
        self._plain: bytearray | None = bytearray() if "json" in kind or "html" in kind else None

    def feed(self, data: bytes) -> Sequence[Event]:
        """The next bytes. Where `is_broken` holds afterwards, the rest of them is worth nothing."""
        events: list[Event] = []
        if self._plain is not None:
            self._plain += data
        elif not self._is_read:
            for payload in self._splitter.feed(data):
                if payload.startswith(DONE):
                    self._is_read = True
                    break
                self._read(payload, events)
                if self.is_broken:
                    break
        return events

    def ended(self, error: Exception | None = None) -> list[Event]:
        """The bytes are over, by an error or not: the last events, or the news of how it goes on. Raises if it
        cannot."""
        events: list[Event] = []
        if self._plain:
            self._read(bytes(self._plain), events)
        cause = self._cause or error
        fold, whole = self._fold, self._fold.finish_reason
        pieces, request_id = fold.size - self._size, self._response.headers.get("x-request-id")
        self.parts.append(
            Part(
                how=self._how, pieces=pieces, usage=fold.usage, finish_reason=whole, cause=cause, request_id=request_id
            )
        )
        if whole:
            return events + self._finished()
        way: OnCut = way_on(self._asked, fold, self._on_cut) if self._can_be_mended(cause) else "raise"
        if self.keeps_text and way == "restart" and fold.content:
            way = "raise"
        wait = self.pace.after_cut(cause, progress=way == "resume" and pieces > 0) if way != "raise" else None
        if wait is None:
            raise self._failed(cause)
        self.wait = wait
        return [*events, self._again(way, cause)]

    def refused(self, error: Exception) -> list[Event]:
        """The request brought no answer. Raises if asking again is of no use."""
        self.refusals += 1
        if self._how == "resumed" and isinstance(error, openai.BadRequestError) and not self.keeps_text:
            return [self._again("restart", error)]  # nothing promises that partial mode goes with every parameter
        wait = self.pace.after_refusal(error)
        if wait is None:
            raise self._failed(error)
        self.wait = wait
        return []

    @property
    def spent(self) -> tuple[str, Json | None]:
        """Model and usage of the request under way, as far as they have come."""
        return self._fold.head.get("model") or self.body["model"], self._fold.usage

    # The whole -----------------------------------------------------------------------------------------------------

    def reply(self) -> Reply:
        """What has come so far; the usage is the sum of what was reported."""
        return replace(self._fold.reply(), usage=sum_usage(part.usage for part in self.parts))

    def completion(self) -> ChatCompletion:
        """The whole answer."""
        completion = self.reply().completion()
        cast(Any, completion)._request_id = self.parts[-1].request_id  # public, says the SDK's README
        return completion

    def _failed(self, error: Exception | None) -> Exception:
        """The exception to raise, with all that has come as `reply`."""
        reply = self.reply()
        is_told = isinstance(error, openai.APIError) or (
            isinstance(error, UnexpectedAnswerError) and not self._fold.head
        )
        outcome = self.pace.outcome(len(self.parts) + self.refusals)
        if error is None or not is_told:
            thought, request = reply.reasoning or "", self._response.request
            error = StreamCutError(request=request, text=reply.content, reasoning=thought, cause=error, outcome=outcome)
        elif isinstance(error, openai.APIError):
            error.message = outcome.join(error.message.rsplit("not retried", 1))  # as a request by itself
            error.args = (error.message,)
        cast(Any, error).reply = reply
        self.error = error
        return error

    def _finished(self) -> list[Event]:
        fold = self._fold
        if fold.finish_reason == "length" and self._may_continue() and way_on(self._asked, fold) == "resume":
            self._again("resume", None)
            self._how, self.wait = "continued", 0.0
            return []
        self.is_over = True
        reply = self.reply()
        events: list[Event] = [
            ToolCallDone(
                call["index"], call["id"], call["function"]["name"], call["function"]["arguments"], call["type"]
            )
            for call in reply.tool_calls
        ]
        events += [ContentDone(reply.content)] if reply.content else []
        return events + ([UsageTotal(reply.usage)] if reply.usage is not None else [])

    def _may_continue(self) -> bool:
        if self._fold.length == self._length:
            return False  # the whole budget went into reasoning, and would again
        full = sum(part.finish_reason == "length" for part in self.parts)
        spent = sum((part.usage or {}).get("total_tokens") or 0 for part in self.parts)
        return full < self._max_parts and (self._max_total_tokens is None or spent < self._max_total_tokens)

    def _again(self, way: OnCut, cause: Exception | None) -> Event:
        number = sum(part.finish_reason is None for part in self.parts)
        if way == "resume":
            text = self._fold.content
            self.body = resumed_body(self._asked, text, self._fold.reasoning)
            self._seam, self._how = seam_after(self.body, text), "resumed"
            self._fold.go_on()
            return Resumed(cause, number)
        self.body, self._seam, self._how, self._fold = self._asked, seam_after(self._asked), "restarted", Fold()
        return Restarted(cause, number)

    def _can_be_mended(self, cause: Exception | None) -> bool:
        """A connection that broke can; so can an event that is no JSON, unlike a web page; an error event says."""
        if isinstance(cause, openai.APIError):
            return can_be_mended(cause)
        return not isinstance(cause, UnexpectedAnswerError) or self._plain is None

    # Reading -------------------------------------------------------------------------------------------------------

    def _read(self, payload: bytes, events: list[Event]) -> None:
        try:
            chunk: dict[str, Any] = from_json(payload)
            if chunk.get("choices"):
                self._take(chunk, chunk["choices"][0], events)
            elif chunk.get("error"):
                self._break(stream_error(chunk, self._response))
            else:
                self._fold.add(chunk)
        except (ValueError, TypeError, AttributeError) as error:
            self._break(UnexpectedAnswerError("JSON in every event of its stream", payload.decode(errors="replace")))
            cast(Exception, self._cause).__cause__ = error

    def _break(self, cause: Exception) -> None:
        self._cause, self.is_broken = cause, True

    def _take(self, chunk: Json, choice: dict[str, Any], events: list[Event]) -> None:
        delta: dict[str, Any] = choice.get("delta") or choice.get("message") or {}
        choice["delta"] = delta
        if self._seam is not None:
            self._join(self._seam, choice.get("finish_reason"), delta)
        reasoning = delta.get("reasoning_content")
        if reasoning:
            events.append(ReasoningDelta(reasoning))
        content = delta.get("content")
        if content:
            events.append(ContentDelta(content))
        fold = self._fold
        fold.add(chunk)
        pieces: list[dict[str, Any]] = delta.get("tool_calls") or []
        for position, piece in enumerate(pieces):
            call = fold.calls[piece.get("index", position)]
            function: dict[str, Any] = piece.get("function") or {}
            events.append(ToolCallDelta(call["index"], call["id"], call["name"], function.get("arguments") or ""))

    def _join(self, seam: Seam, finish_reason: str | None, delta: dict[str, Any]) -> None:
        """Trim what repeats. What is held back to the end is text after all, unless a full budget cut it there."""
        text = seam.take(delta.get("content") or "")
        if delta.get("tool_calls") or (finish_reason and finish_reason != "length"):
            text += seam.rest()
        delta["content"] = text
        if seam.is_closed:
            self._seam = None
