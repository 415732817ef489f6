"""The events of a stream: one frozen record for each thing that happened, named after the SDK's stream events.

Values only. `event.type` is the name and narrows the type; `resumed` and `restarted` are our additions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

__all__ = [
    "ContentDelta",
    "ContentDone",
    "Event",
    "How",
    "Part",
    "ReasoningDelta",
    "Restarted",
    "Resumed",
    "ToolCallDelta",
    "ToolCallDone",
    "UsageTotal",
]


@dataclass(frozen=True, slots=True)
class ContentDelta:
    """A piece of the answer's text."""

    delta: str
    type: ClassVar[Literal["content.delta"]] = "content.delta"


@dataclass(frozen=True, slots=True)
class ContentDone:
    """The whole text, once, when the answer is complete. There is no such event if there is no text."""

    content: str
    type: ClassVar[Literal["content.done"]] = "content.done"


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the reasoning, which comes before the text and the tool calls."""

    delta: str
    type: ClassVar[Literal["reasoning.delta"]] = "reasoning.delta"


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call's arguments (JSON text); the first piece of each call is "". `id` is unique within one
    answer only."""

    index: int
    id: str
    name: str
    arguments_delta: str
    type: ClassVar[Literal["tool_calls.function.arguments.delta"]] = "tool_calls.function.arguments.delta"


@dataclass(frozen=True, slots=True)
class ToolCallDone:
    """A whole tool call, when the answer is complete. `kind` is "function", or "builtin_function" for Kimi's tools."""

    index: int
    id: str
    name: str
    arguments: str
    kind: str
    type: ClassVar[Literal["tool_calls.function.arguments.done"]] = "tool_calls.function.arguments.done"


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """The usage that the platform reported, summed over the parts of an answer, as in `Reply.usage`. The last event."""

    usage: Mapping[str, Any]
    type: ClassVar[Literal["usage"]] = "usage"


@dataclass(frozen=True, slots=True)
class Resumed:
    """The stream was cut and goes on where it was: all deltas before stay valid. `cause` is what was raised, `None` if
    the stream just ended; `number` counts the cuts of this answer. The model may reason again before it goes on."""

    cause: Exception | None
    number: int
    type: ClassVar[Literal["resumed"]] = "resumed"


@dataclass(frozen=True, slots=True)
class Restarted:
    """The stream was cut, or ended without text, and starts over: forget all deltas before. `cause` and `number` are as
    in `Resumed`; after an answer without text, `cause` is an `UnexpectedAnswerError`."""

    cause: Exception | None
    number: int
    type: ClassVar[Literal["restarted"]] = "restarted"


How = Literal["first", "resumed", "continued", "restarted", "repeated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one request brought to an answer.

    `how` says what it asked for: the answer ("first"), the rest of it after a cut ("resumed") or after a full token
    budget ("continued"), or all of it again, after a cut ("restarted") or an answer without text ("repeated"). `pieces`
    counts the deltas. `usage` is the platform's, `None` if the cut came before it. `cause` is what was raised if the
    response ended early.
    """

    how: How
    pieces: int
    usage: Mapping[str, Any] | None
    finish_reason: str | None
    cause: Exception | None
    request_id: str | None


Event = ContentDelta | ReasoningDelta | ToolCallDelta | ContentDone | ToolCallDone | UsageTotal | Resumed | Restarted
