"""References: where a JSON pointer leads, and which `$defs` a finished schema still needs.

MFJS knows `$ref` as `#` or `#/$defs/<name>` and nothing else. Non-recursive references are replaced by what they mean,
as the official clients do, because models read that more reliably; recursive ones stay, made to end. Input is either
raw JSON (`find`) or finished nodes by their reference, the root under `#` (the rest).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from .schema_nodes import Node, anything, described, is_list, is_map, join, spelled

__all__ = ["MISSING", "ROOT", "attach", "end_recursion", "find", "free_name", "inline", "measure"]

ROOT = "#"
MISSING = object()
MOST_INLINED = 500
"""Subschemas a schema may have after inlining; a chain of shared definitions would otherwise double at every link."""


def find(document: object, ref: str) -> Any:
    """What a local reference points at, `MISSING` if that is nothing or elsewhere.

    >>> find({"$defs": {"a/b": {"type": "string"}}}, "#/$defs/a~1b")
    {'type': 'string'}
    """
    if ref in (ROOT, "#/"):
        return document
    if not ref.startswith("#/"):
        return MISSING
    here: Any = document
    for token in ref[2:].split("/"):
        token = unquote(token).replace("~1", "/").replace("~0", "~")
        if is_map(here) and token in here:
            here = here[token]
        elif is_list(here) and token.isdecimal() and int(token) < len(here):
            here = here[int(token)]
        else:
            return MISSING
    return here


def free_name(ref: str, taken: Collection[str]) -> str:
    """A legal reference for a pointer, not yet taken. The server looks names up raw, so only the plainest characters
    stay.

    >>> free_name("#/definitions/Page~1List[int]", {"#/$defs/Page_List_int_"})
    '#/$defs/Page_List_int__2'
    """
    last = unquote(ref.rsplit("/", 1)[-1]).replace("~1", "/").replace("~0", "~")
    base = name = f"{ROOT}/$defs/" + (re.sub(r"[^A-Za-z0-9_-]", "_", last) or "_")
    count = 1
    while name in taken:
        count += 1
        name = f"{base}_{count}"
    return name


def children(node: Node) -> Iterator[Node]:
    """The subschemas right below a finished node."""
    yield from node.get("properties", {}).values()
    yield from node.get("anyOf", ())
    yield from (node[key] for key in ("items", "additionalProperties") if is_map(node.get(key)))


def mapped(node: Node, change: Callable[[Node], Node]) -> Node:
    """A copy of the node with its subschemas changed."""
    node = dict(node)
    if "properties" in node:
        node["properties"] = {name: change(child) for name, child in node["properties"].items()}
    if "anyOf" in node:
        node["anyOf"] = [change(child) for child in node["anyOf"]]
    return node | {key: change(node[key]) for key in ("items", "additionalProperties") if is_map(node.get(key))}


def references(node: Node) -> set[str]:
    """Every `$ref` in the node."""
    found = {node["$ref"]} if "$ref" in node else set[str]()
    return found.union(*map(references, children(node)))


def reachable(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    """The references that one leads to, itself only if it comes back."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        new = edges[todo.pop()] - seen
        seen |= new
        todo += sorted(new)
    return seen


def attach(nodes: Mapping[str, Node]) -> Node:
    """The root with the definitions that it leads to."""
    needed = reachable(ROOT, {ref: references(node) for ref, node in nodes.items()}) - {ROOT}
    defs = {ref.rpartition("/")[2]: node for ref, node in nodes.items() if ref in needed}
    return {**nodes[ROOT], "$defs": defs} if defs else nodes[ROOT]


def inline(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """The nodes with every reference replaced that is not recursive; all as they were if that grows out of bounds."""
    edges = {ref: references(node) for ref, node in nodes.items()}
    recursive = {ref for ref in nodes if ref in reachable(ref, edges)}
    sizes: dict[str, int] = {}

    def size(node: Node) -> int:
        ref = node.get("$ref")
        if ref is None or ref in recursive:
            return 1 + sum(map(size, children(node)))
        if ref not in sizes:
            sizes[ref] = size(nodes[ref])
        return sizes[ref]

    def meant(node: Node) -> Node:
        if "$ref" in node:
            return node if node["$ref"] in recursive else meant(nodes[node["$ref"]])
        if "anyOf" not in node:
            return mapped(node, meant)
        return spelled(described(join(map(meant, node["anyOf"])), node.get("description")))

    kept = [ROOT, *sorted(recursive - {ROOT})]
    if sum(size(nodes[ref]) for ref in kept) > MOST_INLINED:
        return dict(nodes)
    return {ref: meant(nodes[ref]) for ref in kept}


def end_recursion(nodes: dict[str, Node], note: Callable[[str, str], None]) -> dict[str, Node]:
    """The nodes with every endless recursion broken ('detected infinite recursion without termination condition').

    A definition that no finite answer can satisfy because it requires itself no longer requires itself.
    """
    nodes = dict(nodes)
    while endless := [ref for ref in nodes if ref not in _ending(nodes)]:
        ending = _ending(nodes)
        nodes[endless[0]] = _relaxed(nodes[endless[0]], ending)
        where = endless[0].removeprefix("#").replace("/", ".").strip(".")
        note(f"{where}." if where else "", "it requires itself without end, so the recursive part became optional")
    return nodes


def _ending(nodes: Mapping[str, Node]) -> set[str]:
    """The references that a finite answer can satisfy: the least set closed under `_ends`."""
    ending: set[str] = set()
    while more := {ref for ref in nodes if ref not in ending and _ends(nodes[ref], ending)}:
        ending |= more
    return ending


def _ends(node: Node, ending: set[str]) -> bool:
    if "$ref" in node:
        return node["$ref"] in ending
    if "anyOf" in node:
        return any(_ends(branch, ending) for branch in node["anyOf"])
    if node["type"] == "array":
        return not node.get("minItems") or _ends(node.get("items", {"type": "null"}), ending)
    return all(_ends(node["properties"][name], ending) for name in node.get("required", ()))


def _relaxed(node: Node, ending: set[str]) -> Node:
    if "$ref" in node:
        return anything()
    if "anyOf" in node:
        return {**node, "anyOf": [_relaxed(branch, ending) for branch in node["anyOf"]]}
    if node["type"] == "array":
        return {key: value for key, value in node.items() if key != "minItems"}
    required = [name for name in node["required"] if _ends(node["properties"][name], ending)]
    rest = {key: value for key, value in node.items() if key != "required"}
    return {**rest, "required": required} if required else rest


def measure(node: Node) -> dict[str, int]:
    """How large the node is in the units that the server's validator counts."""
    most = {
        "levels of properties": 0,
        "properties": len(node.get("properties", ())),
        "values in an enum": len(node.get("enum", ())),
        "branches in an anyOf": len(node.get("anyOf", ())),
    }
    for child in (*children(node), *node.get("$defs", {}).values()):
        for unit, count in measure(child).items():
            most[unit] = most[unit] + count if unit == "properties" else max(most[unit], count)
    most["levels of properties"] += "properties" in node
    return most
