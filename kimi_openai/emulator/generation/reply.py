"""A generated reply: the deltas of its stream, and the same as one message with its token counts.

`engine` fills it in; `chunks` and the chat endpoint put it on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kimi_openai.emulator.errors import Problem
from kimi_openai.emulator.frames import Cut, Pause
from kimi_openai.emulator.json_values import Json

__all__ = ["Reply", "StreamItem"]

StreamItem = str | Pause | Cut | Problem
"""A delta as JSON text, or a wait, the end of the connection, or an error between two deltas."""


@dataclass(slots=True)
class Reply:
    """The reply to one request. `has_reasoning` says whether message and usage have the reasoning keys."""

    has_reasoning: bool
    stream: list[StreamItem] = field(default_factory=list[StreamItem])
    reasoning: str = ""
    content: str = ""
    calls: list[Json] = field(default_factory=list[Json])
    finish_reason: str = "stop"
    reasoning_tokens: int = 0
    completion_tokens: int = 0
    token_overrides: dict[str, int] = field(default_factory=dict[str, int])

    def problem(self, *, streaming: bool) -> Problem | None:
        """The error that becomes an HTTP error, or None: in a stream only one before the first delta does."""
        skipped = (Pause,) if streaming else (Pause, str)
        first = next((item for item in self.stream if not isinstance(item, skipped)), None)
        return first if isinstance(first, Problem) else None

    @property
    def message(self) -> Json:
        """The message of the non-streaming body."""
        message: Json = {"role": "assistant", "content": self.content}
        if self.has_reasoning:
            message["reasoning_content"] = self.reasoning
        if self.calls:
            message["tool_calls"] = self.calls
        return message

    def usage(self, prompt: int, cached: int, written: int | None = None) -> Json:
        """The usage object. On a cache miss its two keys for cached tokens are absent, not 0 (measured)."""
        prompt = self.token_overrides.get("prompt_tokens", prompt)
        cached = self.token_overrides.get("cached_tokens", cached)
        completion = self.token_overrides.get("completion_tokens", self.completion_tokens)
        reasoning = self.token_overrides.get("reasoning_tokens", self.reasoning_tokens)
        usage: Json = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        if cached:
            usage["cached_tokens"] = cached
        if self.has_reasoning:
            usage["completion_tokens_details"] = {"reasoning_tokens": reasoning}
        if written is not None:
            written = max(0, min(written, prompt - cached))  # a script may have set the other two
        written = self.token_overrides.get("cache_write_tokens", written)
        details = {"cached_tokens": cached} if cached else {}
        if written is not None:
            details["cache_write_tokens"] = written
        return {**usage, "prompt_tokens_details": details} if details else usage
