"""The rules about types: which types there are, which keywords and enums go with them, and at ultra their bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kimi_openai.emulator.json_values import Json, is_array, is_object

from .context import ANNOTATIONS, ROOT_ONLY, Context, Path, Violation

__all__ = ["check_enum_types", "check_supported", "check_types", "matches_type"]

ALWAYS = ANNOTATIONS | {"type", "default"}

KEYWORDS: Mapping[str, frozenset[str]] = {
    "object": ALWAYS | {"properties", "required", "additionalProperties", "$ref", "anyOf"},
    "array": ALWAYS | {"items", "minItems", "maxItems", "$ref"},
    "string": ALWAYS | {"minLength", "maxLength", "pattern", "enum"},
    "number": ALWAYS | {"minimum", "maximum", "enum"},
    "integer": ALWAYS | {"minimum", "maximum", "enum"},
    "boolean": ALWAYS | {"enum"},
    "null": ALWAYS | {"enum"},
}
"""The types, each with the keywords that it may have."""

SUPPORTED = frozenset[str]().union(*KEYWORDS.values()) | ROOT_ONLY

RANGES = (("minLength", "maxLength"), ("minimum", "maximum"), ("minItems", "maxItems"))


def check_supported(node: Json, path: Path, context: Context) -> None:
    """At ultra, refuse keywords that MFJS does not have."""
    if context.is_ultra and (unknown := sorted(node.keys() - SUPPORTED)):
        raise Violation(path, f"unsupported keywords: {', '.join(unknown)}")


def check_types(node: Json, path: Path, context: Context) -> None:
    """Check the types of one subschema against its other keywords. A `type` of a wrong kind is refused elsewhere."""
    if "type" not in node:
        return
    for keyword, place in (("anyOf", "anyOf items"), ("$ref", "the referenced schema")):
        if keyword in node:
            text = f"when using {keyword}, type should be defined in {place} instead of the parent schema"
            raise Violation(path, text)
    types = _types(node["type"], path)
    if len(types) > 1:
        _check_several(types, node, path, context)
    if types and context.is_ultra:
        _check_ultra(types, node, path)


def _types(value: Any, path: Path) -> Sequence[str]:
    if isinstance(value, str):
        if value not in KEYWORDS:
            raise Violation(path, "invalid type")
        return (value,)
    if not is_array(value):
        return ()
    if not value:
        raise Violation(path, "type array cannot be empty")
    if not all(isinstance(each, str) and each in KEYWORDS for each in value):
        raise Violation(path, "invalid type in type array")
    return value


def _check_several(types: Sequence[str], node: Json, path: Path, context: Context) -> None:
    container = next((each for each in types if each in ("object", "array")), None)
    if "enum" in node and container:
        raise Violation(path, f"type {container} is not allowed in combination with enum")
    has_enum = len(types) == 2 and node.get("enum") is not None
    allowed = {"type", *ANNOTATIONS, *(() if path else ROOT_ONLY)}
    if context.is_strict and not has_enum and (others := sorted(node.keys() - allowed)):
        raise Violation(path, f"keyword {others[0]} is not allowed in combination with multiple types")


def _check_ultra(types: Sequence[str], node: Json, path: Path) -> None:
    if path and (misplaced := sorted(node.keys() & ROOT_ONLY)):
        raise Violation(path, f"keyword {misplaced[0]} must be at root level")
    if invalid := sorted(key for key in node.keys() - ROOT_ONLY if any(key not in KEYWORDS[each] for each in types)):
        raise Violation(path, f"invalid keywords: {', '.join(invalid)}")
    for low, high in RANGES:
        _check_range(low, high, node, path, is_whole=low != "minimum" or "integer" in types)


def _check_range(low: str, high: str, node: Json, path: Path, *, is_whole: bool) -> None:
    for keyword in (low, high):
        value = node.get(keyword)
        if value is None:
            continue
        if not _is_number(value):
            raise Violation(path, f"{keyword} must be {'an integer' if is_whole else 'a number'}")
        if value < 0 and low != "minimum":
            raise Violation(path, f"{keyword} must be non-negative")
        if is_whole and value != value // 1:
            raise Violation(path, "not a valid integer")
    least, most = node.get(low), node.get(high)
    if least is not None and most is not None and least > most:
        place = path if low == "minimum" else (*path, low)
        raise Violation(place, f"{low} ({least:g}) cannot be greater than {high} ({most:g})")


def check_enum_types(types: Sequence[str], path: Path) -> None:
    """Check the types of a subschema with an `enum`: one type, or a scalar type and null."""
    if len(types) > 2 or (len(types) == 2 and "null" not in types):
        raise Violation(
            path,
            "when type is array and enum is specified, currently only 2 types are supported, one must be null, and the "
            "other can be string/integer/number/boolean",
        )
    if len(types) == 2 and {*types} == {"null"}:
        raise Violation(path, "invalid type combination with enum:  + null")


def matches_type(value: Any, kind: str, path: Path) -> bool:
    """Whether a value of an `enum` has the type. The validator ends at a value that is not a number where it expects
    one, without a look at the other type."""
    if kind in ("number", "integer"):
        if not _is_number(value) or (kind == "integer" and value != value // 1):
            raise Violation(path, f"not a valid {kind}")
        return True
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "null":
        return value is None
    return isinstance(value, str) if kind == "string" else is_array(value) if kind == "array" else is_object(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
