"""What a rule is: a pure function that returns the changes a request needs, with a note for each.

A `Rule` reads the whole body, a `MessageRule` one message. The rules are in the modules named after what they change;
`pipeline` lists them in order and applies them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kimi_openai._internal.json_values import as_dict
from kimi_openai.errors.exceptions import Note
from kimi_openai.mfjs.names import Names
from kimi_openai.models.catalog import ModelFacts

__all__ = [
    "REMOVE",
    "Body",
    "Changes",
    "Findings",
    "Message",
    "MessageContext",
    "MessageRule",
    "Renamed",
    "Rule",
    "changed",
    "fatal",
    "is_thinking",
]

Body = Mapping[str, Any]
"""The JSON body of a request. A rule reads it and never changes it."""

Message = dict[str, Any]
"""One message of a body. A rule returns the same object, or a new one; it never changes one."""

REMOVE: Final[Any] = object()
"""As the new value of a field: the field is left out."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """Something with a name that Kimi refuses, at `where`: a tool, or properties in the schema of a tool or answer.

    `tool` is the caller's name of the tool, None for the answer. `names` are the new names of properties, None if there
    are none. A tool that is not offered here was called, or declared, in an earlier turn: there is no note about it.
    """

    where: str
    tool: str | None
    names: Names | None = None
    is_offered: bool = True


@dataclass(frozen=True, slots=True)
class Changes:
    """The new values of some fields of a body, and a note for each change that loses or replaces something.

    Notes without fields report what cannot be repaired. Names that Kimi refuses are still the caller's in the fields.
    """

    fields: Body = field(default_factory=dict[str, Any])
    notes: tuple[Note, ...] = ()
    renamed: tuple[Renamed, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What a rule finds in a list of tools; it adds to both."""

    notes: list[Note] = field(default_factory=list[Note])
    renamed: list[Renamed] = field(default_factory=list[Renamed])


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for the body. `apply` returns the changes that a body needs, or None.

    A rule about a parameter applies to models of a known family. With `any_model` it applies to every model, because it
    is a rule of the endpoint.
    """

    apply: Callable[[Body, ModelFacts], Changes | None]
    any_model: bool = False


@dataclass(slots=True)
class MessageContext:
    """What the rules for messages share while they go through one list of messages.

    `index` is the position of the current message in the caller's list. `open_calls` are the calls of the last message
    that made any, each an id and a function name. `has_tools`: some message calls a tool or holds a tool's result.
    `offered` are the tools so far by their names, those of the body first.
    """

    model: ModelFacts
    is_thinking: bool
    index: int = 0
    notes: list[Note] = field(default_factory=list[Note])
    open_calls: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    has_tools: bool = False
    renamed: tuple[Renamed, ...] = ()
    offered: dict[str, Any] = field(default_factory=dict[str, Any])

    def note(self, kind: str, path: str, change: str, why: str, fix: str) -> None:
        """Record a change of the current message; `path` is the place in it, such as ".role"."""
        self.notes.append(Note(kind, f"messages.{self.index}{path}", change, why, fix))

    def refuse(self, kind: str, path: str, why: str, fix: str) -> None:
        """Record that the current message cannot be sent."""
        self.notes.append(fatal(kind, f"messages.{self.index}{path}", why, fix))


MessageRule = Callable[[Message, MessageContext], Message | None]
"""Returns the message if it needs no change, else a new one; None to leave it out."""


def changed(parameter: str, fields: Body, change: str, why: str, fix: str) -> Changes:
    """Changes with one note, about the parameter that the caller wrote."""
    return Changes(fields, (Note(parameter, parameter, change, why, fix),))


def fatal(kind: str, where: str, why: str, fix: str) -> Note:
    """A note about something that cannot be sent and has no replacement; the request raises `CompatError`."""
    return Note(kind, where, "cannot be sent", why, fix, fatal=True)


def is_thinking(body: Body, model: ModelFacts) -> bool:
    """Whether the model thinks on this request."""
    return model.thinking != "switchable" or as_dict(body.get("thinking")).get("type") != "disabled"
