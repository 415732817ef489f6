"""What a stream tells: one frozen record for each thing that happened, named after the SDK's stream events.

Values only. `event.type` is the name and narrows the type; `resumed` and `restarted` are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

__all__ = [
    "ContentDelta",
    "ContentDone",
    "Event",
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
    """The whole text, once, when the answer is whole; not sent where there is no text."""

    content: str
    type: ClassVar[Literal["content.done"]] = "content.done"


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the reasoning, which comes before the text and the tool calls."""

    delta: str
    type: ClassVar[Literal["reasoning.delta"]] = "reasoning.delta"


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call's arguments (JSON text); the first of each call is "". `id` is unique within one answer
    only."""

    index: int
    id: str
    name: str
    arguments_delta: str
    type: ClassVar[Literal["tool_calls.function.arguments.delta"]] = "tool_calls.function.arguments.delta"


@dataclass(frozen=True, slots=True)
class ToolCallDone:
    """A whole tool call, when the answer is whole. `kind` is "function", or "builtin_function" for Kimi's own tools."""

    index: int
    id: str
    name: str
    arguments: str
    kind: str
    type: ClassVar[Literal["tool_calls.function.arguments.done"]] = "tool_calls.function.arguments.done"


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """What the platform reported as used, summed over the parts of the answer, as on the wire; the last event."""

    usage: Mapping[str, Any]
    type: ClassVar[Literal["usage"]] = "usage"


@dataclass(frozen=True, slots=True)
class Resumed:
    """The stream broke off and goes on where it was: what was told stays true. `cause` is what broke it, `None` if it
    just ended; `number` counts the cuts of this answer. A model may reason once more before it goes on."""

    cause: Exception | None
    number: int
    type: ClassVar[Literal["resumed"]] = "resumed"


@dataclass(frozen=True, slots=True)
class Restarted:
    """The stream broke off and starts over: forget every delta told before. `cause` and `number` as in `Resumed`."""

    cause: Exception | None
    number: int
    type: ClassVar[Literal["restarted"]] = "restarted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one request brought to an answer: `pieces` of text and arguments, the platform's `usage` (`None` where the
    answer was cut before it), and the `cause` that ended it early. `how` says what was asked for: the answer, the rest
    of it after a cut ("resumed") or after a full budget ("continued"), or all of it again ("restarted")."""

    how: Literal["first", "resumed", "continued", "restarted"]
    pieces: int
    usage: Mapping[str, Any] | None
    finish_reason: str | None
    cause: Exception | None
    request_id: str | None


Event = ContentDelta | ReasoningDelta | ToolCallDelta | ContentDone | ToolCallDone | UsageTotal | Resumed | Restarted
