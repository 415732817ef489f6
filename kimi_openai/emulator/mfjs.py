"""Moonshot Flavored JSON Schema, checked as the platform checks tool schemas: the first violation, in its words.

Pure and the emulator's own: the client's conversion must not share it. Rules and texts: the MFJS specification and
error reports of users; paths are dotted and the root is called `root`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from .schema_graph import children, has_values, resolve
from .wire import Json, encode, is_array, is_object

__all__ = ["mfjs_problem"]

Level = Literal["strict", "lite"]

TYPES = ("null", "boolean", "object", "array", "number", "integer", "string")
MAX_DEPTH, MAX_PROPERTIES, MAX_ENUM, MAX_ANY_OF, MAX_BYTES = 30, 3000, 1000, 500, 120_000

ANNOTATIONS = {"description", "title", "default", "$id", "$defs", "$schema", "$comment", "examples"}
FITTING: Mapping[str, frozenset[str]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "minItems", "maxItems"}),
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "number": frozenset({"minimum", "maximum", "multipleOf"}),
    "integer": frozenset({"minimum", "maximum", "multipleOf"}),
}
TYPED = frozenset[str]().union(*FITTING.values())
REFUSED = frozenset(
    {"allOf", "oneOf", "not", "if", "then", "else", "prefixItems", "unevaluatedItems", "unevaluatedProperties"}
) | {"exclusiveMinimum", "exclusiveMaximum", "minContains", "maxContains"}


class _Violation(Exception):
    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"At path '{path or 'root'}': {message}")


def mfjs_problem(schema: object, *, level: Level = "strict") -> str | None:
    """The first violation as `At path 'P': M`, or `None` for a schema that passes.

    "strict" is what user reports quote: a type in every subschema, none beside `anyOf` or `$ref`, no unsupported words.
    "lite", the validator's newest default, only wants keywords of the right JSON type, references that resolve and no
    endless recursion. Limits are those of its code: depth 30, 3000 properties, 1000 enum values, 500 branches, 120 kB.

    >>> mfjs_problem({"type": "object", "properties": {"x": {}}})
    "At path 'properties.x': type is not defined"
    >>> mfjs_problem({"type": "object", "properties": {"x": {}}}, level="lite") is None
    True
    """
    try:
        if not is_object(schema):
            raise _Violation("", "schema must be an object")
        if len(encode(schema).encode()) > MAX_BYTES:
            raise _Violation("", "schema exceeds maximum allowed size")
        if schema:
            _Check(schema, level).node(schema, "", 0)
            if not has_values(schema):
                raise _Violation("", "detected infinite recursion without termination condition")
    except (_Violation, RecursionError) as violation:
        return str(violation) if isinstance(violation, _Violation) else "At path 'root': schema is nested too deep"
    return None


def _join(path: str, *steps: object) -> str:
    return ".".join([path, *map(str, steps)] if path else map(str, steps))


class _Check:
    def __init__(self, root: Json, level: Level) -> None:
        self.root, self.strict, self.properties = root, level == "strict", 0

    def node(self, node: Json, path: str, depth: int) -> None:
        """Check one subschema and what is in it."""
        if depth > MAX_DEPTH:
            raise _Violation(path, f"schema depth exceeds maximum limit of {MAX_DEPTH}")
        for keyword, check in KEYWORDS.items():
            if keyword in node:
                check(self, node[keyword], path)
        if self.strict:
            self._strictly(node, path)
        for step, child in children(node):
            self.node(child, _join(path, step), depth + 1)

    def _strictly(self, node: Json, path: str) -> None:
        for keyword, place in (("$ref", "referenced schema"), ("anyOf", "anyOf items")):
            if keyword in node:
                self._alone(node, path, keyword, place)
                return
        if "type" not in node:
            raise _Violation(path, "type is not defined")
        self._keywords(node, path)
        _check_required(node, path)
        if "enum" in node:
            _check_enum_kinds(node["enum"], path)

    def _alone(self, node: Json, path: str, keyword: str, place: str) -> None:
        if "type" in node:
            raise _Violation(
                path, f"when using {keyword}, type should be defined in {_article(place)} instead of the parent schema"
            )
        allowed = {keyword, "description", "title"} | ({"$defs", "$id", "$schema"} if not path else set[str]())
        for other in node:
            if other not in allowed:
                raise _Violation(path, f"keyword '{other}' is not allowed at the same level as {keyword}")
        if keyword == "$ref":
            self._check_chain(node, path)

    def _check_chain(self, node: Json, path: str) -> None:
        """A description may stand at one level only of a `$ref` that leads to another `$ref`."""
        seen = [node]
        while "$ref" in seen[-1]:
            target = resolve(self.root, str(seen[-1]["$ref"]))
            if target is None or any(target is old for old in seen):
                break
            seen.append(target)
        links = [link for link in seen if "$ref" in link]
        for keyword in ("description", "title"):
            if len(links) > 1 and sum(keyword in link for link in links) > 1:
                text = f'keyword "{keyword}" appears at multiple levels in a chained "$ref"; keep it in only one place'
                raise _Violation(path, f"conflicting keywords found after $ref expansion: {text}")

    def _keywords(self, node: Json, path: str) -> None:
        types: list[Any] = node["type"] if is_array(node["type"]) else [node["type"]]
        fitting = frozenset[str]().union(*(FITTING.get(str(kind), frozenset()) for kind in types))
        wrong = [key for key in node if key in REFUSED or (key in TYPED and key not in fitting)]
        wrong += [key for key in node if key in ("$defs", "$id") and path]
        if wrong:
            raise _Violation(path, f"invalid keywords: {', '.join(sorted(wrong))}")

    # One check for each keyword whose value must have a certain JSON type.

    def type(self, value: Any, path: str) -> None:
        kinds: list[Any] = value if is_array(value) else [value]
        if not kinds:
            raise _Violation(path, "type array cannot be empty")
        for kind in kinds:
            if not isinstance(kind, str):
                raise _Violation(path, "type must be string or array of strings")
            if kind not in TYPES:
                raise _Violation(path, f"invalid type: {kind}")

    def props(self, value: Any, path: str) -> None:
        if not is_object(value):
            raise _Violation(_join(path, "properties"), "properties must be an object")
        for name, sub in value.items():
            if not is_object(sub):
                raise _Violation(_join(path, "properties"), f"property schema for '{name}' must be an object")
        self.properties += len(value)
        if self.properties > MAX_PROPERTIES:
            raise _Violation(path, f"schema cannot have more than {MAX_PROPERTIES} properties")

    def required(self, value: Any, path: str) -> None:
        if not is_array(value):
            raise _Violation(_join(path, "required"), "required must be an array")
        if not all(isinstance(name, str) for name in value):
            raise _Violation(_join(path, "required"), "items in required array must be strings")

    def items(self, value: Any, path: str) -> None:
        if not is_object(value):
            raise _Violation(_join(path, "items"), "items must be an object")

    def any_of(self, value: Any, path: str) -> None:
        if not is_array(value):
            raise _Violation(_join(path, "anyOf"), "anyOf must be an array")
        if not 1 <= len(value) <= MAX_ANY_OF:
            raise _Violation(_join(path, "anyOf"), f"anyOf must have 1-{MAX_ANY_OF} items")
        if not all(is_object(branch) for branch in value):
            raise _Violation(_join(path, "anyOf"), "schema in anyOf must be an object")

    def enum(self, value: Any, path: str) -> None:
        if not is_array(value):
            raise _Violation(_join(path, "enum"), "enum must be an array")
        if not value:
            raise _Violation(_join(path, "enum"), "enum array cannot be empty")
        if len(value) > MAX_ENUM:
            raise _Violation(_join(path, "enum"), f"enum array cannot have more than {MAX_ENUM} items")

    def additional(self, value: Any, path: str) -> None:
        if not isinstance(value, bool) and not is_object(value):
            raise _Violation(_join(path, "additionalProperties"), "additionalProperties must be a boolean or an object")

    def ref(self, value: Any, path: str) -> None:
        where = _join(path, "$ref")
        if not isinstance(value, str):
            raise _Violation(where, "$ref must be a string")
        if value != "#" and not value.startswith("#/$defs/"):
            raise _Violation(where, "references must start with #/$defs/")
        if resolve(self.root, value) is None:
            raise _Violation(where, f"$defs not found for reference: {value}")

    def defs(self, value: Any, path: str) -> None:
        if not is_object(value):
            raise _Violation(_join(path, "$defs"), "$defs must be an object")
        for name, sub in value.items():
            if "/" in name:
                raise _Violation(_join(path, "$defs"), f"$defs property name '{name}' cannot contain '/' character")
            if not is_object(sub):
                raise _Violation(_join(path, "$defs"), f"property schema for '{name}' must be an object")


KEYWORDS: Mapping[str, Callable[[_Check, Any, str], None]] = {
    "type": _Check.type,
    "properties": _Check.props,
    "required": _Check.required,
    "items": _Check.items,
    "anyOf": _Check.any_of,
    "enum": _Check.enum,
    "additionalProperties": _Check.additional,
    "$ref": _Check.ref,
    "$defs": _Check.defs,
}


def _article(place: str) -> str:
    return f"the {place}" if place.startswith("referenced") else place


def _check_required(node: Json, path: str) -> None:
    if not node.get("required"):
        return
    where = _join(path, "required")
    if "properties" not in node:
        raise _Violation(where, "required specified but 'properties' keyword is missing")
    for name in node["required"]:
        if not name:
            raise _Violation(where, "property names in required array cannot be empty")
        if name not in node["properties"]:
            raise _Violation(where, f"required property '{name}' is not defined in properties")


def _check_enum_kinds(values: list[Any], path: str) -> None:
    kinds = {"number" if isinstance(v, float | int) and not isinstance(v, bool) else type(v).__name__ for v in values}
    if not kinds <= {"number", "str"} or len(kinds) > 1:
        raise _Violation(_join(path, "enum"), "enum values must be integers, numbers or strings of one type")
