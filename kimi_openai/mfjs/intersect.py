"""The intersection of two MFJS nodes: what both accept, keyword by keyword, through references too.

Pure: nodes are values. What MFJS cannot say of both sides is noted. `reader` calls it for keywords that stand side by
side in a schema.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .nodes import NOTHING, AddNote, Node, branches, described, explicit, is_any, other_properties, tidy, union

__all__ = ["Scope", "intersect"]

MOST_BRANCHES = 200
"""Larger products of unions are not multiplied out; the validator is known to refuse 500 branches."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What `intersect` needs from its caller: the node behind a `$ref` (`None` while it is being read), and `note`.

    `open` holds the pairs of references that are being intersected; without it two recursive schemas would never end.
    """

    expand: Callable[[str], Node | None]
    note: AddNote
    open: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])


def intersect(left: Node, right: Node, scope: Scope, path: str) -> Node:
    """What both nodes accept, with the description of the left one; `NOTHING` if they exclude each other."""
    text = left.get("description") or right.get("description")
    if is_any(left) or is_any(right):
        return described(right if is_any(left) else left, text)
    if left == right:
        return left
    pairs = [(one, other) for one in branches(left) for other in branches(right)]
    if len(pairs) > MOST_BRANCHES:
        scope.note(path, "too many combinations of alternatives; only the first set of them is enforced")
        return left
    return described(union(_of_branches(one, other, scope, path) for one, other in pairs), text)


def _of_branches(left: Node, right: Node, scope: Scope, path: str) -> Node:
    if left == right:
        return left
    if "$ref" in left or "$ref" in right:
        return _of_reference(left, right, scope, path)
    kinds = {left["type"], right["type"]}
    if len(kinds) > 1 and kinds != {"integer", "number"}:
        return NOTHING
    node: Node = {"type": "integer" if "integer" in kinds else left["type"]}
    if node["type"] == "object":
        return _of_objects(left, right, scope, path)
    for keyword in [*left, *(key for key in right if key not in left)]:
        if keyword != "type":
            sides = [side[keyword] for side in (left, right) if keyword in side]
            node[keyword] = sides[0] if len(sides) == 1 else _STRICTER[keyword](sides[0], sides[1], scope, path)
    return tidy(node)


def _of_reference(left: Node, right: Node, scope: Scope, path: str) -> Node:
    """The intersection of two branches, at least one of which is a reference."""
    pair = (str(left.get("$ref")), str(right.get("$ref")))
    one, other = (left, right) if "$ref" in left else (right, left)
    target = None if pair in scope.open else scope.expand(one["$ref"])
    if target is None:
        scope.note(path, "what stands beside a recursive $ref is not enforced")
        return one
    scope.open.add(pair)
    node = intersect(target, other, scope, path)
    scope.open.discard(pair)
    return node


def _first_pattern(left: Any, right: Any, scope: Scope, path: str) -> Any:
    if left != right:
        scope.note(path, f"of two patterns only {left!r} is enforced, {right!r} is not")
    return left


_STRICTER: dict[str, Callable[[Any, Any, Scope, str], Any]] = {
    **dict.fromkeys(("minimum", "minLength", "minItems"), lambda a, b, _s, _p: max(a, b)),
    **dict.fromkeys(("maximum", "maxLength", "maxItems"), lambda a, b, _s, _p: min(a, b)),
    **dict.fromkeys(("description", "default"), lambda a, _b, _s, _p: a),
    "enum": lambda a, b, _s, _p: [value for value in a if value in b],
    "items": lambda a, b, scope, path: intersect(a, b, scope, f"{path}items."),
    "pattern": _first_pattern,
}
"""How the same keyword on both sides of one type is combined."""


def _of_objects(left: Node, right: Node, scope: Scope, path: str) -> Node:
    """The intersection of two objects; a name that one side does not list must fit its `additionalProperties`."""
    listed_left, listed_right = left.get("properties", {}), right.get("properties", {})
    others_left, others_right = other_properties(left), other_properties(right)
    required = list(dict.fromkeys([*left.get("required", ()), *right.get("required", ())]))
    node: Node = {"type": "object"}
    if listed_left or listed_right:
        node["properties"] = {}
    for name in [*listed_left, *(key for key in listed_right if key not in listed_left)]:
        where = f"{path}properties.{name}."
        value = intersect(listed_left.get(name, others_left), listed_right.get(name, others_right), scope, where)
        if value != NOTHING:
            node["properties"][name] = explicit(value)
        elif name in required:
            return NOTHING
        elif NOTHING not in (others_left, others_right):
            scope.note(where, "nothing can satisfy both sides; the property is left out")
    others = intersect(others_left, others_right, scope, f"{path}additionalProperties.")
    if required:
        node["required"] = required
    if not is_any(others):
        node["additionalProperties"] = others if others != NOTHING else False
    return described(node, left.get("description") or right.get("description"))
