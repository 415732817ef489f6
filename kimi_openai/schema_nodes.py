"""MFJS nodes: what one is, what a few of them say together, and whether anything can satisfy it.

A node is `{}` (anything), a union `{"anyOf": [...]}`, a reference `{"$ref": ...}`, or one type with the keywords of
that type; `NOTHING` is the empty union. Nodes are values: nothing here changes one, and nothing here reads raw
schemas. Next stop: `schema_meet`, and the rooms that make nodes of raw keywords.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from math import ceil, floor
from typing import Any, TypeGuard

__all__ = [
    "NOTHING",
    "TYPES",
    "Node",
    "Note",
    "anything",
    "branches",
    "described",
    "is_any",
    "is_list",
    "is_map",
    "join",
    "may_default",
    "rest",
    "short",
    "spelled",
    "tidy",
]

Node = dict[str, Any]

TYPES = ("string", "number", "boolean", "object", "array", "null")
"""The types that together are anything (an integer is a number)."""

NOTHING: Node = {"anyOf": []}

Note = Callable[[str, str], None]
"""Writes down a loss: the path of the schema it is in, dotted, and a sentence."""


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


def short(value: object) -> str:
    """The value as a note shows it."""
    text = json.dumps(value, default=repr, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
