"""Makes typed events of a Responses stream, and knows at the end whether the response was whole.

`responses.events` repairs each event as JSON. `response_stream.py` reads the connection and calls this for each event.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

import openai
import pydantic
from openai.types.responses import (
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseReasoningSummaryTextDeltaEvent,
    ResponseStreamEvent,
    ResponseTextDeltaEvent,
)

from kimi_openai._internal.json_values import Json, as_dict, is_dict
from kimi_openai._internal.wire import WireError
from kimi_openai.errors.exceptions import StreamCutError, UnexpectedAnswerError
from kimi_openai.errors.explanations import stream_error
from kimi_openai.messages.reply import Reply
from kimi_openai.responses.events import FAILED, EventRepairer, decoded_event
from kimi_openai.usage.normalize import notify_observers

from .after_attempt import settle
from .call import Call
from .ending import MOMENT
from .foreign_errors import without_aiohttp
from .sdk_errors import sdk_errors_as

__all__ = ["ResponseReader", "failure_in"]

DELTAS: Mapping[str, type[pydantic.BaseModel]] = {
    "response.output_text.delta": ResponseTextDeltaEvent,
    "response.reasoning_summary_text.delta": ResponseReasoningSummaryTextDeltaEvent,
    "response.function_call_arguments.delta": ResponseFunctionCallArgumentsDeltaEvent,
}
"""Nearly all events, validated by their own class: the SDK tries the classes of all events."""


def failure_in(response: Json, http_response: Any) -> openai.APIError:
    """The exception for a response of status "failed"."""
    error = as_dict(response.get("error"))
    body = {"type": error.get("code"), **error, "message": error.get("message") or "the response failed"}
    return stream_error({"error": body}, http_response)


class ResponseReader:
    """Makes events of their data. A response is whole with one of its last events, with or without `[DONE]`."""

    def __init__(self, response: Any, client: Any) -> None:
        call = Call.of(response)
        self.response = response
        self.rest: float | None = None
        self.is_done = False
        self._client = client
        self._events = EventRepairer(call.exchange if call else None)
        self._failure: openai.APIError | None = None

    def read(self, data: bytes) -> list[Any]:
        """The events that the data stands for: one, with what was held back before it; none if there is nothing in it.
        Raises the SDK's exception for an error event, and `UnexpectedAnswerError` for what is no event, with what had
        come as `reply`."""
        try:
            return [self._built(event) for event in self._checked(data)]
        except openai.OpenAIError as error:
            cast(Any, error).reply = self._reply()
            raise

    def read_unclosed(self, data: bytes) -> list[Any]:
        """The event that the body ended in, without its blank line; none if it is not whole."""
        with suppress(UnexpectedAnswerError):
            if data and not (self.is_done or data.startswith(b"[DONE]")):
                return self.read(data)
        return []

    def finish(self) -> None:
        """Note that `[DONE]` has come."""
        self.rest, self.is_done = MOMENT, True

    def check_whole(self, cause: BaseException | None = None) -> None:
        """Raises `StreamCutError` if the response is not whole, and the error of a response that failed. To be called
        when no more bytes come."""
        if self._failure is not None:
            cast(Any, self._failure).reply = self._reply()
            raise self._failure
        if not self._events.last:
            call = Call.of(self.response)
            ended = call.end_of_patience() if call else ""
            reply = self._reply()
            error = StreamCutError(
                request=self.response.request,
                text=reply.content,
                reasoning=reply.reasoning or "",
                cause=without_aiohttp(cause),
                outcome=f"not retried; {ended}" if ended else "not retried",
                end="its last event (response.completed)",
            )
            cast(Any, error).reply = reply
            raise error

    def report_usage(self) -> None:
        """Tell the client's observers about the usage. To be called when the stream is over, however it ended."""
        last = self._events.last
        notify_observers(self._client, last.get("model", ""), last.get("usage"), response=self.response)
        settle(self.response, last.get("usage"))

    def _reply(self) -> Reply:
        return Reply(content=self._events.so_far("text"), reasoning=self._events.so_far("reasoning") or None)

    def _checked(self, data: bytes) -> list[dict[str, Any]]:
        """The event as JSON, repaired."""
        try:
            event = decoded_event(data)
            if not is_dict(event):
                raise WireError("", "an object", event)
            if event.get("type") == "error" or (event.get("error") and "response" not in event):
                raise stream_error(_error_body(event), self.response)
            found = self._events.repaired(event)
        except ValueError as error:
            what = f"an event in every part of its stream ({error})"
            raise UnexpectedAnswerError(what, data.decode(errors="replace")) from error
        if self._events.last:
            self.rest = MOMENT
            if event.get("type") == FAILED:
                self._failure = failure_in(self._events.last, self.response)
        return found

    def _built(self, event: dict[str, Any]) -> Any:
        kind = DELTAS.get(str(event.get("type")))
        if kind is not None:
            with suppress(pydantic.ValidationError):
                found = kind.model_validate(event, strict=True)
                found.model_fields_set.difference_update(found.model_extra or {})
                return found

        def unexpected(error: Exception) -> openai.OpenAIError:
            return UnexpectedAnswerError(f"an event of the documented shape ({error})", event)

        with sdk_errors_as(unexpected):
            return self._client._process_response_data(
                data=event, cast_to=cast(Any, ResponseStreamEvent), response=self.response
            )


def _error_body(event: dict[str, Any]) -> dict[str, Any]:
    """The error in an event: an object in `error`, or the event itself."""
    if event.get("error"):
        return event
    return {"error": {"type": event.get("code"), "message": event.get("message")}}
