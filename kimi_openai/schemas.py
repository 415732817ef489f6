"""JSON Schema becomes Moonshot Flavored JSON Schema (MFJS), pure.

What comes out accepts no more than what went in, or a note says what was lost; coming in again, it comes out the same.
Next stop: `shaping_tools`, for tools and answer formats. The work is done by the rooms below: `schema_reader`,
`schema_containers` and `schema_keywords` read raw schemas into nodes, `schema_nodes` joins and `schema_meet` meets
them, `schema_refs` keeps references.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .schema_nodes import NOTHING, Node, Note, branches, described, is_any, join, rest, spelled
from .schema_reader import Reader
from .schema_refs import ROOT, attach, end_recursion, inline, measure

__all__ = ["Normalized", "bad_tool_name", "to_mfjs"]

LIMITS = {
    "levels of properties": 30,
    "properties": 3000,
    "values in an enum": 1000,
    "branches in an anyOf": 500,
    "bytes": 120_000,
}
"""Sizes that Moonshot's validator refuses by default; what the server uses is unknown."""

NO_LIMIT_BELOW = 1000
"""Bytes below which a schema can exceed none of them: 31 nested objects alone are longer."""


@dataclass(frozen=True, slots=True)
class Normalized:
    """A schema that Kimi accepts, and one sentence for each thing that it does not say as the original did."""

    schema: dict[str, object]
    notes: tuple[str, ...]


def to_mfjs(schema: Mapping[str, object], *, root_object: bool = True) -> Normalized:
    """The schema in MFJS with notes of what was lost; the input stays as it is. Source: Moonshot's MFJS specification.

    With `root_object`, which tools and `response_format` need, a union of objects at the root becomes one object, and a
    root that cannot be an object is a `ValueError`. Not noted, because no meaning is lost: inlined references, dropped
    titles, types that the keywords imply, a default of null. A second run changes and notes nothing, except that a
    schema beyond the known size limits is left as it is and noted each time.

    >>> to_mfjs({"properties": {"age": {"type": ["integer", "null"], "exclusiveMinimum": 0, "title": "Age"}}}).schema
    {'type': 'object', 'properties': {'age': {'anyOf': [{'type': 'integer', 'minimum': 1}, {'type': 'null'}]}}}
    >>> to_mfjs({"type": "object", "properties": {"day": {"type": "string", "format": "date"}}}).notes
    ('properties.day: format "date" is told in the description, not enforced',)
    """
    reader = Reader(dict(schema))
    nodes = reader.read_all()
    nodes[ROOT] = _root(nodes[ROOT], reader, root_object)
    if len(nodes) > 1 or reader.leads_back:
        nodes = end_recursion(nodes, reader.note)
    result = nodes[ROOT]
    if len(nodes) > 1:
        result = attach(nodes)
        result = result if result == schema and not reader.notes else attach(inline(nodes))
    _check_limits(result, reader.note)
    return Normalized(result, tuple(dict.fromkeys(reader.notes)))


def _root(node: Node, reader: Reader, root_object: bool) -> Node:
    """The root without a reference of its own, and as one object if it has to be."""
    alternatives = [*_alternatives(node, reader, {ROOT})]
    if not alternatives:
        reader.note("", "nothing can satisfy the schema; anything is accepted")
        node = {}
    if not root_object:
        return described(join(alternatives), node.get("description"))
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


def _alternatives(node: Node, reader: Reader, seen: set[str]) -> Iterator[Node]:
    """The branches of a node, each reference followed to where it ends."""
    for branch in branches(node):
        if "$ref" not in branch:
            yield branch
        elif branch["$ref"] not in seen:
            yield from _alternatives(reader.expand(branch["$ref"]) or NOTHING, reader, seen | {branch["$ref"]})


def _one_object(objects: list[Node], note: Note) -> Node:
    """The objects as one: what any of them lists, and requires what all of them require."""
    if len(objects) == 1:
        return objects[0]
    note("", "alternative objects became one; which properties belong together is not enforced")
    names = dict.fromkeys(name for node in objects for name in node.get("properties", ()))
    properties = {
        name: spelled(join(node["properties"][name] for node in objects if name in node.get("properties", ())))
        for name in names
    }
    required = [name for name in names if all(name in node.get("required", ()) for node in objects)]
    others = join(rest(node) for node in objects)
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        **({} if is_any(others) else {"additionalProperties": False if others == NOTHING else others}),
    }


def _check_limits(schema: Node, note: Note) -> None:
    size = len(json.dumps(schema, ensure_ascii=False, separators=(",", ":"), default=str).encode(errors="replace"))
    if size < NO_LIMIT_BELOW:
        return
    for unit, count in {**measure(schema), "bytes": size}.items():
        if count > LIMITS[unit]:
            note("", f"{count} {unit}; the validator is known to refuse more than {LIMITS[unit]}")


def bad_tool_name(name: str) -> str | None:
    """Why Kimi would refuse a tool of this name, None if it would not. Source: platform docs, chat page.

    >>> bad_tool_name("get_weather"), bad_tool_name("fs.read")
    (None, "'.' is not allowed in a tool name; use letters, digits, '_' and '-'")
    """
    if not name:
        return "a tool name cannot be empty"
    if not re.match("[a-zA-Z_]", name):
        return f"a tool name starts with a letter or '_', not with {name[0]!r}"
    if odd := re.search("[^a-zA-Z0-9_-]", name):
        return f"{odd[0]!r} is not allowed in a tool name; use letters, digits, '_' and '-'"
    return f"a tool name has at most 64 characters, not {len(name)}" if len(name) > 64 else None
