"""Makes typed events of a Responses stream, and knows at the end whether the response was whole.

The exchange of the call gives ids and remembers the response; what is missing in an event but known from an earlier one
is put there. `response_stream.py` reads the connection and calls this for each event. Source of the events: platform
docs, Responses page, and live streams, both 2026-09-03.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, cast

import openai
import pydantic
from openai.types.responses import (
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseReasoningSummaryTextDeltaEvent,
    ResponseStreamEvent,
    ResponseTextDeltaEvent,
)

from kimi_openai._internal.decode import decode_json
from kimi_openai._internal.json_values import Json, as_dict, is_dict
from kimi_openai._internal.wire import WireError
from kimi_openai.errors.exceptions import StreamCutError, UnexpectedAnswerError
from kimi_openai.errors.explanations import stream_error
from kimi_openai.messages.reply import Reply
from kimi_openai.responses.answer import checked_item, checked_response
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

Change = Callable[[Any, dict[str, Any]], dict[str, Any] | None]

ENDS = ("response.completed", "response.incomplete", "response.failed")


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
        self._exchange: Any = call.exchange if call else None
        self._failure: openai.APIError | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._arguments: dict[object, str] = {}
        self._items: dict[int, dict[str, Any]] = {}
        self._last: dict[str, Any] = {}

    def read(self, data: bytes) -> Any:
        """The event, None if there is nothing in it. Raises the SDK's exception for an error event, and
        `UnexpectedAnswerError` for what is no event, with what had come as `reply`."""
        try:
            event = self._checked(data)
            return None if event is None else self._built(event)
        except openai.OpenAIError as error:
            cast(Any, error).reply = self._reply()
            raise

    def read_unclosed(self, data: bytes) -> list[Any]:
        """The event that the body ended in, without its blank line; none if it is not whole."""
        with suppress(UnexpectedAnswerError):
            if data and not (self.is_done or data.startswith(b"[DONE]")):
                event = self.read(data)
                return [] if event is None else [event]
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
        if not self._last:
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
        notify_observers(self._client, self._last.get("model", ""), self._last.get("usage"), response=self.response)
        settle(self.response, self._last.get("usage"))

    def _reply(self) -> Reply:
        return Reply(content="".join(self._text), reasoning="".join(self._reasoning) or None)

    def _checked(self, data: bytes) -> dict[str, Any] | None:
        """The event as JSON, repaired; None if it is to be left out."""
        try:
            event = decode_json(data)
            if not is_dict(event):
                raise WireError("", "an object", event)
            kind = event.get("type")
            if kind == "error" or (event.get("error") and "response" not in event):
                raise stream_error(_error_body(event), self.response)
            change = self.CHANGES.get(kind) if isinstance(kind, str) else None
            return event if change is None else change(self, event)
        except ValueError as error:
            what = f"an event in every part of its stream ({error})"
            raise UnexpectedAnswerError(what, data.decode(errors="replace")) from error

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

    # One method for each kind of event that is looked into ----------------------------------------------------------

    def _head(self, event: dict[str, Any]) -> dict[str, Any]:
        response = checked_response(event.get("response"))
        return {**event, "response": self._exchange.head(response) if self._exchange else response}

    def _added(self, event: dict[str, Any]) -> dict[str, Any]:
        position, item = _position(event), checked_item(event.get("item"), "item")
        return {**event, "item": self._exchange.item(item, position) if self._exchange else item}

    def _item_done(self, event: dict[str, Any]) -> dict[str, Any]:
        position = _position(event)
        item = self._with_arguments(checked_item(event.get("item"), "item"), position)
        item = self._items[position] = self._exchange.item(item, position) if self._exchange else item
        return {**event, "item": item}

    def _text_delta(self, event: dict[str, Any]) -> dict[str, Any] | None:
        return self._delta(event, self._text)

    def _reasoning_delta(self, event: dict[str, Any]) -> dict[str, Any] | None:
        return self._delta(event, self._reasoning)

    def _delta(self, event: dict[str, Any], texts: list[str]) -> dict[str, Any] | None:
        delta = event.get("delta")
        if delta is None:
            return None
        if not isinstance(delta, str):
            raise WireError("delta", "text", delta)
        texts.append(delta)
        return event if event.get("logprobs", ()) is not None else {**event, "logprobs": []}

    def _arguments_delta(self, event: dict[str, Any]) -> dict[str, Any] | None:
        pieces: list[str] = []
        found = self._delta(event, pieces)
        position = _position(event)
        self._arguments[position] = self._arguments.get(position, "") + "".join(pieces)
        return found

    def _arguments_done(self, event: dict[str, Any]) -> dict[str, Any]:
        if isinstance(event.get("arguments"), str) and event["arguments"]:
            self._arguments[_position(event)] = event["arguments"]
        return event

    def _with_arguments(self, item: dict[str, Any], position: int) -> dict[str, Any]:
        """A call with the arguments that came before it, if it has none."""
        known = self._arguments.get(position)
        return {**item, "arguments": known} if item.get("arguments") == "" and known else item

    def _end(self, event: dict[str, Any]) -> dict[str, Any]:
        response = checked_response(event.get("response"))
        if not response["output"]:  # some servers send null there, and all items before
            response["output"] = [self._items[position] for position in sorted(self._items)]
        output = [self._with_arguments(item, position) for position, item in enumerate(response["output"])]
        response = {**response, "output": output}
        if self._exchange is not None:
            response = self._exchange.whole(response)
        self._last, self.rest = response, MOMENT
        if event["type"] == "response.failed":
            self._failure = failure_in(response, self.response)
        elif self._exchange is not None:
            self._exchange.remember(response)
        return {**event, "response": response}

    CHANGES: ClassVar[Mapping[str, Change]] = {
        "response.created": _head,
        "response.in_progress": _head,
        "response.queued": _head,
        "response.output_item.added": _added,
        "response.output_item.done": _item_done,
        "response.output_text.delta": _text_delta,
        "response.reasoning_summary_text.delta": _reasoning_delta,
        "response.function_call_arguments.delta": _arguments_delta,
        "response.function_call_arguments.done": _arguments_done,
        **dict.fromkeys(ENDS, _end),
    }


def _position(event: dict[str, Any]) -> int:
    position = event.get("output_index")
    if type(position) is not int:
        raise WireError("output_index", "a number", position)
    return position


def _error_body(event: dict[str, Any]) -> dict[str, Any]:
    """The error in an event: an object in `error`, or the event itself."""
    if event.get("error"):
        return event
    return {"error": {"type": event.get("code"), "message": event.get("message")}}
