"""JSON Schema becomes Moonshot Flavored JSON Schema (MFJS), pure.

The result accepts no more than the original, or a note says what was lost; converting it again changes nothing.
`compat` calls it for tools and answer formats, `tools` for the schemas of functions. `reader`, `containers` and
`keywords` read a schema into nodes, `nodes` and `intersect` combine nodes, `references` keeps references.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .names import renamed
from .nodes import (
    NOTHING,
    AddNote,
    Node,
    branches,
    described,
    described_once,
    explicit,
    is_any,
    other_properties,
    union,
)
from .reader import SchemaReader
from .references import ROOT, attach, end_recursion, inline, measure

__all__ = ["Normalized", "to_mfjs"]

LIMITS = {
    "levels of properties": 30,
    "properties": 3000,
    "values in an enum": 1000,
    "branches in an anyOf": 500,
    "bytes": 120_000,
}
"""The sizes beyond which Moonshot's validator refuses a schema by default; the server's own are unknown. Source:
MoonshotAI/walle, 2026-06-29."""

NO_LIMIT_BELOW = 1000
"""Bytes below which no schema exceeds a limit: 31 nested objects alone are longer."""


@dataclass(frozen=True, slots=True)
class Normalized:
    """A schema that Kimi accepts, and one sentence for each part of the original that it does not enforce or renames.

    `names` are the names of properties that Kimi refuses, by the names that they have in the schema instead.
    """

    schema: dict[str, object]
    notes: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def losses(self) -> tuple[str, ...]:
        """The notes without those about new names, of which there is one for each."""
        return self.notes[: len(self.notes) - len(self.names)]


def to_mfjs(schema: Mapping[str, object], *, root_object: bool = True) -> Normalized:
    """The schema in MFJS, with notes of what was lost; the input is not changed.

    Tools and `response_format` need an object at the root. With `root_object` a union of objects there becomes one
    object, and a root that cannot be an object raises `ValueError`. Changes that lose no meaning are not noted: inlined
    references, dropped titles, types that the keywords imply, a default of null. Converting the result again changes
    and notes nothing, but a schema beyond the known size limits is noted each time. Source: Moonshot's MFJS
    specification (MoonshotAI/walle, 2026-06-29).

    >>> to_mfjs({"properties": {"age": {"type": ["integer", "null"], "exclusiveMinimum": 0, "title": "Age"}}}).schema
    {'type': 'object', 'properties': {'age': {'anyOf': [{'type': 'integer', 'minimum': 1}, {'type': 'null'}]}}}
    >>> to_mfjs({"type": "object", "properties": {"day": {"type": "string", "format": "date"}}}).notes
    ('properties.day: format "date" is only mentioned in the description, not enforced',)
    """
    reader = SchemaReader(dict(schema))
    nodes = reader.read_all()
    nodes[ROOT] = _root(nodes[ROOT], reader, root_object)
    if len(nodes) > 1 or reader.refers_to_root:
        nodes = end_recursion(nodes, reader.note)
    result = nodes[ROOT]
    if len(nodes) > 1:
        result = attach(nodes)
        if result != schema or reader.notes:
            result = attach(inline(nodes))
    result = described_once(result)
    if "$defs" in result:
        result = {**result, "$defs": {name: described_once(node) for name, node in result["$defs"].items()}}
    _check_limits(result, reader.note)
    result, names = renamed(result, reader.note)
    return Normalized(result, tuple(dict.fromkeys(reader.notes)), names)


def _root(node: Node, reader: SchemaReader, root_object: bool) -> Node:
    """The root without references, and as one object if it must be one."""
    alternatives = [*_alternatives(node, reader, {ROOT})]
    if not alternatives:
        reader.note("", "nothing can satisfy the schema; anything is accepted")
        node = {}
        alternatives = [node]
    if not root_object:
        return described(union(alternatives), node.get("description"))
    if is_any(node):
        return described({"type": "object", "properties": {}}, node.get("description"))
    objects = [branch for branch in alternatives if branch.get("type") == "object"]
    if not objects:
        raise ValueError(
            "root: the schema must describe an object, as tool arguments and structured answers are JSON objects "
            "('tools.function.parameters.type is required and must be \"object\"'); put the value into a property"
        )
    if len(objects) < len(alternatives):
        reader.note("", "only an object is accepted, the other alternatives are dropped")
    return described(_one_object(objects, reader.note), node.get("description"))


def _alternatives(node: Node, reader: SchemaReader, seen: set[str]) -> Iterator[Node]:
    """The branches of a node, with each reference replaced by the branches that it leads to."""
    for branch in branches(node):
        if "$ref" not in branch:
            yield branch
        elif branch["$ref"] not in seen:
            yield from _alternatives(reader.expand(branch["$ref"]) or NOTHING, reader, seen | {branch["$ref"]})


def _one_object(objects: list[Node], note: AddNote) -> Node:
    """One object with the properties that any of the objects lists; it requires what all of them require."""
    if len(objects) == 1:
        return objects[0]
    note("", "alternative objects became one; which properties belong together is not enforced")
    names = dict.fromkeys(name for node in objects for name in node.get("properties", ()))
    properties = {
        name: explicit(union(node["properties"][name] for node in objects if name in node.get("properties", ())))
        for name in names
    }
    required = [name for name in names if all(name in node.get("required", ()) for node in objects)]
    others = union(other_properties(node) for node in objects)
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        **({} if is_any(others) else {"additionalProperties": False if others == NOTHING else others}),
    }


def _check_limits(schema: Node, note: AddNote) -> None:
    size = len(json.dumps(schema, ensure_ascii=False, separators=(",", ":"), default=str).encode(errors="replace"))
    if size < NO_LIMIT_BELOW:
        return
    for unit, count in {**measure(schema), "bytes": size}.items():
        if count > LIMITS[unit]:
            note("", f"{count} {unit}; the validator is known to refuse more than {LIMITS[unit]}")
