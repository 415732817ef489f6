"""The algebra of Moonshot Flavored JSON Schema: two schemas joined (or) and met (and).

A node is `{}` (anything), a union `{"anyOf": [...]}`, a reference `{"$ref": ...}`, or one type with the keywords of
that type; `NOTHING` is the empty union. Nodes are values: nothing here changes one, and nothing here reads
raw schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import ceil, floor
from typing import Any, TypeGuard

__all__ = [
    "NOTHING",
    "TYPES",
    "Node",
    "Scope",
    "anything",
    "branches",
    "described",
    "is_any",
    "is_list",
    "is_map",
    "join",
    "may_default",
    "meet",
    "rest",
    "spelled",
    "tidy",
]

Node = dict[str, Any]

TYPES = ("string", "number", "boolean", "object", "array", "null")
"""The types that together are anything (an integer is a number)."""

NOTHING: Node = {"anyOf": []}
MOST_BRANCHES = 200
"""A product of unions above this is not multiplied out; the validator itself is known to refuse 500 branches."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the algebra asks of its user: the node behind a `$ref` (None while it is being read), and where losses go.

    `open` holds the pairs of references that are being met right now: two recursive schemas would meet for ever.
    """

    expand: Callable[[str], Node | None]
    note: Callable[[str, str], None]
    open: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])


def is_map(value: object) -> TypeGuard[Node]:
    """Whether the value is a dict, for the type checker too."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether the value is a list, for the type checker too."""
    return isinstance(value, list)


def anything() -> Node:
    """`{}` spelled out for the places where MFJS demands a type ('type is not defined')."""
    return {"anyOf": [{"type": kind} for kind in TYPES]}


_ANYTHING = anything()["anyOf"]


def spelled(node: Node) -> Node:
    """The node where it may not be `{}`."""
    return {**node, **anything()} if is_any(node) else node


def is_any(node: Node) -> bool:
    """Whether the node accepts everything.

    >>> is_any({"description": "whatever"}), is_any(anything()), is_any({"type": "string"})
    (True, True, False)
    """
    if "anyOf" in node:
        return bool(node["anyOf"] == _ANYTHING)
    return "type" not in node and "$ref" not in node


def branches(node: Node) -> list[Node]:
    """The alternatives of a node: those of a union, or the node alone."""
    return list(node["anyOf"]) if "anyOf" in node else [node]


def described(node: Node, text: str | None) -> Node:
    """The node under another description. A reference is wrapped, because the server expands it and then complains of
    'conflicting keywords found after $ref expansion' when its target has a description as well.

    >>> described({"$ref": "#/$defs/Tree"}, "the left branch")
    {'anyOf': [{'$ref': '#/$defs/Tree'}], 'description': 'the left branch'}
    """
    if not text or node == NOTHING:
        return node
    if "$ref" in node:
        return {"anyOf": [node], "description": text}
    return {**node, "description": text}


def join(nodes: Iterable[Node]) -> Node:
    """What any of the nodes accepts; equal branches once, unions flattened.

    >>> join([{"type": "string"}, {"anyOf": [{"type": "null"}, {"type": "string"}]}])
    {'anyOf': [{'type': 'string'}, {'type': 'null'}]}
    """
    union: list[Node] = []
    for node in nodes:
        if is_any(node):
            return {}
        for branch in branches(node):
            told = branch if branch is node or "$ref" in branch else {**_text(node), **branch}
            if told not in union:
                union.append(told)
    return union[0] if len(union) == 1 else {"anyOf": union}


def _text(node: Node) -> Node:
    return {"description": node["description"]} if "description" in node else {}


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


def rest(node: Node) -> Node:
    """What an object accepts under a name that its `properties` do not list."""
    value = node.get("additionalProperties", True)
    return value if is_map(value) else {} if value else NOTHING


_RANGES = (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"))


def tidy(node: Node) -> Node:
    """The typed node with bounds and enum made consistent, or `NOTHING` if no answer is left.

    >>> tidy({"type": "integer", "minimum": 0.5, "enum": [0, 1.0, 2.5]})
    {'type': 'integer', 'enum': [1]}
    >>> tidy({"type": "string", "minLength": 3, "maxLength": 2})
    {'anyOf': []}
    """
    node = dict(node)
    if node.get("items") == NOTHING:
        del node["items"]
        node["maxItems"] = 0
    if node["type"] == "integer":
        node |= {key: turn(node[key]) for key, turn in (("minimum", ceil), ("maximum", floor)) if key in node}
    if "enum" in node:
        node["enum"] = [value for value in _whole(node) if _within(value, node)]
        node = {key: value for key, value in node.items() if key not in _SPELLED_BY_ENUM}
    if any(low in node and high in node and node[low] > node[high] for low, high in _RANGES):
        return NOTHING
    if "default" in node and not may_default(node, node["default"]):
        del node["default"]
    return NOTHING if node.get("enum") == [] else node


_PLAIN: dict[str, tuple[type, ...]] = {"string": (str,), "boolean": (bool,), "integer": (int,), "number": (int, float)}


def may_default(node: Node, value: object) -> bool:
    """Whether the value can be the default of the typed node; MFJS allows only plain ones, of the very type."""
    return type(value) in _PLAIN.get(node.get("type", ""), ()) and value in node.get("enum", (value,))


_SPELLED_BY_ENUM = {"minimum", "maximum", "minLength", "maxLength"}


def _whole(node: Node) -> list[Any]:
    """The enum, in integers if the type is one: '1.0' is an integer to JSON Schema and a float to a careful reader."""
    return [int(v) for v in node["enum"] if v == v // 1] if node["type"] == "integer" else list(node["enum"])


def _within(value: Any, node: Node) -> bool:
    size, low, high = (
        (len(value), "minLength", "maxLength") if isinstance(value, str) else (value, "minimum", "maximum")
    )
    return bool(node.get(low, size) <= size <= node.get(high, size))
