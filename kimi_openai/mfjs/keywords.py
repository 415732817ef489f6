"""Keywords of JSON Schema that hold no schemas, read into MFJS: types, values, bounds, default and description.

Each function gets the raw schema, its path, and `note` for what is lost. None reads a subschema; `reader` does that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, floor, isfinite
from typing import Any

from kimi_openai._internal.json_values import is_array

from .nodes import NOTHING, TYPES, AddNote, Node, branches, can_be_default, described, short, union

__all__ = ["IMPLIED", "annotated", "bounds", "literals", "types"]

_NAMES = (*TYPES, "integer")

IMPLIED = {
    **dict.fromkeys(("properties", "required", "additionalProperties", "patternProperties", "propertyNames"), "object"),
    **dict.fromkeys(("minProperties", "maxProperties", "dependentRequired", "dependentSchemas"), "object"),
    **dict.fromkeys(("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"), "array"),
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"), "string"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "number"),
}
"""The type that a keyword is for, for schemas without `type` ('type is not defined')."""

_ALIASES = {
    **dict.fromkeys(("int", "long"), "integer"),
    **dict.fromkeys(("float", "double", "decimal"), "number"),
    "bool": "boolean",
    "list": "array",
    "dict": "object",
    "none": "null",
}
"""Names of types in hand-written tools, in lower case; any other name is a string, as in the official clients."""

_UNSUPPORTED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("format", "contentEncoding", "contentMediaType"), ("string",)),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), ("number",)),
    "multipleOf": ("number", "integer"),
    **dict.fromkeys(("uniqueItems", "contains", "unevaluatedItems"), ("array",)),
    **dict.fromkeys(("minProperties", "maxProperties", "propertyNames", "patternProperties"), ("object",)),
    **dict.fromkeys(("dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties"), ("object",)),
    **dict.fromkeys(("not", "if", "$dynamicRef", "$recursiveRef"), _NAMES),
}
"""Keywords that MFJS does not have, by the types that they are for. The description mentions those with a scalar
value."""

_WITHOUT_EFFECT: dict[str, tuple[object, ...]] = {
    "propertyNames": ({}, True, {"type": "string"}),
    "minProperties": (0,),
    **dict.fromkeys(("uniqueItems", "exclusiveMinimum", "exclusiveMaximum", "not"), (False,)),
    "unevaluatedProperties": (True, {}, False),
    "unevaluatedItems": (True, {}),
    **dict.fromkeys(("patternProperties", "dependentRequired", "dependentSchemas", "dependencies"), ({},)),
}
"""Values with which those keywords forbid nothing; zod writes `propertyNames: {"type": "string"}` in every record."""


def types(raw: Node, path: str, note: AddNote) -> list[str] | None:
    """The types that `type` names, `None` if it names none."""
    value = raw.get("type")
    kinds: list[str] = []
    for kind in value if is_array(value) else [] if value is None else [value]:
        lower = str(kind).lower()
        if lower == "any":
            return None
        if kind not in _NAMES:
            kind = lower if lower in _NAMES else _ALIASES.get(lower, "string")
            note(path, f"there is no type {short(value)}; {kind} is used instead")
        if kind not in kinds:
            kinds.append(kind)
    return kinds or None


def literals(values: list[Any], path: str, note: AddNote) -> Node:
    """The node that accepts these values only, with one enum per kind of value.

    In MFJS an enum has only strings, only integers or only floats. Objects and arrays become separate nodes.

    >>> literals(["a", 1, None, "a"], "", print)
    {'anyOf': [{'type': 'string', 'enum': ['a']}, {'type': 'integer', 'enum': [1]}, {'type': 'null'}]}
    """
    kinds: dict[type[Any], list[Any]] = {}
    for value in values:
        same = kinds.setdefault(value.__class__, [])
        if value not in same:
            same.append(value)
    return union(node for kind, same in kinds.items() for node in _literals_of(kind, same, path, note))


def _literals_of(kind: type[Any], values: list[Any], path: str, note: AddNote) -> Iterator[Node]:
    name = {str: "string", int: "integer", float: "number"}.get(kind)
    if name:
        finite = [value for value in values if name == "string" or isfinite(value)]
        yield {"type": name, "enum": finite} if finite else NOTHING
    elif kind is bool:
        yield {"type": "boolean", "enum": values} if len(values) == 1 else {"type": "boolean"}
    elif kind is dict:
        yield from (_object_literal(value, path, note) for value in values)
    elif kind is list:
        yield from (_array_literal(value, path, note) for value in values)
    elif values == [None]:
        yield {"type": "null"}
    else:
        note(path, f"{short(values[0])} is not a JSON value, so it cannot be answered")


def _object_literal(value: Node, path: str, note: AddNote) -> Node:
    fields = {name: literals([item], path, note) for name, item in value.items()}
    listed: Node = {"properties": fields, "required": [*fields]} if fields else {}
    return {"type": "object", **listed, "additionalProperties": False}


def _array_literal(value: list[Any], path: str, note: AddNote) -> Node:
    if not value:
        return {"type": "array", "maxItems": 0}
    items = literals(value, path, note)
    if "anyOf" in items or len(items.get("enum", ())) > 1:
        note(path, f"the order in {short(value)} is not enforced")
    return {"type": "array", "items": items, "minItems": len(value), "maxItems": len(value)}


_BOUNDS: dict[str, tuple[tuple[str, Callable[[float], int] | None], ...]] = {
    "string": (("minLength", ceil), ("maxLength", floor)),
    "array": (("minItems", ceil), ("maxItems", floor)),
    "integer": (("minimum", ceil), ("maximum", floor)),
    "number": (("minimum", None), ("maximum", None)),
}
"""The bounds of each type, with the rounding for bounds that must be whole numbers."""

_EXCLUSIVE: dict[str, tuple[str, Callable[[float], int]]] = {
    "minimum": ("exclusiveMinimum", lambda bound: floor(bound) + 1),
    "maximum": ("exclusiveMaximum", lambda bound: ceil(bound) - 1),
}
"""The exclusive form of a bound, and the inclusive bound that it is for integers."""


def bounds(kind: str, raw: Node, path: str, note: AddNote) -> Node:
    """The bounds of a type; exclusive ones become inclusive, which is exact for integers and wider for numbers.

    Draft 4's `exclusiveMinimum: true` beside `minimum` is read too.

    >>> bounds("integer", {"minimum": 0, "exclusiveMinimum": True, "exclusiveMaximum": 9.5}, "", print)
    {'minimum': 1, 'maximum': 9}
    """
    node: Node = {}
    for keyword, rounded in _BOUNDS[kind]:
        found = [value] if (value := _number(keyword, raw, path, note)) is not None else []
        if keyword in _EXCLUSIVE:
            exclusive, inclusive = _EXCLUSIVE[keyword]
            if (value := _exclusive_bound(exclusive, keyword, raw, path, note)) is not None:
                found.append(value if rounded is None else inclusive(value))
        if found:
            strictest = max(found) if keyword.startswith("min") else min(found)
            node[keyword] = strictest if rounded is None else rounded(strictest)
    if kind in ("string", "array"):
        node = {keyword: bound for keyword, bound in node.items() if bound > 0 or keyword.startswith("max")}
    return node


def _number(keyword: str, raw: Node, path: str, note: AddNote) -> float | None:
    value = raw.get(keyword)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
        return value
    if value is not None:
        note(path, f"{keyword} {short(value)} is not a number; it is not enforced")
    return None


def _exclusive_bound(exclusive: str, keyword: str, raw: Node, path: str, note: AddNote) -> float | None:
    if isinstance(raw.get(exclusive), bool):
        return _number(keyword, raw, path, note) if raw[exclusive] else None
    return _number(exclusive, raw, path, note)


def annotated(raw: Node, node: Node, path: str, note: AddNote) -> Node:
    """The node with its default and its description, which also mentions what no keyword can say.

    The default goes to the first branch that may have it ('default' beside anyOf is not allowed), else into the
    description. A default of null is dropped: it says only that the property is optional.
    """
    mentioned = list(_unsupported(raw, node, path, note))
    default = raw.get("default")
    if default is not None:
        alternatives = branches(node)
        place = next((index for index, branch in enumerate(alternatives) if can_be_default(branch, default)), None)
        if place is None:
            mentioned.append(f"default: {short(default)}")
        else:
            alternatives[place] = {**alternatives[place], "default": default}
            node = {**node, "anyOf": alternatives} if "anyOf" in node else alternatives[0]
    text = raw.get("description")
    text = text if isinstance(text, str) else ""
    return described(node, f"{text} ({'; '.join(mentioned)})".strip() if mentioned else text)


def _unsupported(raw: Node, node: Node, path: str, note: AddNote) -> Iterator[str]:
    """Notes the keywords that MFJS does not have; yields those that the description can mention."""
    if raw.keys().isdisjoint(_UNSUPPORTED):
        return
    kinds = {branch.get("type") for branch in branches(node)}
    for keyword, for_types in _UNSUPPORTED.items():
        value = raw.get(keyword)
        has_no_effect = any(value == each and type(value) is type(each) for each in _WITHOUT_EFFECT.get(keyword, ()))
        if value is None or has_no_effect or not (None in kinds or kinds & {*for_types}):
            continue
        if isinstance(value, (str, int, float)):
            note(path, f"{keyword} {short(value)} is only mentioned in the description, not enforced")
            yield f"{keyword}: {value if isinstance(value, str) else short(value)}"
        else:
            note(path, f"{keyword} is not enforced, MFJS has no such keyword")
