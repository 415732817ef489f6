"""Two MFJS nodes met: what both accept, keyword by keyword, through references too.

Pure: nodes are values, and what cannot be said of both is noted. Next stop: `schema_reader`, for what stands side by
side in a schema.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .schema_nodes import NOTHING, Node, Note, branches, described, is_any, join, rest, spelled, tidy

__all__ = ["Scope", "meet"]

MOST_BRANCHES = 200
"""A product of unions above this is not multiplied out; the validator itself is known to refuse 500 branches."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the algebra asks of its user: the node behind a `$ref` (None while it is being read), and where losses go.

    `open` holds the pairs of references that are being met right now: two recursive schemas would meet for ever.
    """

    expand: Callable[[str], Node | None]
    note: Note
    open: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])


def meet(left: Node, right: Node, scope: Scope, path: str) -> Node:
    """What both nodes accept, under the description of the left one; `NOTHING` when they exclude each other."""
    text = left.get("description") or right.get("description")
    if is_any(left) or is_any(right):
        return described(right if is_any(left) else left, text)
    if left == right:
        return left
    pairs = [(one, other) for one in branches(left) for other in branches(right)]
    if len(pairs) > MOST_BRANCHES:
        scope.note(path, "too many combinations of alternatives; only the first set of them is enforced")
        return left
    return described(join(_both(one, other, scope, path) for one, other in pairs), text)


def _both(left: Node, right: Node, scope: Scope, path: str) -> Node:
    """The meet of two branches."""
    if left == right:
        return left
    if "$ref" in left or "$ref" in right:
        return _behind(left, right, scope, path)
    kinds = {left["type"], right["type"]}
    if len(kinds) > 1 and kinds != {"integer", "number"}:
        return NOTHING
    node: Node = {"type": "integer" if "integer" in kinds else left["type"]}
    if node["type"] == "object":
        return _objects(left, right, scope, path)
    for keyword in [*left, *(key for key in right if key not in left)]:
        if keyword != "type":
            sides = [side[keyword] for side in (left, right) if keyword in side]
            node[keyword] = sides[0] if len(sides) == 1 else _STRICTER[keyword](sides[0], sides[1], scope, path)
    return tidy(node)


def _behind(left: Node, right: Node, scope: Scope, path: str) -> Node:
    """The meet of two branches of which one at least is a reference."""
    pair = (str(left.get("$ref")), str(right.get("$ref")))
    one, other = (left, right) if "$ref" in left else (right, left)
    target = None if pair in scope.open else scope.expand(one["$ref"])
    if target is None:
        scope.note(path, "what stands beside a recursive $ref is not enforced")
        return one
    scope.open.add(pair)
    node = meet(target, other, scope, path)
    scope.open.discard(pair)
    return node


def _first(left: Any, right: Any, scope: Scope, path: str) -> Any:
    if left != right:
        scope.note(path, f"of two patterns only {left!r} is enforced, {right!r} is not")
    return left


_STRICTER: dict[str, Callable[[Any, Any, Scope, str], Any]] = {
    **dict.fromkeys(("minimum", "minLength", "minItems"), lambda a, b, _s, _p: max(a, b)),
    **dict.fromkeys(("maximum", "maxLength", "maxItems"), lambda a, b, _s, _p: min(a, b)),
    **dict.fromkeys(("description", "default"), lambda a, _b, _s, _p: a),
    "enum": lambda a, b, _s, _p: [value for value in a if value in b],
    "items": lambda a, b, scope, path: meet(a, b, scope, f"{path}items."),
    "pattern": _first,
}
"""How each keyword of one type is tightened by the same keyword on the other side."""


def _objects(left: Node, right: Node, scope: Scope, path: str) -> Node:
    """The meet of two objects; a name that one side does not list is held to that side's `additionalProperties`."""
    mine, yours = left.get("properties", {}), right.get("properties", {})
    required = list(dict.fromkeys([*left.get("required", ()), *right.get("required", ())]))
    node: Node = {"type": "object"}
    if mine or yours:
        node["properties"] = {}
    for name in [*mine, *(key for key in yours if key not in mine)]:
        where = f"{path}properties.{name}."
        value = meet(mine.get(name, rest(left)), yours.get(name, rest(right)), scope, where)
        if value != NOTHING:
            node["properties"][name] = spelled(value)
        elif name in required:
            return NOTHING
        elif rest(left) != NOTHING and rest(right) != NOTHING:
            scope.note(where, "nothing can satisfy both sides; the property is left out")
    others = meet(rest(left), rest(right), scope, f"{path}additionalProperties.")
    if required:
        node["required"] = required
    if not is_any(others):
        node["additionalProperties"] = others if others != NOTHING else False
    return described(node, left.get("description") or right.get("description"))
