"""How the parts of a JSON schema hang together: subschemas, references, and whether recursion can end.

Pure reading for the MFJS check; keyword values are taken to have been checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from .wire import Json, is_object

__all__ = ["children", "has_values", "resolve"]


def children(node: Json) -> Iterator[tuple[str, Json]]:
    """The subschemas of a node with the path steps to them; `additionalProperties: {}` allows anything and is none."""
    for keyword in ("properties", "$defs"):
        for name, sub in node.get(keyword, {}).items():
            yield f"{keyword}.{name}", sub
    for keyword in ("items", "additionalProperties"):
        if is_object(node.get(keyword)) and (node[keyword] or keyword == "items"):
            yield keyword, node[keyword]
    for index, branch in enumerate(node.get("anyOf", ())):
        yield f"anyOf.{index}", branch


def resolve(root: Json, ref: str) -> Json | None:
    """The target of `#` or `#/$defs/<name>`, if there is one."""
    if ref == "#":
        return root
    found = root.get("$defs", {}).get(ref.removeprefix("#/$defs/"))
    return found if is_object(found) else None


def has_values(root: Json) -> bool:
    """Whether a finite value of the schema exists, following only what every value must contain.

    >>> has_values({"properties": {"next": {"$ref": "#"}}, "required": ["next"]})
    False
    """
    finite: set[int] = set()
    nodes = list(_all_nodes(root))
    for _ in nodes:
        grown = {id(node) for node in nodes if id(node) in finite or _is_finite(root, node, finite)}
        if grown == finite:
            break
        finite = grown
    return id(root) in finite


def _is_finite(root: Json, node: Json, finite: set[int]) -> bool:
    if "$ref" in node:
        return id(resolve(root, str(node["$ref"]))) in finite
    if "anyOf" in node:
        return any(id(branch) in finite for branch in node["anyOf"])
    if node.get("minItems", 0) and is_object(node.get("items")) and id(node["items"]) not in finite:
        return False
    properties = node.get("properties", {})
    return all(id(properties[name]) in finite for name in node.get("required", ()) if name in properties)


def _all_nodes(node: Json) -> Iterator[Json]:
    yield node
    for _, child in children(node):
        yield from _all_nodes(child)
