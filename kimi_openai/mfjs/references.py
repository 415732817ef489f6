"""References: what a JSON pointer points to, and which `$defs` a finished schema needs.

In MFJS a `$ref` is `#` or `#/$defs/<name>`. References that are not recursive are replaced by what they point to, as
in the official clients, because models read that more reliably. Recursive ones stay, but must be able to end. `find`
reads raw JSON; the other functions take finished nodes by their reference, the root under `#`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import unquote

from kimi_openai._internal.json_values import is_array

from .nodes import AddNote, Node, anything, children, described, explicit, is_map, union, with_children

__all__ = ["MISSING", "ROOT", "attach", "end_recursion", "find", "free_name", "inline", "measure"]

ROOT = "#"
MISSING = object()
MOST_INLINED = 500
"""Subschemas that a schema may have after inlining; a chain of shared definitions would double at every link."""


def find(document: object, ref: str) -> Any:
    """What a reference points to in `document`, `MISSING` if it points to nothing or to another document.

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
        elif is_array(here) and token.isdecimal() and int(token) < len(here):
            here = here[int(token)]
        else:
            return MISSING
    return here


def free_name(ref: str, taken: Collection[str]) -> str:
    """A reference into `$defs` for a JSON pointer, not yet taken; only letters, digits, "_" and "-" stay in its name,
    because the server does not decode names.

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


def _references(node: Node) -> set[str]:
    """Every `$ref` in the node."""
    found = {node["$ref"]} if "$ref" in node else set[str]()
    return found.union(*map(_references, children(node)))


def _reachable(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    """The references that one leads to; itself only if it is recursive."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        new = edges[todo.pop()] - seen
        seen |= new
        todo += sorted(new)
    return seen


def attach(nodes: Mapping[str, Node]) -> Node:
    """The root with those definitions in `$defs` that it leads to."""
    needed = _reachable(ROOT, {ref: _references(node) for ref, node in nodes.items()}) - {ROOT}
    defs = {ref.rpartition("/")[2]: node for ref, node in nodes.items() if ref in needed}
    return {**nodes[ROOT], "$defs": defs} if defs else nodes[ROOT]


def inline(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """The nodes with all references replaced that are not recursive; the nodes as they were if that grows too large."""
    edges = {ref: _references(node) for ref, node in nodes.items()}
    recursive = {ref for ref in nodes if ref in _reachable(ref, edges)}
    sizes: dict[str, int] = {}

    def size(node: Node) -> int:
        ref = node.get("$ref")
        if ref is None or ref in recursive:
            return 1 + sum(map(size, children(node)))
        if ref not in sizes:
            sizes[ref] = size(nodes[ref])
        return sizes[ref]

    def resolved(node: Node) -> Node:
        if "$ref" in node:
            return node if node["$ref"] in recursive else resolved(nodes[node["$ref"]])
        if "anyOf" not in node:
            return with_children(node, resolved)
        return explicit(described(union(map(resolved, node["anyOf"])), node.get("description")))

    kept = [ROOT, *sorted(recursive - {ROOT})]
    if sum(size(nodes[ref]) for ref in kept) > MOST_INLINED:
        return dict(nodes)
    return {ref: resolved(nodes[ref]) for ref in kept}


def end_recursion(nodes: Mapping[str, Node], note: AddNote) -> dict[str, Node]:
    """The nodes without endless recursion ('detected infinite recursion without termination condition').

    A definition that no finite value can satisfy, because it requires itself, requires itself no longer. Where only
    empty lists end the recursion, they become separate alternatives: the validator sees no end in a list.
    """
    nodes = dict(nodes)
    while True:
        finite = _finite(nodes)
        endless = next((ref for ref in nodes if ref not in finite), None)
        if endless is None:
            return nodes if _has_end(nodes) else {ref: _with_empty_lists(node) for ref, node in nodes.items()}
        nodes[endless] = _relaxed(nodes[endless], finite)
        where = endless.removeprefix("#").replace("/", ".").strip(".")
        note(f"{where}." if where else "", "it requires itself without end, so the recursive part became optional")


def _finite(nodes: Mapping[str, Node]) -> set[str]:
    """The references that a finite value can satisfy."""
    finite: set[str] = set()
    while more := {ref for ref in nodes if ref not in finite and _is_finite(nodes[ref], finite)}:
        finite |= more
    return finite


def _is_finite(node: Node, finite: set[str]) -> bool:
    """Whether a finite value can satisfy the node, if it can satisfy the references in `finite`."""
    if "$ref" in node:
        return node["$ref"] in finite
    if "anyOf" in node:
        return any(_is_finite(branch, finite) for branch in node["anyOf"])
    if node.get("type") == "array":
        return not node.get("minItems") or _is_finite(node.get("items", {"type": "null"}), finite)
    return all(_is_finite(node["properties"][name], finite) for name in node.get("required", ()))


def _relaxed(node: Node, finite: set[str]) -> Node:
    """The node without the requirements that no finite value can satisfy."""
    if "$ref" in node:
        return anything()
    if "anyOf" in node:
        return {**node, "anyOf": [_relaxed(branch, finite) for branch in node["anyOf"]]}
    if node["type"] == "array":
        return {key: value for key, value in node.items() if key != "minItems"}
    required = [name for name in node["required"] if _is_finite(node["properties"][name], finite)]
    kept = {key: value for key, value in node.items() if key != "required"}
    return {**kept, "required": required} if required else kept


def _has_end(nodes: Mapping[str, Node]) -> bool:
    """Whether the validator finds an end: some value, needed in the root, that needs no other one."""
    seen = {ROOT}
    todo = [nodes[ROOT]]
    while todo:
        node = todo.pop()
        ref = node.get("$ref")
        needed = [nodes[ref]] if ref is not None and ref not in seen else []
        needed += node.get("anyOf", ())
        needed += (node["properties"][name] for name in node.get("required", ()))
        needed += [node["items"]] if "items" in node else []
        if not needed and ref is None:
            return True
        seen.add(str(ref))
        todo += needed
    return False


def _with_empty_lists(node: Node) -> Node:
    """The node with the empty list as an alternative to each list that may be empty; it accepts the same values."""
    if "anyOf" in node:
        return described(union(map(_with_empty_lists, node["anyOf"])), node.get("description"))
    node = with_children(node, _with_empty_lists)
    if "items" not in node or node.get("minItems"):
        return node
    text = node.pop("description", None)
    return described(union((node, {"type": "array", "maxItems": 0})), text)


def measure(schema: Node) -> dict[str, int]:
    """The size of a finished schema, in the units that the validator counts."""
    levels: dict[str, int] = {ROOT: 0}

    def deepest(node: Node) -> int:
        """The levels of properties in a node; a recursive reference adds none."""
        ref = node.get("$ref")
        if ref is not None and ref not in levels:
            levels[ref] = 0
            levels[ref] = deepest(find(schema, ref))
        below = max(map(deepest, children(node)), default=0)
        return max(below + ("properties" in node), levels.get(str(ref), 0))

    nodes = [schema, *schema.get("$defs", {}).values()]
    for node in nodes:
        nodes += children(node)
    return {
        "levels of properties": deepest(schema),
        "properties": sum(len(node.get("properties", ())) for node in nodes),
        "values in an enum": max(len(node.get("enum", ())) for node in nodes),
        "branches in an anyOf": max(len(node.get("anyOf", ())) for node in nodes),
    }
