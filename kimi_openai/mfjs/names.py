"""Property names that Moonshot's validator refuses: other names in the schema, and the mapping of JSON texts.

`renamed` is the last step of a conversion. `compat` maps the texts: what the caller sends again to Kimi's names, what
Kimi answers back. A text may come in pieces, so each name is mapped where it stands, and nothing else changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .nodes import AddNote, Node, is_map, with_children

__all__ = ["NameMapper", "Names", "renamed", "with_names"]

RESERVED = frozenset({"$defs", "$ref", "additionalProperties", "anyOf", "required"})
"""Names of keywords that a property must not have ("property name '...' is reserved for JSON Schema keywords").
Source, as for the other rules: MoonshotAI/walle, 2026-06-29."""


def renamed(schema: Node, note: AddNote) -> tuple[Node, dict[str, str]]:
    """The finished schema with a new name for each property name that is refused, and the old names by the new ones.

    Refused are reserved words, the empty name, names with both braces, and in `$defs` names with a slash. A new name is
    none that the schema has. Each is noted once.

    >>> schema = {"type": "object", "properties": {"$ref": {"type": "string"}}, "required": ["$ref"]}
    >>> renamed(schema, print)
    properties.$ref. it is named '_ref'
    ({'type': 'object', 'properties': {'_ref': {'type': 'string'}}, 'required': ['_ref']}, {'_ref': '$ref'})
    """
    in_definitions: dict[str, str] = {}
    for key, definition in schema.get("$defs", {}).items():
        in_definitions = dict(_names(definition, f"$defs.{key}.")) | in_definitions
    places = dict(_names(schema, "")) | in_definitions
    new_by_old: dict[str, str] = {}
    for name, where in places.items():
        if _is_refused(name) or (name in in_definitions and "/" in name):
            new_by_old[name] = _free_name(name, {*places, *new_by_old.values()})
            note(where, f"it is named {new_by_old[name]!r}")
    return (with_names(schema, new_by_old) if new_by_old else schema), {new: old for old, new in new_by_old.items()}


def _is_refused(name: str) -> bool:
    return not name or name in RESERVED or ("{" in name and "}" in name)


def _names(node: Node, path: str) -> Iterator[tuple[str, str]]:
    """The names of all properties in a node, and their paths."""
    for name, child in node.get("properties", {}).items():
        yield name, f"{path}properties.{name}."
        yield from _names(child, f"{path}properties.{name}.")
    for index, branch in enumerate(node.get("anyOf", ())):
        yield from _names(branch, f"{path}anyOf{{{index}}}.")
    for keyword in ("items", "additionalProperties"):
        if is_map(node.get(keyword)):
            yield from _names(node[keyword], f"{path}{keyword}.")


def _free_name(name: str, taken: Iterable[str]) -> str:
    base = re.sub(r"[$/{}]", "_", name)
    free = base = base if base != name and base else f"{base}_"
    count = 1
    while free in taken:
        count += 1
        free = f"{base}{count}"
    return free


def with_names(node: Node, new_by_old: Mapping[str, str]) -> Node:
    """The schema with other names of properties, wherever they are."""

    def change(child: Node) -> Node:
        return with_names(child, new_by_old)

    node = with_children(node, change)
    if "$defs" in node:
        node["$defs"] = {name: change(definition) for name, definition in node["$defs"].items()}
    if "properties" in node:
        node["properties"] = {new_by_old.get(name, name): child for name, child in node["properties"].items()}
    if "required" in node:
        node["required"] = [new_by_old.get(name, name) for name in node["required"]]
    return node


@dataclass(frozen=True, slots=True)
class Names:
    """The new names in a converted schema, each with the old one that it stands for."""

    schema: Node
    old_by_new: Mapping[str, str]

    def to_kimi(self, text: str) -> str:
        """A JSON text with the new names."""
        mapper = NameMapper(self, to_kimi=True)
        return mapper.feed(text) + mapper.flush()

    def from_kimi(self, text: str) -> str:
        """A JSON text with the old names.

        >>> schema = {"type": "object", "properties": {"required_": {"type": "boolean"}}}
        >>> Names(schema, {"required_": "required"}).from_kimi('{"required_": true, "other": "required_"}')
        '{"required": true, "other": "required_"}'
        """
        mapper = NameMapper(self)
        return mapper.feed(text) + mapper.flush()


@dataclass(slots=True)
class _Container:
    """An object or array that has begun: the nodes that may describe it, and those that may describe its next value."""

    nodes: list[Node]
    is_object: bool
    is_key_next: bool
    inner: list[Node] = field(default_factory=list[Node])


class NameMapper:
    """Maps the names in a JSON text that comes in pieces, from Kimi's to the caller's or, with `to_kimi`, back.

    Only the names of properties that the schema describes are mapped, not equal ones elsewhere. `feed` returns the text
    so far except for the beginning of a name, which `flush` returns if no more comes. What is not JSON stays as it is.
    """

    def __init__(self, names: Names, *, to_kimi: bool = False) -> None:
        self._schema, self._is_to_kimi = names.schema, to_kimi
        self._names = {old: new for new, old in names.old_by_new.items()} if to_kimi else names.old_by_new
        self._open: list[_Container] = []
        self._key = ""
        self._is_in_string = self._is_escaped = False

    def feed(self, text: str) -> str:
        """The next part of the mapped text."""
        return "".join(map(self._next, text))

    def flush(self) -> str:
        """The beginning of a name that was held back."""
        held, self._key = self._key, ""
        return held

    def _next(self, character: str) -> str:
        if self._is_in_string:
            return self._in_string(character)
        if character == '"':
            self._is_in_string = True
            if self._open and self._open[-1].is_key_next:
                self._key = character
                return ""
        elif character in "{[":
            self._open.append(_Container([*self._typed(self._here())], character == "{", character == "{"))
            if character == "[":
                self._open[-1].inner = [node["items"] for node in self._open[-1].nodes if "items" in node]
        elif character in "}]" and self._open:
            self._open.pop()
        elif character == "," and self._open:
            self._open[-1].is_key_next = self._open[-1].is_object
        return character

    def _in_string(self, character: str) -> str:
        self._is_in_string = character != '"' or self._is_escaped
        self._is_escaped = character == "\\" and not self._is_escaped
        if not self._key:
            return character
        self._key += character
        return "" if self._is_in_string else self._mapped(self.flush())

    def _mapped(self, quoted: str) -> str:
        """The name that a key becomes. From here on the value of that property is next."""
        container = self._open[-1]
        container.is_key_next = False
        try:
            name: str = json.loads(quoted, strict=False)
        except ValueError:
            return quoted
        new = self._names.get(name, name)
        in_schema = new if self._is_to_kimi else name
        if new != name and not any(in_schema in node.get("properties", ()) for node in container.nodes):
            new = in_schema = name
        container.inner = [part for node in container.nodes if is_map(part := _property(node, in_schema))]
        return quoted if new == name else json.dumps(new, ensure_ascii=False)

    def _here(self) -> list[Node]:
        return self._open[-1].inner if self._open else [self._schema]

    def _typed(self, nodes: Iterable[Node]) -> Iterator[Node]:
        """The alternatives of the nodes, without references."""
        seen: set[str] = set()
        todo = [*nodes]
        while todo:
            node = todo.pop()
            todo += node.get("anyOf", ())
            ref: str = node.get("$ref", "")
            if ref and ref not in seen:
                seen.add(ref)
                todo.append(self._schema if ref == "#" else self._schema["$defs"][ref.rpartition("/")[2]])
            yield node


def _property(node: Node, name: str) -> Any:
    """The schema of a property, or what it has instead."""
    return node.get("properties", {}).get(name, node.get("additionalProperties"))
