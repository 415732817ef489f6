"""Joins the chunks of a streamed answer into one reply.

Pure; a chunk is a dict as on the wire. `streaming`, the notebook and the command line feed it the chunks they read.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Any

from kimi_openai._internal.json_values import Json, is_object
from kimi_openai._internal.surrogates import joined
from kimi_openai.usage.normalize import with_cached_details

from .reply import Reply, head_of
from .tool_call_pieces import CallPiece, StreamedCall, ToolCallMerger

__all__ = ["ReplyAccumulator"]


class ReplyAccumulator:
    """Collects chunks; `reply()` returns what they add up to so far. Adding a chunk takes about a microsecond.

    >>> accumulator = ReplyAccumulator()
    >>> _ = accumulator.add({"choices": [{"delta": {"content": "o"}}]})
    >>> _ = accumulator.add({"choices": [{"delta": {"content": "k"}, "finish_reason": "stop"}]})
    >>> accumulator.reply()
    Reply(content='ok', reasoning=None, tool_calls=(), finish_reason='stop', usage=None, head={}, extra={})
    """

    __slots__ = ("_calls", "_content", "_logprobs", "_reasoning", "finish_reason", "head", "size", "usage")

    def __init__(self) -> None:
        self._content = StringIO()
        self._reasoning: StringIO | None = None
        self._logprobs: dict[str, list[Any]] = {}
        self._calls = ToolCallMerger()
        self.finish_reason: str | None = None
        self.usage: Json | None = None
        self.head: Json = {}
        self.size = 0
        """Number of text and argument pieces so far: at most the number of tokens they stand for."""

    def add(self, chunk: Json) -> Sequence[CallPiece]:
        """Add one chunk; what it adds to the tool calls. Raises `ValueError`, `TypeError`, `AttributeError` or
        `LookupError` if it is not one."""
        if not self.head:
            self.head = head_of(chunk)
        choices = chunk.get("choices")
        if not choices:
            self._take_usage(chunk)
            return ()
        choice = choices[0]
        delta = choice.get("delta")
        call_pieces = self._add_delta(delta) if delta else ()
        if choice.get("finish_reason"):
            self.finish_reason = choice["finish_reason"]
            self._take_usage(chunk)
            self._take_usage(choice)
        if choice.get("logprobs"):
            for key, tokens in choice["logprobs"].items():
                self._logprobs.setdefault(key, []).extend(tokens or ())
        return call_pieces

    def _take_usage(self, holder: Json) -> None:
        usage = holder.get("usage")
        if usage and is_object(usage):
            self.usage = with_cached_details(usage)

    def _add_delta(self, delta: Json) -> Sequence[CallPiece]:
        content = delta.get("content")
        if content:
            self._content.write(content)
            self.size += 1
        reasoning = delta.get("reasoning_content")
        if reasoning is not None:
            if self._reasoning is None:
                self._reasoning = StringIO()
            self._reasoning.write(reasoning)
            self.size += 1 if reasoning else 0
        pieces = delta.get("tool_calls")
        if not pieces:
            return ()
        self.size += len(pieces)
        return self._calls.add(pieces)

    def start_next_answer(self) -> None:
        """Keep what was added; the rest comes in another answer with its own head, finish reason and usage."""
        self.head, self.finish_reason, self.usage = {}, None, None

    @property
    def content(self) -> str:
        """The text so far."""
        return joined(self._content.getvalue())

    @property
    def length(self) -> int:
        """Number of characters of text so far."""
        return self._content.tell()

    @property
    def reasoning(self) -> str | None:
        """The reasoning so far, None if the answer has none."""
        return None if self._reasoning is None else joined(self._reasoning.getvalue())

    @property
    def calls(self) -> Sequence[StreamedCall]:
        """The tool calls so far, in the order in which they began."""
        return self._calls.calls

    def reply(self) -> Reply:
        """The reply so far."""
        return Reply(
            content=self.content,
            reasoning=self.reasoning,
            tool_calls=tuple(call.as_json() for call in self.calls),
            finish_reason=self.finish_reason,
            usage=self.usage,
            head=self.head,
            extra={"logprobs": self._logprobs} if self._logprobs else {},
        )
