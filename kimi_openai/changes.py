"""What a rule of shaping is: a pure function from a body to the fields to change, and its rows in the README's table.

No rule stands here; they are in the rooms named `shaping_...`, and `shaping` applies them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

from .errors import Note
from .models import ModelFacts

__all__ = [
    "GONE",
    "Body",
    "Changes",
    "Row",
    "Rule",
    "as_dict",
    "as_list",
    "fatal",
    "is_array",
    "is_dict",
    "is_object",
    "thinks",
]

Body = Mapping[str, Any]

GONE: Final[Any] = object()
"""The value of a field that is taken out."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Fields of the body with their new values, and why. Notes without fields say what cannot be put right."""

    fields: Body = field(default_factory=dict[str, Any])
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """What OpenAI code says, what Kimi says to it, what is sent."""

    code: str
    kimi: str
    ours: str


@dataclass(frozen=True, slots=True)
class Rule:
    """`apply` gives the changes that a body needs, `None` for none. `every_model`: it holds for the endpoint, whatever
    the model; the others ask only of models that are known."""

    apply: Callable[[Body, ModelFacts], Changes | None]
    rows: tuple[Row, ...]
    every_model: bool = False


def thinks(body: Body, known: ModelFacts) -> bool:
    """Whether the model thinks on this request, by what is documented of it."""
    return known.thinking != "switchable" or as_dict(body.get("thinking")).get("type") != "disabled"


def fatal(kind: str, where: str, why: str, fix: str) -> Note:
    """A note on something that cannot be sent, nor anything in its place."""
    return Note(kind, where, "cannot be sent", why, fix, fatal=True)


def is_object(value: object) -> TypeGuard[Body]:
    """Whether the value is a JSON object."""
    return isinstance(value, Mapping)


def is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether the value is a plain dict."""
    return type(value) is dict


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether the value is a JSON array."""
    return isinstance(value, list)


def as_dict(value: object) -> Body:
    """The value if it is a JSON object, else an empty one."""
    return value if is_object(value) else {}


def as_list(value: object) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if is_array(value) else []
