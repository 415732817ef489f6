"""What the rules share: the level, the paths that they name, references, and the exception that ends a check."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from kimi_openai.emulator.json_values import Json, is_array, is_object

__all__ = ["ANNOTATIONS", "ROOT_ONLY", "Context", "Level", "Path", "Violation", "is_addressable", "resolve"]

Level = Literal["loose", "lite", "strict", "ultra"]

Path = tuple[str, ...]
"""The keys from the root to a place in a schema; the branch of an `anyOf` is one key, such as `anyOf{0}`."""

ANNOTATIONS = frozenset({"description", "title"})
"""Keywords that may stand beside any other, and do not constrain values."""

ROOT_ONLY = frozenset({"$defs", "$id"})


class Violation(Exception):
    """A rule is broken at `path`.

    >>> str(Violation(("properties", "x", "anyOf{1}"), "type is not defined"))
    "At path 'properties.x.anyOf': type is not defined"
    """

    def __init__(self, path: Path, message: str) -> None:
        place = re.sub(r"anyOf\{[^}]+\}", "anyOf", ".".join(path)) or "root"
        super().__init__(f"At path '{place}': {message}")


@dataclass(frozen=True, slots=True)
class Context:
    """One check of a schema. `references` collects the references that are to be resolved at its end."""

    root: Json
    level: Level
    references: set[str] = field(default_factory=set[str])

    @property
    def is_strict(self) -> bool:
        """Whether the level is strict or above."""
        return self.level in ("strict", "ultra")

    @property
    def is_ultra(self) -> bool:
        """Whether the level is the highest one."""
        return self.level == "ultra"


def resolve(root: Json, ref: str) -> Json | None:
    """The target of `#` or `#/$defs/...`, None if there is none. Kimi decodes no escapes in references.

    >>> resolve({"$defs": {"A": {"items": {"type": "null"}}}}, "#/$defs/A/items")
    {'type': 'null'}
    """
    here: Any = root
    for key in () if ref == "#" else ref[2:].split("/"):
        here = here.get(key) if is_object(here) else None
    return here if is_object(here) else None


def is_addressable(root: Json, path: Path) -> bool:
    """Whether the validator finds the schema at a path again.

    It takes a key with braces for the branch of a list, so it does not find what is below a property named `a{b}`.
    """
    here: Any = root
    for key in path:
        here = _branch(here, key) if "{" in key and "}" in key else here.get(key)
        if not is_object(here):
            return False
    return True


def _branch(node: Json, key: str) -> Any:
    """What `anyOf{0}` stands for in a node, None if there is no such branch."""
    name, index, *_ = key.split("{")
    branches, index = node.get(name), index.removesuffix("}")
    if not is_array(branches) or re.fullmatch(r"[0-9]+", index) is None or int(index) >= len(branches):
        return None
    return branches[int(index)]
