"""What the rules for the items of a Responses request share: the place in the input, notes, names that Kimi refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kimi_openai.compat.rule import Renamed, fatal
from kimi_openai.errors.exceptions import Note

__all__ = ["LONGEST_QUOTE", "ItemContext"]

LONGEST_QUOTE = 80
"""How many characters of an id or of arguments a note quotes."""


@dataclass(slots=True)
class ItemContext:
    """What the rules share. `index` is the place in the caller's input; below 0 for what was remembered. `offered` are
    the tools so far, those of the body first."""

    index: int = 0
    notes: list[Note] = field(default_factory=list[Note])
    renamed: list[Renamed] = field(default_factory=list[Renamed])
    offered: dict[object, Any] = field(default_factory=dict[object, Any])

    def note(self, kind: str, path: str, change: str, why: str, fix: str) -> None:
        """Record a change of the current item; `path` is the place in it, such as ".role"."""
        if self.index >= 0:
            self.notes.append(Note(kind, f"input.{self.index}{path}", change, why, fix))

    def refuse(self, kind: str, path: str, why: str, fix: str) -> None:
        """Record that the current item cannot be sent. What is remembered is the model's own, and is sent as it is."""
        if self.index >= 0:
            self.notes.append(fatal(kind, f"input.{self.index}{path}", why, fix))
