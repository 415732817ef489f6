"""The check of one schema: its limits, the walk through its subschemas, and the order of the rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kimi_openai.emulator.json_values import Json, encode, is_object

from .context import Context, Level, Path, Violation
from .keywords import check_branches, check_keywords
from .recursion import check_references, depth_of
from .types import check_supported, check_types

__all__ = ["mfjs_problem"]

MAX_DEPTH, MAX_PROPERTIES, MAX_BYTES = 30, 3000, 120_000
"""Limits of the published validator."""


def mfjs_problem(schema: object, *, level: Level = "strict") -> str | None:
    """The first violation as `At path 'P': M`, or `None` for a schema that passes.

    The levels are those of Moonshot's published validator. "loose" checks nothing. "lite" needs keywords with values of
    the right kind, references that resolve, recursion that can end, and no keyword twice around an `anyOf` or `$ref`.
    "strict" also refuses property names that are keywords, and several types beside other keywords. "ultra" also
    refuses unsupported keywords, bounds of a wrong kind, and annotations on both sides of an `anyOf` or `$ref`. Limits:
    30 levels of properties, 3000 properties, 1000 enum values, 500 branches, 120 kB.

    >>> mfjs_problem({"type": "object", "properties": {"required": {"type": "boolean"}}})
    "At path 'properties': property name 'required' is reserved for JSON Schema keywords"
    >>> mfjs_problem({"type": "object", "properties": {"required": {"type": "boolean"}}}, level="lite") is None
    True
    """
    if not is_object(schema) and (schema is not None or level != "loose"):
        return _no_object(schema)
    if not is_object(schema) or level == "loose" or not schema:
        return None
    try:
        if _size(schema) > MAX_BYTES:
            raise Violation((), "schema exceeds maximum allowed size")
        context = Context(schema, level)
        if _Walk(context).deepest(schema, (), 0) > MAX_DEPTH:
            raise Violation((), f"schema depth exceeds maximum limit of {MAX_DEPTH}")
        check_references(context)
    except Violation as violation:
        return str(violation)
    except RecursionError:
        return "At path 'root': schema is nested too deep"
    return None


def _no_object(schema: object) -> str:
    if schema is None:
        return str(Violation((), "schema must be a dict"))
    names: dict[str, str] = {"bool": "bool", "str": "string", "list": "array"}
    kind, text = names.get(type(schema).__name__, "number"), encode(schema)
    offset = 1 if kind == "array" else len(text.encode(errors="replace"))
    expected = f"JSON type error at offset {offset}: expected map[string]interface {{}} but got {kind}"
    return f"JSON schema parsing error: {expected}"


def _size(schema: Json) -> int:
    """The bytes of the schema as Go writes JSON, which escapes some characters in six bytes."""
    text = encode(schema)
    added = {"<": 5, ">": 5, "&": 5, "\u2028": 3, "\u2029": 3}
    return len(text.encode(errors="replace")) + sum(text.count(each) * count for each, count in added.items())


class _Walk:
    def __init__(self, context: Context) -> None:
        self.context, self.properties = context, 0

    def deepest(self, node: Json, path: Path, depth: int) -> int:
        """Check one subschema and everything below it. Returns the most levels of properties; lists add none."""
        context = self.context
        if depth > MAX_DEPTH:
            raise Violation(path, f"schema depth exceeds maximum limit of {MAX_DEPTH}")
        check_supported(node, path, context)
        depths = [depth, *self._below(_definitions(node, path), depth)]
        check_types(node, path, context)
        check_keywords(node, path, context)
        check_branches(node, path, context)
        if "$ref" in node:
            depths.append(depth + depth_of(context.root, node["$ref"]))
        self._count(len(node.get("properties", ())), path)
        depths += self._below(_subschemas(node, path), depth)
        return max(depths)

    def _below(self, children: Iterator[tuple[int, Path, Json]], depth: int) -> Iterator[int]:
        return (self.deepest(child, path, depth + levels) for levels, path, child in children)

    def _count(self, properties: int, path: Path) -> None:
        self.properties += properties
        if self.properties > MAX_PROPERTIES:
            counted = f"total number of properties keys({self.properties}) across all objects"
            raise Violation(path, f"{counted} exceeds maximum limit of {MAX_PROPERTIES}")


def _definitions(node: Json, path: Path) -> Iterator[tuple[int, Path, Json]]:
    """The definitions of a subschema, which are checked before it."""
    definitions: Any = node.get("$defs")
    if is_object(definitions):
        for name in sorted(definitions):
            if not is_object(definitions[name]):
                raise Violation((*path, "$defs"), "$defs schema must be object")
            yield 0, (*path, "$defs", name), definitions[name]


def _subschemas(node: Json, path: Path) -> Iterator[tuple[int, Path, Json]]:
    """The other subschemas of a checked subschema: levels of properties between them, path and schema."""
    for name, child in node.get("properties", {}).items():
        yield 1, (*path, "properties", name), child
    for keyword in ("items", "additionalProperties"):
        if is_object(node.get(keyword)):
            yield 0, (*path, keyword), node[keyword]
    for index, branch in enumerate(node.get("anyOf", ())):
        yield 0, (*path, f"anyOf{{{index}}}"), branch
