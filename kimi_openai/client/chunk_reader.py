"""Makes chunks of the events of a chat stream, and knows at the end whether the answer was whole.

The data of an event is validated by pydantic in one step; what the validator refuses is checked by `chunk_in` and built
by the SDK. Tool calls are numbered by `chunk_calls.py`. `chunks.py` reads the connection and calls this for each event.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

import openai
import pydantic
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk

from kimi_openai._internal.json_values import is_dict
from kimi_openai._internal.surrogates import joined
from kimi_openai._internal.wire import checked_chunk, is_piece_of_text
from kimi_openai.compat.answers import restorer_of
from kimi_openai.errors.exceptions import StreamCutError, UnexpectedAnswerError
from kimi_openai.errors.explanations import stream_error
from kimi_openai.messages.half_joiner import HalfJoiner
from kimi_openai.messages.reply import Reply
from kimi_openai.messages.tool_call_pieces import ToolCallMerger
from kimi_openai.usage.normalize import copy_cached_tokens, copy_choice_usage, notify_observers

from .after_attempt import settle
from .answer_notes import note_if_empty
from .call import Call
from .chunk_calls import number_calls
from .ending import MOMENT, USAGE_WAIT
from .foreign_errors import without_aiohttp
from .reasoning import remember_streamed
from .sse import DONE
from .validation import reasoning_in

__all__ = ["ChunkReader", "chunk_in"]

INCLUDE_USAGE = re.compile(rb'"include_usage"\s*:\s*true')
CHOICES = re.compile(rb'"n"\s*:\s*(\d+)')
"""Options in a request's body. They cannot match inside a text, where the quotes are escaped."""


def chunk_in(data: bytes, response: Any, half_joiner: HalfJoiner) -> dict[str, Any]:
    """The chunk in the data of an event, with the documented types. Raises the SDK's exception for an error event, and
    `UnexpectedAnswerError` for what is no chunk."""
    try:
        found = half_joiner.decode(data)
        if is_piece_of_text(found):
            return found
        if is_dict(found) and found.get("error"):
            raise stream_error(found, response)
        return checked_chunk(found)
    except ValueError as error:
        what = f"a chunk in every event of its stream ({error})"
        raise UnexpectedAnswerError(what, data.decode(errors="replace")) from error


class ChunkReader:
    """Makes chunks of the data of events, and knows at the end whether the answer was whole.

    An answer with a finish_reason is whole, with or without `[DONE]`: only the usage may follow. `[DONE]` alone is not
    enough, because gateways send it after answers that were cut.
    """

    def __init__(self, response: Any, client: Any) -> None:
        self.response = response
        self._build = client._process_response_data
        self._client = client
        self._model = ""
        self._usage: CompletionUsage | None = None
        self._finishes = 0
        self._finish_reason: str | None = None
        self.rest: float | None = None
        self.is_done = False
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: defaultdict[int, ToolCallMerger] = defaultdict(ToolCallMerger)
        self._half_joiner = HalfJoiner()
        self._has_names = restorer_of(response) is not None

    def read(self, data: bytes) -> tuple[ChatCompletionChunk]:
        """The chunk of one event, equal to the SDK's. Raises `chunk_in`'s errors, with what had come as `reply`."""
        if self._half_joiner.is_holding or self._has_names:
            return (self._built_by_sdk(data),)  # with the client's method, which restores names
        try:
            # Strict, because the validator would otherwise convert values that the SDK leaves as they are.
            chunk = ChatCompletionChunk.model_validate_json(data, strict=True)
        except pydantic.ValidationError:
            return (self._built_by_sdk(data),)
        extra = chunk.model_extra
        if extra:
            if extra.get("error"):
                return (self._built_by_sdk(data),)
            chunk.model_fields_set.difference_update(extra)
        self._record(chunk)
        return (chunk,)

    def read_unclosed(self, data: bytes) -> Sequence[ChatCompletionChunk]:
        """The chunk of an event that the body ended in, without its blank line; none if the event is not whole."""
        with suppress(UnexpectedAnswerError):
            if data and not (self.is_done or data.startswith(DONE)):
                return self.read(data)
        return ()

    def finish(self) -> None:
        """Note that `[DONE]` has come."""
        self.rest, self.is_done = MOMENT, True

    def check_whole(self, cause: BaseException | None = None) -> None:
        """Raises `StreamCutError` if the answer is not whole, and notes if it has no text. To be called when no more
        bytes come."""
        if not self._finishes:
            call = Call.of(self.response)
            ended = call.end_of_patience() if call else ""
            raise StreamCutError(
                request=self.response.request,
                text="".join(self._text),
                reasoning="".join(self._reasoning),
                cause=without_aiohttp(cause),
                outcome=ended and f"not retried; {ended}",
            )
        reason, text = self._finish_reason, "".join(self._text)
        note_if_empty(self._client, self.response, text=text, has_more=bool(self._calls), finish_reason=reason)

    def report_usage(self) -> None:
        """Tell the client's observers about the usage. To be called when the stream is over, however it ended."""
        notify_observers(self._client, self._model, self._usage, response=self.response)
        settle(self.response, self._usage)

    def _built_by_sdk(self, data: bytes) -> ChatCompletionChunk:
        try:
            fields = chunk_in(data, self.response, self._half_joiner)
            chunk: ChatCompletionChunk = self._build(data=fields, cast_to=ChatCompletionChunk, response=self.response)
        except openai.OpenAIError as error:
            reply = Reply(content="".join(self._text), reasoning="".join(self._reasoning) or None)
            cast(Any, error).reply = reply
            raise
        self._record(chunk)
        return chunk

    def _record(self, chunk: ChatCompletionChunk) -> None:
        """Keep the text, the finish_reason and the usage of a chunk, and set `chunk.usage`."""
        for choice in chunk.choices:
            delta = choice.delta
            if delta.content:
                self._text.append(delta.content)
            if delta.model_extra:
                # The validator counts unknown fields as set; the SDK does not.
                delta.model_fields_set.difference_update(delta.model_extra)
                reasoning = reasoning_in(delta)
                if reasoning:
                    self._reasoning.append(reasoning)
            if delta.tool_calls:
                number_calls(delta.tool_calls, self._calls[choice.index])
            if choice.model_extra:
                choice.model_fields_set.difference_update(choice.model_extra)
            if choice.finish_reason:
                self._finish_reason = choice.finish_reason
                self._count_finish(chunk)
        if chunk.usage is not None:
            self._usage = copy_cached_tokens(chunk).usage
            if self.rest is not None:
                self.rest = MOMENT
        self._model = chunk.model

    def _remember(self) -> None:
        """Remember the reasoning that the tool calls of the only choice came with."""
        for merger in self._calls.values():
            calls = [call.as_json() for call in merger.calls]
            remember_streamed(self.response, calls, joined("".join(self._reasoning)))

    def _count_finish(self, chunk: ChatCompletionChunk) -> None:
        """A choice has its finish_reason. If it is the last choice, only the usage may follow."""
        self._finishes += 1
        body = self.response.request.content
        asks_for_usage = INCLUDE_USAGE.search(body) is not None
        if not asks_for_usage:  # else a last chunk has it, and no other may: some code adds them up
            copy_choice_usage(chunk)
        choices = CHOICES.search(body)
        count = int(choices[1]) if choices else 1
        if count == 1:
            self._remember()  # now, because the caller may read no further
        if self._finishes >= count:
            self.rest = USAGE_WAIT if asks_for_usage else MOMENT
