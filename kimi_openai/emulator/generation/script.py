"""The steps of a scripted answer as values, and their text form with one step a line.

Steps say what the model does; `engine` turns them into chunks or one body.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kimi_openai.emulator.errors import Problem
from kimi_openai.emulator.frames import Cut, Pause
from kimi_openai.emulator.json_values import encode

__all__ = [
    "Call",
    "Finish",
    "Say",
    "Script",
    "Step",
    "Think",
    "UsageIs",
    "call",
    "cut",
    "error",
    "finish",
    "parse_script",
    "pause",
    "say",
    "steps_of",
    "think",
    "usage",
]


@dataclass(frozen=True, slots=True)
class Say:
    """Text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Think:
    """Text of the reasoning; dropped when thinking is off."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call with its arguments as JSON text."""

    name: str
    arguments: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class UsageIs:
    """Token counts that replace the emulator's own."""

    numbers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """The finish reason, instead of the one that follows from the steps."""

    reason: str


Step = Say | Think | Call | Pause | UsageIs | Finish | Problem | Cut
"""One thing that the model or the connection does."""

Script = str | Step | Iterable[Step]
"""A script: its text form, one step, or steps."""


def say(text: str) -> Say:
    """A step that answers with `text`."""
    return Say(text)


def think(text: str) -> Think:
    """A step that reasons with `text`, if thinking is on."""
    return Think(text)


def call(name: str, arguments: Mapping[str, Any] | str | None = None, *, id: str | None = None) -> Call:
    """A step that calls a tool. Arguments given as a string are sent unchanged, so that broken JSON can be sent too.

    The id is `<name>_<n>` unless given (measured on K3; unique within one answer only).

    >>> call("get_weather", {"city": "Paris"}).arguments
    '{"city":"Paris"}'
    """
    return Call(name, arguments if isinstance(arguments, str) else encode(dict(arguments or {})), id)


def pause(seconds: float) -> Pause:
    """A step that waits; `float("inf")` waits until the client leaves."""
    return Pause(seconds)


TOKEN_COUNTS = frozenset(
    ("prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")
)


def usage(**numbers: int) -> UsageIs:
    """A step that replaces token counts: prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens,
    reasoning_tokens.

    `total_tokens` follows; `cached_tokens=0` is a miss, on which Kimi leaves the keys out.
    """
    unknown = numbers.keys() - TOKEN_COUNTS
    if unknown:
        raise TypeError(f"usage() does not know {', '.join(sorted(unknown))}")
    return UsageIs(tuple(numbers.items()))


def error(message: str, *, type: str = "server_error", status: int = 500) -> Problem:
    """A step that fails: an HTTP error if nothing was sent before it, else a `data: {"error":...}` event and the end.

    The shape of the event is a guess of third parties: the platform does not document errors within a stream.
    """
    return Problem(message, type, status)


def cut(kind: Literal["reset", "drop", "end"] = "reset") -> Cut:
    """A step that ends the connection: "reset" (RST), "drop" (closed in mid-body) or "end" (clean, but no `[DONE]`)."""
    return Cut(kind)


def finish(reason: str) -> Finish:
    """A step that sets the finish reason, such as "content_filter"."""
    return Finish(reason)


def _text(value: str) -> str:
    return str(json.loads(value)) if value.startswith('"') else value


def _error(value: str) -> Problem:
    status, _, rest = value.partition(" ")
    if not status.isdigit():
        return error(value)
    type_, _, message = rest.partition(" ")
    return error(message, type=type_, status=int(status))


CUTS: Mapping[str, Cut] = {"": Cut(), "reset": Cut("reset"), "drop": Cut("drop"), "end": Cut("end")}


def _step(word: str, value: str) -> Step:
    match word:
        case "say" | "text":
            return say(_text(value))
        case "think":
            return think(_text(value))
        case "call":
            name, _, arguments = value.partition(" ")
            return call(name, arguments or None)
        case "pause":
            return pause(float(value))
        case "usage":
            return usage(**{key: int(number) for key, _, number in (pair.partition("=") for pair in value.split())})
        case "error":
            return _error(value)
        case "finish":
            return finish(value)
        case "cut" if value in CUTS:
            return CUTS[value]
        case _:
            raise ValueError(f"no such step: {word!r}: {value!r}")


def parse_script(text: str) -> list[Step]:
    """The steps of a text with one `word: value` a line; blank lines and lines that begin with `#` are skipped.

    Words: say (or text), think, call, pause, usage, error, finish, cut. A text in double quotes is read as JSON, for
    newlines and leading blanks. Raises ValueError for any other line, TypeError for an unknown token count.

    >>> parse_script('think: hm\\nsay: hello\\ncall: add {"a":1}')
    [Think(text='hm'), Say(text='hello'), Call(name='add', arguments='{"a":1}', id=None)]
    """
    lines = (line.strip() for line in text.split("\n"))
    pairs = (line.partition(":") for line in lines if line and not line.startswith("#"))
    return [_step(word.strip(), value.strip()) for word, _, value in pairs]


def steps_of(script: Script) -> list[Step]:
    """The steps of a script in any form. Raises `TypeError` for anything else, such as a fault."""
    if isinstance(script, str):
        return parse_script(script)
    steps: list[Any] = list(script) if isinstance(script, Iterable) else [script]
    for step in steps:
        if not isinstance(step, Step):
            name = type(step).__name__
            raise TypeError(f"a {name} is no step of a script (say, think, call, cut, ...); fail() takes faults")
    return steps
