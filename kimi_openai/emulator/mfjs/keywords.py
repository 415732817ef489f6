"""The rules about the value of each keyword and about what may stand beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kimi_openai.emulator.json_values import Json, is_array, is_object

from .context import ANNOTATIONS, ROOT_ONLY, Context, Path, Violation, is_addressable
from .types import check_enum_types, matches_type

__all__ = ["check_branches", "check_keywords"]

MAX_ENUM, MAX_ANY_OF = 1000, 500
"""Limits of the published validator."""

RESERVED_NAMES = frozenset({"$defs", "$ref", "additionalProperties", "anyOf", "required"})
"""Names that a property must not have from level strict on."""


def check_keywords(node: Json, path: Path, context: Context) -> None:
    """Check the value of each known keyword of one subschema."""
    for keyword in sorted(node):
        if keyword in RULES:
            RULES[keyword](node[keyword], node, (*path, keyword), context)


def check_branches(node: Json, path: Path, context: Context) -> None:
    """Check that no branch of `anyOf` repeats a keyword that stands beside `anyOf`; annotations count only at ultra."""
    beside = node.keys() - {"anyOf"} - (frozenset() if context.is_ultra else ANNOTATIONS)
    for branch in node.get("anyOf", ()):
        if repeated := sorted(beside & branch.keys()):
            names = ", ".join(repeated)
            raise Violation(
                path,
                f"conflicting keywords found in anyOf with parent: keywords ({names}) are defined on the parent schema "
                "and inside anyOf; remove them from the parent or from anyOf branches",
            )


def _type(value: Any, _: Json, path: Path, context: Context) -> None:
    if not isinstance(value, str) and not is_array(value):
        raise Violation(path[:-1], "type must be string or array of strings")
    if context.is_ultra and is_array(value) and len(set(value)) < len(value):
        raise Violation(path, "duplicate types in type array")


def _properties(value: Any, _: Json, path: Path, context: Context) -> None:
    if not is_object(value):
        raise Violation(path, "properties must be an object")
    for name, schema in value.items():
        if not name and context.is_ultra:
            raise Violation(path, "property name cannot be empty")
        if name in RESERVED_NAMES and context.is_strict:
            raise Violation(path, f"property name '{name}' is reserved for JSON Schema keywords")
        if not is_object(schema):
            raise Violation(path, f"property schema for '{name}' must be an object")


def _required(value: Any, node: Json, path: Path, context: Context) -> None:
    if not is_array(value):
        raise Violation(path, "required must be an array")
    if not all(isinstance(name, str) for name in value):
        raise Violation(path, "items in required array must be strings")
    if not value:
        return
    if context.is_ultra and "" in value:
        raise Violation(path, "property names in required array cannot be empty")
    if context.is_ultra and (twice := next((name for name in value if value.count(name) > 1), None)):
        raise Violation(path, f"duplicate items in required array: {twice}")
    _check_address(path, context)
    properties = node.get("properties")
    if context.is_ultra and node.get("type") not in ("object", ["object"]):
        raise Violation(path, "required keyword must be used with object")
    if context.is_ultra and not is_object(properties):
        raise Violation(path, "required specified but 'properties' keyword is missing")
    for name in value:
        if not is_object(properties) or name not in properties:
            raise Violation(path, f"required property '{name}' is not defined in properties")


def _enum(value: Any, node: Json, path: Path, context: Context) -> None:
    if not is_array(value):
        raise Violation(path, "enum must be an array")
    if not value:
        raise Violation(path, "enum array cannot be empty")
    if len(value) > MAX_ENUM:
        raise Violation(path, f"enum array cannot have more than {MAX_ENUM} items")
    _check_address(path, context)
    if "type" not in node:
        raise Violation(path[:-1], "type is not defined")
    _type(node["type"], node, (*path[:-1], "type"), context)
    kinds: list[str] = node["type"] if is_array(node["type"]) else [node["type"]]
    check_enum_types(kinds, path[:-1])
    for item in value:
        if not any(matches_type(item, kind, path) for kind in kinds):
            raise Violation(path, f"enum value ({_as_go(item)}) does not match any type in [{' '.join(kinds)}]")


def _items(value: Any, _: Json, path: Path, __: Context) -> None:
    if not is_object(value):
        raise Violation(path, "items must be an object")


def _ref(value: Any, node: Json, path: Path, context: Context) -> None:
    if not isinstance(value, str):
        raise Violation(path, "$ref must be a string")
    if value != "#":
        if not value.startswith("#/$defs/"):
            raise Violation(path, "references must start with #/$defs/")
        if value == "#/$defs/":
            raise Violation(path, "definition name cannot be empty")
        if "$defs" not in context.root:
            raise Violation(path, f"$defs not found for reference: {value}")
        _check_address(path, context)
        _check_siblings(node, path, context)
    context.references.add(value)


def _any_of(value: Any, node: Json, path: Path, context: Context) -> None:
    if not is_array(value):
        raise Violation(path, "anyOf must be an array")
    if not 1 <= len(value) <= MAX_ANY_OF:
        raise Violation(path, f"anyOf must have 1-{MAX_ANY_OF} items")
    if not all(is_object(branch) for branch in value):
        raise Violation(path, "schema in anyOf must be an object")
    _check_address(path, context)
    _check_siblings(node, path, context)


def _additional_properties(value: Any, _: Json, path: Path, __: Context) -> None:
    if not isinstance(value, bool) and not is_object(value):
        raise Violation(path, "additionalProperties must be a boolean or an object")


def _defs(value: Any, _: Json, path: Path, __: Context) -> None:
    if not is_object(value):
        raise Violation(path, "$defs must be an object")
    for name, schema in value.items():
        if not name:
            raise Violation(path, "$defs property name cannot be empty")
        _check_slash(name, path)
        if not is_object(schema):
            raise Violation(path, f"$defs schema must be object: {name}")
        _check_keys(schema, (*path, name))


def _check_keys(node: Json, path: Path) -> None:
    """Check that no key below `$defs` has a slash in it, as a reference could not name it."""
    for key, value in node.items():
        _check_slash(key, path[:-1])
        parts = [(key, value)] if is_object(value) else []
        parts += [(f"{key}[{index}]", item) for index, item in enumerate(value)] if is_array(value) else []
        for step, part in parts:
            if is_object(part):
                _check_keys(part, (*path, step))


def _check_slash(name: str, path: Path) -> None:
    if "/" in name:
        raise Violation(path, f"$defs property name '{name}' cannot contain '/' character")


def _check_siblings(node: Json, path: Path, context: Context) -> None:
    """At ultra, only annotations stand beside `$ref` and `anyOf`."""
    keyword, is_root = path[-1], len(path) == 1
    allowed = {keyword, *ANNOTATIONS, *(ROOT_ONLY if is_root else ())}
    if context.is_ultra and (others := sorted(node.keys() - allowed)):
        raise Violation(path[:-1], f"keyword '{others[0]}' is not allowed at the same level as {keyword}")


def _check_address(path: Path, context: Context) -> None:
    if not is_addressable(context.root, path[:-1]):
        raise Violation(path, f"invalid path: {'.'.join(path[:-1])}")


def _text(value: Any, _: Json, path: Path, __: Context) -> None:
    if not isinstance(value, str) and not (value is None and path[-1] != "description"):
        raise Violation(path, f"{path[-1]} must be a string")


def _as_go(value: Any) -> str:
    """A value as Go prints it, because the validator is written in Go."""
    if value is None or isinstance(value, bool):
        return "<nil>" if value is None else str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


Rule = Callable[[Any, Json, Path, Context], None]
"""Checks a value: the value, the subschema around it, the path of the value, and the context."""

RULES: Mapping[str, Rule] = {
    "type": _type,
    "properties": _properties,
    "required": _required,
    "enum": _enum,
    "items": _items,
    "$ref": _ref,
    "anyOf": _any_of,
    "additionalProperties": _additional_properties,
    "$defs": _defs,
    "description": _text,
    "$id": _text,
    "pattern": _text,
}
