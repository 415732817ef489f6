"""One answer, over as many requests as it takes: what to send, after which wait, and what has come.

No I/O: a driver sends `body` after `wait` seconds, reads the response through the reader that `opened` returns, and
reports how it ended (`ended`, `refused`), until `is_over`. How a cut answer goes on is decided in `resume`, how long to
wait in `retry.budget`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import openai
from openai.types.chat import ChatCompletion

from kimi_openai._internal.json_values import Json
from kimi_openai.client.proofs import Signatures, keep_signatures
from kimi_openai.compat.empty_answer import asked_again, came_empty, is_empty, is_partial
from kimi_openai.errors.exceptions import Note, StreamCutError, UnexpectedAnswerError
from kimi_openai.messages.accumulator import ReplyAccumulator
from kimi_openai.messages.reply import Reply, sum_usage
from kimi_openai.retry.backoff import can_be_retried
from kimi_openai.retry.budget import RetryBudget
from kimi_openai.retry.failure import failure_of

from .events import ContentDone, Event, How, Part, Restarted, Resumed, ToolCallDone, UsageTotal
from .reader import ResponseReader
from .resume import OnCut, recovery_of, resumed_body, trimmer_of

__all__ = ["Session"]


class Session:
    """The requests for one answer to `body`.

    `budget` limits the retries. `on_cut` says how to recover from a cut. An answer that its token budget cut off is
    continued up to `max_parts` parts, while they have used less than `max_total_tokens`. One that ended without text is
    asked for once more, unless `on_cut` is "raise".
    """

    def __init__(
        self,
        body: Json,
        budget: RetryBudget,
        *,
        on_cut: OnCut = "resume",
        max_parts: int = 1,
        max_total_tokens: int | None = None,
    ) -> None:
        self.body = self._first_body = body
        self.wait = 0.0
        self.is_over = False
        self.keeps_text = False
        """Set if text that was shown cannot be taken back: then the answer does not start over after it."""
        self.error: Exception | None = None
        self.parts: list[Part] = []
        self.refusals = 0
        self.budget = budget
        self._on_cut: OnCut = on_cut
        self._max_parts, self._max_total_tokens = max_parts, max_total_tokens
        self._how: How = "first"
        self._received = self._set_aside = ReplyAccumulator()
        self.notes: list[Note] = []
        """The notes about the answer."""
        self._trimmer = trimmer_of(body)
        self.signatures: Signatures = ()
        """Those of the responses so far, which the driver adds."""

    # What a request ends in ------------------------------------------------------------------------------------------

    def opened(self, response: Any) -> ResponseReader:
        """The request was accepted: the reader for its response."""
        return ResponseReader(response, self._received, self._trimmer)

    def ended(self, reader: ResponseReader) -> list[Event]:
        """The response has been read: the last events, or the one that says how the answer goes on. Raises if it
        cannot go on."""
        events = reader.finish()
        received = self._received
        self.parts.append(
            Part(
                how=self._how,
                pieces=reader.pieces,
                usage=received.usage,
                finish_reason=received.finish_reason,
                cause=reader.error,
                request_id=reader.request_id,
            )
        )
        if not received.finish_reason:
            return [*events, self._recover(reader)]
        if self._is_to_be_continued(reader):
            self._resume("continued")
            self.wait = 0.0
            return events
        if is_empty(received.content, bool(received.calls), received.finish_reason):
            if self._may_ask_again():
                self.notes.append(asked_again())
                without_text = UnexpectedAnswerError("text", received.reasoning)
                return [*events, self._restart(without_text, "repeated")]
            if not is_partial(self._first_body):
                self.notes.append(came_empty(tries=2 if self._has_repeated else 1))
        self.is_over = True
        return events + self._last_events()

    def refused(self, error: openai.APIError) -> list[Event]:
        """The request got no answer. Raises if another attempt is of no use."""
        self.refusals += 1
        if self._how == "resumed" and isinstance(error, openai.BadRequestError) and not self.keeps_text:
            return [self._restart(error)]  # no page promises that partial mode goes with every parameter
        wait = self.budget.after_refusal(error)
        if wait is None:
            raise self._failed(error, error.request)
        self.wait = wait
        return []

    # How to go on ----------------------------------------------------------------------------------------------------

    def _recover(self, reader: ResponseReader) -> Event:
        """Go on after a cut."""
        recovery = self._recovery(reader)
        if recovery == "raise":
            raise self._failed(reader.error, reader.response.request)
        wait = self.budget.after_cut(reader.error, progress=recovery == "resume" and reader.pieces > 0)
        if wait is None:
            raise self._failed(reader.error, reader.response.request)
        self.wait = wait
        if recovery == "restart":
            return self._restart(reader.error)
        self._resume("resumed")
        return Resumed(reader.error, self._breaks())

    def _recovery(self, reader: ResponseReader) -> OnCut:
        error = reader.error
        if isinstance(error, openai.APIError):  # an error event says itself whether it may pass
            is_lasting = not can_be_retried(failure_of(error))
        else:  # a broken connection or event may be better next time, a web page will not
            is_lasting = isinstance(error, UnexpectedAnswerError) and reader.is_document
        if is_lasting:
            return "raise"
        recovery = recovery_of(self._first_body, self._received, self._on_cut)
        return "raise" if recovery == "restart" and self.keeps_text and self._received.content else recovery

    def _is_to_be_continued(self, reader: ResponseReader) -> bool:
        """Whether a full token budget ended the answer, and another request may bring more of it."""
        received = self._received
        if received.finish_reason != "length" or recovery_of(self._first_body, received) != "resume":
            return False
        if not reader.has_text:
            return False  # the whole budget went into reasoning, and would again
        full = sum(part.finish_reason == "length" for part in self.parts)
        return full < self._max_parts and (self._max_total_tokens is None or self._spent() < self._max_total_tokens)

    def _spent(self) -> int:
        return sum((part.usage or {}).get("total_tokens") or 0 for part in self.parts)

    def _may_ask_again(self) -> bool:
        """Whether an answer without text is asked for once more."""
        may_restart = self._on_cut != "raise" and not (is_partial(self._first_body) or self._has_repeated)
        limit = self._max_total_tokens
        return may_restart and not self.budget.deadline.ends_within(0) and (limit is None or self._spent() < limit)

    @property
    def _has_repeated(self) -> bool:
        return any(part.how == "repeated" for part in self.parts)

    def _resume(self, how: Literal["resumed", "continued"]) -> None:
        text = self._received.content
        self.body = resumed_body(self._first_body, text, self._received.reasoning)
        self._trimmer, self._how = trimmer_of(self.body, text), how
        self._received.start_next_answer()

    def _restart(self, cause: Exception | None, how: How = "restarted") -> Restarted:
        self._set_aside, self._received = self._fullest(), ReplyAccumulator()
        self.body, self._how = self._first_body, how
        self._trimmer = trimmer_of(self.body)
        return Restarted(cause, self._breaks())

    def _breaks(self) -> int:
        """How many parts were cut or brought no text. A part that its budget ended is neither."""
        return sum(part.finish_reason != "length" for part in self.parts)

    def _fullest(self) -> ReplyAccumulator:
        """What has come, or what had come before the answer started over, if that was more."""
        return max(self._received, self._set_aside, key=lambda received: (received.length, received.size))

    @property
    def messages(self) -> Sequence[Any]:
        """The messages that are answered, as they were passed."""
        return self._first_body.get("messages") or ()

    # What has come ---------------------------------------------------------------------------------------------------

    def reply(self) -> Reply:
        """What has come so far; the usage is the sum of what was reported."""
        return self._with_usage(self._received)

    def saved_reply(self) -> Reply:
        """The reply for an exception: what has come, or what had come before a new start, if that was more."""
        return self._with_usage(self._fullest())

    def _with_usage(self, received: ReplyAccumulator) -> Reply:
        return replace(received.reply(), usage=sum_usage(part.usage for part in self.parts))

    def completion(self) -> ChatCompletion:
        """The whole answer."""
        completion = self.reply().completion()
        cast(Any, completion)._request_id = self.parts[-1].request_id  # public, says the SDK's README
        keep_signatures(completion, self.signatures)
        return completion

    @property
    def spent(self) -> tuple[str, Json | None]:
        """Model and usage of the current response, as far as they have come."""
        return self._received.head.get("model") or self.body["model"], self._received.usage

    def _last_events(self) -> list[Event]:
        reply = self.reply()
        events: list[Event] = [
            ToolCallDone(
                call["index"], call["id"], call["function"]["name"], call["function"]["arguments"], call["type"]
            )
            for call in reply.tool_calls
        ]
        events += [ContentDone(reply.content)] if reply.content else []
        return events + ([UsageTotal(reply.usage)] if reply.usage is not None else [])

    def _failed(self, error: Exception | None, request: Any) -> Exception:
        """The exception to raise for a failed `request`, with all that has come as `reply`."""
        reply = self.saved_reply()
        outcome = self.budget.outcome(len(self.parts) + self.refusals)
        is_no_answer = isinstance(error, UnexpectedAnswerError) and not self._received.head
        if isinstance(error, openai.APIError):
            error.message = outcome.join(
                error.message.rsplit("not retried", 1)
            )  # the SDK's call was not, the answer was
            error.args = (error.message,)
        elif error is None or not is_no_answer:
            error = StreamCutError(
                request=request,
                text=reply.content,
                reasoning=reply.reasoning or "",
                cause=error,
                outcome=outcome,
            )
        cast(Any, error).reply = reply
        self.error = error
        return error
