"""MFJS nodes: what one is, their union, and whether any value satisfies one.

A node is `{}` (any value), a union `{"anyOf": [...]}`, a reference `{"$ref": ...}`, or one type with the keywords of
that type. `NOTHING` is the empty union. Nodes are values: no function here changes one or reads a raw schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from math import ceil, floor
from typing import Any, TypeGuard

__all__ = [
    "NOTHING",
    "TYPES",
    "AddNote",
    "Node",
    "anything",
    "branches",
    "can_be_default",
    "children",
    "described",
    "described_once",
    "explicit",
    "is_any",
    "is_map",
    "other_properties",
    "short",
    "tidy",
    "union",
    "with_children",
]

Node = dict[str, Any]

TYPES = ("string", "number", "boolean", "object", "array", "null")
"""The types whose union is any value; an integer is a number."""

NOTHING: Node = {"anyOf": []}

AddNote = Callable[[str, str], None]
"""Notes a loss: the dotted path of the schema, and a sentence."""


def is_map(value: object) -> TypeGuard[Node]:
    """Whether the value is a dict (of any kind, unlike `json_values.is_dict`)."""
    return isinstance(value, dict)


def anything() -> Node:
    """Any value, as a union of all types, for the places where MFJS requires a type ('type is not defined')."""
    return {"anyOf": [{"type": kind} for kind in TYPES]}


_ANYTHING = anything()["anyOf"]


def explicit(node: Node) -> Node:
    """The node, with `{}` written as the union of all types."""
    return {**node, **anything()} if is_any(node) else node


def is_any(node: Node) -> bool:
    """Whether the node accepts any value.

    >>> is_any({"description": "whatever"}), is_any(anything()), is_any({"type": "string"})
    (True, True, False)
    """
    if "anyOf" in node:
        return bool(node["anyOf"] == _ANYTHING)
    return "type" not in node and "$ref" not in node


def children(node: Node) -> Iterator[Node]:
    """The subschemas directly below a node."""
    yield from node.get("properties", {}).values()
    yield from node.get("anyOf", ())
    yield from (node[key] for key in ("items", "additionalProperties") if is_map(node.get(key)))


def with_children(node: Node, change: Callable[[Node], Node]) -> Node:
    """A copy of the node with `change` applied to the subschemas directly below it."""
    node = dict(node)
    if "properties" in node:
        node["properties"] = {name: change(child) for name, child in node["properties"].items()}
    if "anyOf" in node:
        node["anyOf"] = [change(child) for child in node["anyOf"]]
    return node | {key: change(node[key]) for key in ("items", "additionalProperties") if is_map(node.get(key))}


def branches(node: Node) -> list[Node]:
    """The alternatives of a node: those of a union, or the node alone."""
    return list(node["anyOf"]) if "anyOf" in node else [node]


def described(node: Node, text: str | None) -> Node:
    """The node with another description; a reference becomes a union of one, which can have a description.

    The server expands a reference, and refuses two descriptions ('conflicting keywords found after $ref expansion').

    >>> described({"$ref": "#/$defs/Tree"}, "the left branch")
    {'anyOf': [{'$ref': '#/$defs/Tree'}], 'description': 'the left branch'}
    """
    if not text or node == NOTHING:
        return node
    if "$ref" in node:
        return {"anyOf": [node], "description": text}
    return {**node, "description": text}


def described_once(node: Node) -> Node:
    """The node with no description on both a union and its branches, which the validator refuses at level ultra.

    The text of the union then begins the text of each described branch.
    """
    node = with_children(node, described_once)
    text = node.get("description", "")
    if not text or not any("description" in branch for branch in node.get("anyOf", ())):
        return node
    joint = " " if text.endswith((".", "!", "?", ":")) else ": "
    node["anyOf"] = [
        {**each, "description": f"{text}{joint}{each['description']}"} if "description" in each else each
        for each in node["anyOf"]
    ]
    return {key: value for key, value in node.items() if key != "description"}


def union(nodes: Iterable[Node]) -> Node:
    """What any of the nodes accepts, as one flat union without repeated branches.

    >>> union([{"type": "string"}, {"anyOf": [{"type": "null"}, {"type": "string"}]}])
    {'anyOf': [{'type': 'string'}, {'type': 'null'}]}
    """
    found: list[Node] = []
    for node in nodes:
        if is_any(node):
            return {}
        for branch in branches(node):
            # The description of a union goes to its branches; a reference cannot have one.
            keeps_text = branch is not node and "$ref" not in branch and "description" in node
            new = {"description": node["description"], **branch} if keeps_text else branch
            if new not in found:
                found.append(new)
    return found[0] if len(found) == 1 else {"anyOf": found}


def other_properties(node: Node) -> Node:
    """What an object accepts under a name that its `properties` do not list."""
    value = node.get("additionalProperties", True)
    return value if is_map(value) else {} if value else NOTHING


_RANGES = (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"))
_COVERED_BY_ENUM = {"minimum", "maximum", "minLength", "maxLength"}


def tidy(node: Node) -> Node:
    """The typed node with consistent bounds, enum and default, or `NOTHING` if no value satisfies it.

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
        pattern = _compiled(node.get("pattern"))
        node["enum"] = [value for value in _values(node) if _is_within_bounds(value, node) and _fits(value, pattern)]
        covered = _COVERED_BY_ENUM if pattern is None else {*_COVERED_BY_ENUM, "pattern"}
        node = {key: value for key, value in node.items() if key not in covered}
    if any(low in node and high in node and node[low] > node[high] for low, high in _RANGES):
        return NOTHING
    if "default" in node and not can_be_default(node, node["default"]):
        del node["default"]
    return NOTHING if node.get("enum") == [] else node


def _compiled(pattern: object) -> re.Pattern[str] | None:
    """The pattern, None if there is none or Python cannot read it."""
    try:
        return re.compile(pattern) if isinstance(pattern, str) else None
    except (re.error, RecursionError, OverflowError):
        return None


def _fits(value: Any, pattern: re.Pattern[str] | None) -> bool:
    return pattern is None or pattern.search(value) is not None


def _values(node: Node) -> list[Any]:
    """The enum; for an integer as ints, because JSON Schema takes 1.0 for an integer and others may not."""
    return [int(v) for v in node["enum"] if v == v // 1] if node["type"] == "integer" else list(node["enum"])


def _is_within_bounds(value: Any, node: Node) -> bool:
    size, low, high = (
        (len(value), "minLength", "maxLength") if isinstance(value, str) else (value, "minimum", "maximum")
    )
    return bool(node.get(low, size) <= size <= node.get(high, size))


_DEFAULTS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


def can_be_default(node: Node, value: object) -> bool:
    """Whether the value can be the default of the typed node; MFJS allows only scalars of exactly that type."""
    return type(value) in _DEFAULTS.get(node.get("type", ""), ()) and value in node.get("enum", (value,))


def short(value: object) -> str:
    """The value as a note shows it, at most 60 characters."""
    text = json.dumps(value, default=repr, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
