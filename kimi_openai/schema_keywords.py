"""Keywords of JSON Schema that hold no schemas: types, values, bounds, annotations, each read into MFJS on its own.

Tables first. A function gets the raw schema, the path for its notes and `note` to write them; none reads a subschema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, floor, isfinite
from typing import Any

from .schema_nodes import NOTHING, TYPES, Node, Note, branches, described, is_list, join, may_default, short

__all__ = ["IMPLIED", "annotated", "bounds", "literals", "types"]

IMPLIED = {
    **dict.fromkeys(("properties", "required", "additionalProperties", "patternProperties", "propertyNames"), "object"),
    **dict.fromkeys(("minProperties", "maxProperties", "dependentRequired", "dependentSchemas"), "object"),
    **dict.fromkeys(("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"), "array"),
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"), "string"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "number"),
}
"""The type that a keyword speaks of, for schemas that do not say one ('type is not defined')."""

_SAID_OTHERWISE = {
    **dict.fromkeys(("int", "long"), "integer"),
    **dict.fromkeys(("float", "double", "decimal"), "number"),
    "bool": "boolean",
    "list": "array",
    "dict": "object",
    "none": "null",
}
"""Types as hand-written tools spell them, in lower case; the last resort is a string, as in the official clients."""

_UNSAYABLE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("format", "contentEncoding", "contentMediaType"), ("string",)),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), ("number",)),
    "multipleOf": ("number", "integer"),
    "const": ("boolean",),
    **dict.fromkeys(("uniqueItems", "contains", "unevaluatedItems"), ("array",)),
    **dict.fromkeys(("minProperties", "maxProperties", "propertyNames", "patternProperties"), ("object",)),
    **dict.fromkeys(("dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties"), ("object",)),
    **dict.fromkeys(("not", "if", "$dynamicRef", "$recursiveRef"), (*TYPES, "integer")),
}
"""Keywords that MFJS lacks, by the types they bind. One with a plain value is told in the description instead."""

_SAYS_NOTHING: dict[str, tuple[object, ...]] = {
    "propertyNames": ({}, True, {"type": "string"}),
    "minProperties": (0,),
    **dict.fromkeys(("uniqueItems", "exclusiveMinimum", "exclusiveMaximum", "not"), (False,)),
    "unevaluatedProperties": (True, {}, False),
    "unevaluatedItems": (True, {}),
    **dict.fromkeys(("patternProperties", "dependentRequired", "dependentSchemas", "dependencies"), ({},)),
}
"""Values of those keywords that bind nothing; zod writes `propertyNames: {"type": "string"}` on every record."""


def types(raw: Node, path: str, note: Note) -> list[str] | None:
    """The types that `type` names, None if it names none."""
    said = raw.get("type")
    if isinstance(said, str) and said in (*TYPES, "integer"):
        return [said]
    kinds: list[str] = []
    for kind in said if is_list(said) else [] if said is None else [said]:
        known = str(kind).lower()
        if known == "any":
            return None
        if kind not in (*TYPES, "integer"):
            kind = known if known in (*TYPES, "integer") else _SAID_OTHERWISE.get(known, "string")
            note(path, f"there is no type {short(said)}; {kind} is taken for it")
        if kind not in kinds:
            kinds.append(kind)
    return kinds or None


def literals(values: list[Any], path: str, note: Note) -> Node:
    """The values as a union of enums of one kind each ('enum' takes only strings, integers or floats, never mixed).

    >>> literals(["a", 1, None, "a"], "", print)
    {'anyOf': [{'type': 'string', 'enum': ['a']}, {'type': 'integer', 'enum': [1]}, {'type': 'null'}]}
    """
    kinds: dict[type[Any], list[Any]] = {}
    for value in values:
        same = kinds.setdefault(value.__class__, [])
        if value not in same:
            same.append(value)
    return join(node for kind, same in kinds.items() for node in _of_kind(kind, same, path, note))


def _of_kind(kind: type[Any], values: list[Any], path: str, note: Note) -> Iterator[Node]:
    name = {str: "string", int: "integer", float: "number"}.get(kind)
    if name:
        finite = [value for value in values if name == "string" or isfinite(value)]
        yield {"type": name, "enum": finite} if finite else NOTHING
    elif kind is bool:
        yield {"type": "boolean"}
        if len(values) == 1:
            note(path, f"only {short(values[0])} is allowed, MFJS cannot single out a boolean")
    elif kind is dict:
        yield from (_object(value, path, note) for value in values)
    elif kind is list:
        yield from (_array(value, path, note) for value in values)
    elif values == [None]:
        yield {"type": "null"}
    else:
        note(path, f"{short(values[0])} is no JSON value, so it cannot be answered")


def _object(value: Node, path: str, note: Note) -> Node:
    fields = {name: literals([item], path, note) for name, item in value.items()}
    required = [name for name in fields if name]
    if "" in fields:
        note(path, "a property without a name cannot be required")
    listed: Node = {**({"properties": fields} if fields else {}), **({"required": required} if required else {})}
    return {"type": "object", **listed, "additionalProperties": False}


def _array(value: list[Any], path: str, note: Note) -> Node:
    items = literals(value, path, note)
    if "anyOf" in items or len(items.get("enum", ())) > 1:
        note(path, f"the order in {short(value)} is not enforced")
    size = len(value)
    return (
        {"type": "array", "items": items, "minItems": size, "maxItems": size}
        if value
        else {"type": "array", "maxItems": 0}
    )


_BOUNDS: dict[str, tuple[tuple[str, Callable[[float], int] | None], ...]] = {
    "string": (("minLength", ceil), ("maxLength", floor)),
    "array": (("minItems", ceil), ("maxItems", floor)),
    "integer": (("minimum", ceil), ("maximum", floor)),
    "number": (("minimum", None), ("maximum", None)),
}
"""The bounds of each type, with the way to a whole number where it has to be one."""

_EXCLUSIVE: dict[str, Callable[[float], float]] = {
    "exclusiveMinimum": lambda bound: floor(bound) + 1,
    "exclusiveMaximum": lambda bound: ceil(bound) - 1,
}

_BOUNDING = {*_EXCLUSIVE, *(keyword for pairs in _BOUNDS.values() for keyword, _whole in pairs)}


def bounds(kind: str, raw: Node, path: str, note: Note) -> Node:
    """The bounds of a type. An exclusive one is exact for integers and inclusive for numbers; draft 4's booleans count.

    >>> bounds("integer", {"minimum": 0, "exclusiveMinimum": True, "exclusiveMaximum": 9.5}, "", print)
    {'minimum': 1, 'maximum': 9}
    """
    node: Node = {}
    if raw.keys().isdisjoint(_BOUNDING):
        return node
    for keyword, whole in _BOUNDS[kind]:
        found = [value] if (value := _number(keyword, raw, path, note)) is not None else []
        exclusive = f"exclusive{keyword[0].upper()}{keyword[1:]}"
        step = _EXCLUSIVE.get(exclusive)
        if step and (edge := _edge(exclusive, keyword, raw, path, note)) is not None:
            found.append(edge if whole is None else step(edge))
        if found:
            tightest = max(found) if keyword.startswith("min") else min(found)
            node[keyword] = tightest if whole is None else whole(tightest)
    if kind in ("string", "array"):
        node = {keyword: bound for keyword, bound in node.items() if bound > 0 or keyword.startswith("max")}
    return node


def _number(keyword: str, raw: Node, path: str, note: Note) -> float | None:
    value = raw.get(keyword)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
        return value
    if value is not None:
        note(path, f"{keyword} {short(value)} is not a number; it is not enforced")
    return None


def _edge(exclusive: str, keyword: str, raw: Node, path: str, note: Note) -> float | None:
    if isinstance(raw.get(exclusive), bool):
        return _number(keyword, raw, path, note) if raw[exclusive] else None
    return _number(exclusive, raw, path, note)


def annotated(raw: Node, node: Node, path: str, note: Note) -> Node:
    """The node with its default and its description, which also tells what only words can say.

    A default stays where the validator allows one, on a plain value; elsewhere it is told ('default' beside anyOf is
    not allowed, and null says no more than that the property is optional).
    """
    told = [] if raw.keys().isdisjoint(_UNSAYABLE) else list(_untold(raw, node, path, note))
    default = raw.get("default")
    if default is not None:
        alternatives = branches(node)
        home = next((index for index, branch in enumerate(alternatives) if may_default(branch, default)), None)
        if home is None:
            told.append(f"default: {short(default)}")
        else:
            alternatives[home] = {**alternatives[home], "default": default}
            node = {**node, "anyOf": alternatives} if "anyOf" in node else alternatives[0]
    text = raw.get("description")
    text = text if isinstance(text, str) else ""
    return described(node, f"{text} ({'; '.join(told)})".strip() if told else text)


def _untold(raw: Node, node: Node, path: str, note: Note) -> Iterator[str]:
    """What the description has to tell, each with its note."""
    kinds = {branch.get("type") for branch in branches(node)}
    for keyword, bound in _UNSAYABLE.items():
        value = raw.get(keyword)
        free = any(value == other and type(value) is type(other) for other in _SAYS_NOTHING.get(keyword, ()))
        if value is None or free or not (None in kinds or kinds & {*bound}):
            continue
        if isinstance(value, (str, int, float)):
            note(path, f"{keyword} {short(value)} is told in the description, not enforced")
            yield f"{keyword}: {value if isinstance(value, str) else short(value)}"
        else:
            note(path, f"{keyword} is not enforced, MFJS has no such keyword")
