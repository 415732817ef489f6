"""The rules about references, checked after those about keywords: they resolve, add no conflict, and recursion ends.

The published validator decides about recursion more simply than logic does, and so do these rules: a required property
or list item that can end is enough for the whole object, and an empty list is no end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kimi_openai.emulator.json_values import Json, is_array, is_object

from .context import ANNOTATIONS, Context, Path, Violation, resolve

__all__ = ["check_references", "depth_of"]

MAX_STEPS = 500_000
"""Subschemas that `depth_of` visits at most: a chain of definitions that use the next one twice doubles at every link.
Source: the validator's documentation of July."""


def check_references(context: Context) -> None:
    """Check all references of a schema whose keywords have been checked."""
    for ref in sorted(context.references):
        _target(context.root, ref)
    try:
        may_end = _ends(context.root, context.root, set())
    except Violation:
        may_end = False
    _walk(context.root, (), context, must_end=not may_end)


def _target(root: Json, ref: str) -> Json:
    if ref != "#" and not ref.startswith("#/$defs/"):
        raise Violation(("$ref",), "only local references are supported")
    target = resolve(root, ref)
    if target is None:
        raise Violation((), f"invalid $ref path: {ref}")
    return target


def _walk(node: Json, path: Path, context: Context, *, must_end: bool) -> None:
    """Check the references in every object below `node`, whether it is a schema or not, except below `$defs`."""
    if "$ref" in node:
        expanded = _expanded(node["$ref"], path, context)
        _check_conflicts(node, expanded, path, context)
        if must_end and not _ends(context.root, expanded, set()):
            raise Violation(path, "detected infinite recursion without termination condition")
    for key, value in node.items():
        if is_object(value) and key != "$defs":
            is_optional = key == "additionalProperties" or (key == "properties" and node.get("required") == [])
            _walk(value, (*path, key), context, must_end=must_end and not is_optional)
        elif is_array(value) and key == "anyOf":
            for index, branch in enumerate(value):
                if is_object(branch):
                    _walk(branch, (*path, f"anyOf{{{index}}}"), context, must_end=must_end)


def _expanded(ref: Any, path: Path, context: Context) -> Json:
    """The schema at the end of a chain of references, with the annotations of the chain."""
    links: list[str] = []
    kept: Json = {}
    while True:
        if not isinstance(ref, str):
            raise Violation((*path, "$ref"), "$ref must be a string")
        links.append(ref)
        target = _target(context.root, ref)
        following = target.get("$ref")
        if following is None or following in links or target.keys() - ANNOTATIONS - {"$ref"}:
            return {**target, **kept}
        for keyword in sorted(target.keys() & ANNOTATIONS):
            if keyword in kept and context.is_ultra:
                text = f'keyword "{keyword}" appears at multiple levels in a chained "$ref"; keep it in only one place'
                place = tuple(links[-2 if len(links) > 1 else -1][2:].split("/"))
                raise Violation(place, f"conflicting keywords found after $ref expansion: {text}")
            kept.setdefault(keyword, target[keyword])
        ref = following


def _check_conflicts(node: Json, expanded: Json, path: Path, context: Context) -> None:
    """What stands beside a reference must not stand in its target too; annotations may, except at ultra."""
    beside = node.keys() - {"$ref"} - (frozenset() if context.is_ultra else ANNOTATIONS)
    if twice := sorted(beside & expanded.keys()):
        names = f"keywords ({', '.join(twice)}) are defined both alongside"
        text = f'{names} "$ref" and in the referenced schema; remove the duplicates'
        raise Violation(path, f"conflicting keywords found after $ref expansion: {text}")
    if ("type" in node and "anyOf" in expanded) or ("anyOf" in node and "type" in expanded):
        text = "when using anyOf, type should be defined in anyOf items instead of the parent schema"
        raise Violation(path, f"invalid schema after $ref expansion: ({text})")
    for branch in expanded.get("anyOf", ()):
        if is_object(branch) and (twice := sorted(beside & branch.keys() - {"anyOf"})):
            names = f"keywords ({', '.join(twice)}) are defined alongside"
            text = f'{names} "$ref" and inside anyOf in the referenced schema; define them in only one place'
            raise Violation(path, f"conflicting keywords found in anyOf after ref expansion: {text}")
    if len(path) > 1 and path[-2] != "properties" and not path[-1].startswith(("anyOf", "items", "additionalProp")):
        raise Violation(path, "$ref is not allowed in this schema.")


def _ends(root: Json, node: Json, seen: set[str]) -> bool:
    """Whether recursion ends somewhere below `node`. `seen` are the references that were followed."""
    if _is_end(node):
        return True
    if any(_ends(root, child, seen) for child in _needed(node)):
        return True
    ref = node.get("$ref")
    if not isinstance(ref, str) or ref in seen:
        return False
    seen.add(ref)
    return _ends(root, _target(root, ref), seen)


def _types(node: Json) -> set[str]:
    types: Any = node.get("type")
    return set(types if is_array(types) else () if types is None else (types,))


def _is_end(node: Json) -> bool:
    """Whether a value of the schema needs no value of another one."""
    types = _types(node)
    return (
        bool(types - {"object", "array"} or not node)
        or ("array" in types and not node.get("items"))
        or ("object" in types and (not node.get("required") or not node.get("properties")))
    )


def _needed(node: Json) -> Iterator[Json]:
    """The schemas of which a value needs one: items, required properties and branches."""
    types = _types(node)
    required: Any = node.get("required", ()) if "object" in types else ()
    named = [part for name, part in node.get("properties", {}).items() if name in required]
    for part in (node.get("items") if "array" in types else None, *named, *node.get("anyOf", ())):
        if is_object(part):
            yield part


def depth_of(root: Json, ref: str) -> int:
    """The levels of properties in the target of a reference, which is followed through its own references."""
    steps, unresolved = 0, dict[str, Any]()
    children: dict[int, list[tuple[int, Json]]] = {}  # by id(): every node belongs to `root`, or is `unresolved`

    def depth(node: Json, seen: frozenset[str]) -> int:
        nonlocal steps
        steps += 1
        if steps > MAX_STEPS:
            raise Violation((), "reference graph is too complex to validate within the step budget")
        most = 0
        following = node.get("$ref")
        if isinstance(following, str) and following not in seen:
            seen |= {following}
            most = depth(resolve(root, following) or unresolved, seen)
        if id(node) not in children:
            children[id(node)] = list(_children(node))
        for level, child in children[id(node)]:
            most = max(most, level + depth(child, seen))
        return most

    return depth(resolve(root, ref) or unresolved, frozenset())


def _children(node: Json) -> Iterator[tuple[int, Json]]:
    """The subschemas in which levels are counted, each with the levels that lead to it; lists are not looked into."""
    for keyword, levels in (("properties", 1), ("anyOf", 0)):
        parts: Any = node.get(keyword, ())
        yield from ((levels, part) for part in (parts.values() if is_object(parts) else parts) if is_object(part))
    others = node.get("additionalProperties")
    if is_object(others):
        yield 0, others
