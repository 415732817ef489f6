"""Reads one JSON Schema document into MFJS nodes: keywords side by side are intersected, alternatives are joined.

Keywords that determine the type (`$ref`, `const`, `enum`, `allOf`, `anyOf`, `oneOf`) are read here, the others by
`containers` and `keywords`. Each definition is read once, and references to it stay; `references` may replace them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations

from kimi_openai._internal.json_values import is_array

from .containers import array, object_
from .intersect import Scope, intersect
from .keywords import IMPLIED, annotated, bounds, literals, types
from .nodes import NOTHING, TYPES, Node, anything, branches, described, explicit, is_any, is_map, short, tidy, union
from .references import MISSING, ROOT, find, free_name

__all__ = ["SchemaReader"]

DEEPEST = 100
"""Path steps after which a schema is cut off; the server refuses far less ('schema depth exceeds …')."""

_SAME_VALUE = re.compile(r"((allOf|anyOf|oneOf)\{\d+\}\.)+$")
"""The last steps of a path that are still about the same value."""


def _path_of(name: str) -> str:
    """The path of a definition, given its reference in the result."""
    return "" if name == ROOT else f"$defs.{name.rpartition('/')[2]}."


class SchemaReader:
    """Reads one document. `read_all` returns its nodes by reference; `notes` holds what was lost."""

    def __init__(self, document: Node) -> None:
        self.document = document
        self.notes: list[str] = []
        self.refers_to_root = False
        self._names = {"#": ROOT, "#/": ROOT}
        self._targets = {ROOT: "#"}
        self._nodes: dict[str, Node] = {}
        self._reading = {ROOT}
        self._implied: set[str] = set()
        self._scope = Scope(self.expand, self.note)
        self._quiet = Scope(self.expand, lambda _path, _text: None)
        self._readers: dict[str, Callable[[Node, str], Node]] = {
            "$ref": self._reference,
            "const": self._const,
            "enum": self._enum,
            "allOf": self._all_of,
            "anyOf": self._any_of,
            "oneOf": self._one_of,
        }

    def note(self, path: str, text: str) -> None:
        """Notes a loss at a path: dotted, with a dot at its end, empty for the root."""
        self.notes.append(f"{path[:-1] or 'root'}: {text}")

    def read_all(self) -> dict[str, Node]:
        """The root, under `#`, and every definition that is referred to."""
        root = self.read(self.document, "")
        self._nodes[ROOT] = root
        while missing := self._targets.keys() - self._nodes.keys():
            for name in sorted(missing):
                self.expand(name)
        return dict(self._nodes)

    def expand(self, name: str) -> Node | None:
        """The node behind a reference of the result, `None` while it is being read."""
        if name not in self._nodes and name not in self._reading:
            self._reading.add(name)
            path = _path_of(name)
            node = self.read(find(self.document, self._targets[name]), path)
            if {"$ref": name} in node.get("anyOf", ()):  # an alternative that adds none
                others = union(each for each in node["anyOf"] if each != {"$ref": name})
                node = described(others, node.get("description"))
            if node == NOTHING:
                self.note(path, "nothing can satisfy it; anything is accepted")
            self._nodes[name] = explicit({} if node == NOTHING else node)
        return self._nodes.get(name)

    def read(self, raw: object, path: str) -> Node:
        """The node of a raw subschema, its annotations included."""
        if raw is True or raw is False:
            return {} if raw else NOTHING
        if not is_map(raw):
            self.note(path, f"{short(raw)} is not a schema; anything is accepted")
            return {}
        if path.count(".") > DEEPEST:
            if raw != anything():
                self.note(path, "too deep; anything is accepted from here")
            return anything()
        node = self._combined(raw, path)
        if raw.get("nullable") is True:
            node = union((node, {"type": "null"}))
        if raw.get("unevaluatedProperties") is False and "additionalProperties" not in raw:
            node = union(self._closed(branch, raw, path) for branch in branches(node))
        return annotated(raw, node, path, self.note)

    def _closed(self, branch: Node, raw: Node, path: str) -> Node:
        """The branch, closed to properties that neither it nor anything beside it lists (`unevaluatedProperties`)."""
        if "$ref" in branch or is_any(branch) or branch.get("additionalProperties") is False:
            self.note(path, "unevaluatedProperties false is not enforced here")
            return branch
        if branch["type"] != "object":
            return branch
        for name in branch.get("required", ()):
            if is_any(branch["properties"][name]) and name not in raw.get("properties", ()):
                self.note(path, f"required {short(name)} is accepted, though it may be listed nowhere")
        return {"additionalProperties": False, **branch}

    def _combined(self, raw: Node, path: str) -> Node:
        """The intersection of all keywords of a schema."""
        given: Node = {}
        for keyword, read in self._readers.items():
            if keyword in raw:
                given = intersect(given, read(raw, path), self._scope, path)
        kinds = types(raw, path, self.note)
        implied = {} if kinds else dict.fromkeys(IMPLIED[keyword] for keyword in raw if keyword in IMPLIED)
        if not is_any(given) and (kinds or implied):
            kinds = self._types_beside(given, kinds)
        elif implied:
            self._implied.add(_SAME_VALUE.sub("", path))
            kinds = list(implied)
        if not kinds:
            return given
        typed = [self._typed(kind, raw, path) for kind in kinds]
        return intersect(given, typed[0] if len(typed) == 1 else union(typed), self._scope, path)

    def _types_beside(self, given: Node, kinds: list[str] | None) -> list[str]:
        """The types as which to read the keywords beside `given`: integer for number where all of it is integers."""
        bodies = [self.expand(branch["$ref"]) if "$ref" in branch else branch for branch in branches(given)]
        have = {part.get("type") for body in bodies if body for part in branches(body)}
        if kinds is None:
            kinds = [*TYPES]
        if "integer" in have and "number" not in have and None not in have and None not in bodies:
            return ["integer" if kind == "number" else kind for kind in kinds]
        return kinds

    def _typed(self, kind: str, raw: Node, path: str) -> Node:
        if kind in ("boolean", "null"):
            return {"type": kind}
        if kind == "object":
            return object_(raw, path, self.read, self.note)
        node: Node = {"type": kind, **bounds(kind, raw, path, self.note)}
        if kind == "string" and isinstance(raw.get("pattern"), str):
            node["pattern"] = raw["pattern"]
        node = array(raw, node, path, self.read, self.note) if kind == "array" else node
        return tidy(node) if len(node) > 1 else node

    # The keywords that determine the type

    def _reference(self, raw: Node, path: str) -> Node:
        ref = raw["$ref"]
        if not isinstance(ref, str) or find(self.document, ref) is MISSING:
            self.note(path, f"$ref {short(ref)} leads nowhere in this schema; anything is accepted")
            return {}
        if ref not in self._names:
            self._names[ref] = free_name(ref, self._targets)
            self._targets[self._names[ref]] = ref
        name = self._names[ref]
        if _path_of(name) == _SAME_VALUE.sub("", path):
            # A schema that refers to itself adds no alternative and forbids nothing.
            return {} if path.endswith(_path_of(name)) or "allOf" in path[-10:] else NOTHING
        self.refers_to_root |= name == ROOT
        return {"$ref": name}

    def _const(self, raw: Node, path: str) -> Node:
        return literals([raw["const"]], path, self.note)

    def _enum(self, raw: Node, path: str) -> Node:
        values = raw["enum"]
        if is_array(values) and values:
            return literals(values, path, self.note)
        self.note(path, f"enum {short(values)} is not a list of values; it is not enforced")
        return {}

    def _all_of(self, raw: Node, path: str) -> Node:
        node: Node = {}
        for part in self._parts(raw, "allOf", path):
            node = intersect(node, part, self._scope, path)
        return node

    def _any_of(self, raw: Node, path: str) -> Node:
        return self._union(raw, [*self._parts(raw, "anyOf", path)])

    def _one_of(self, raw: Node, path: str) -> Node:
        parts = [*self._parts(raw, "oneOf", path)]
        pairs = () if is_map(raw.get("discriminator")) else combinations(parts, 2)
        overlap = any(intersect(one, other, self._quiet, path) != NOTHING for one, other in pairs)
        if overlap or self._only_implied(parts, path):
            self.note(path, "oneOf became anyOf; that only one branch may match is not enforced")
        return self._union(raw, parts)

    def _only_implied(self, parts: list[Node], path: str) -> bool:
        """Whether parts of different types may exclude each other only because a type was implied, not stated."""
        alternatives = [branch for part in parts for branch in branches(part)]
        places = {_path_of(branch["$ref"]) for branch in alternatives if "$ref" in branch} | {_SAME_VALUE.sub("", path)}
        return not places.isdisjoint(self._implied) and len({branch.get("type") for branch in alternatives}) > 1

    def _union(self, raw: Node, parts: list[Node]) -> Node:
        tag = raw.get("discriminator")
        if is_map(tag):
            parts = [self._tagged(part, tag.get("propertyName")) for part in parts]
        return union(parts) if parts else {}

    def _tagged(self, node: Node, tag: object) -> Node:
        """The branch of a discriminated union with its tag required; without the tag pydantic finds no branch."""
        body = self.expand(node["$ref"]) if "$ref" in node else node
        if body is None or tag not in body.get("properties", ()) or tag in body.get("required", ()):
            return node
        return {**body, "required": [*body.get("required", ()), tag]}

    def _parts(self, raw: Node, keyword: str, path: str) -> Iterator[Node]:
        parts = raw[keyword]
        if not is_array(parts) or not parts:
            self.note(path, f"{keyword} {short(parts)} is not a list of schemas; it is not enforced")
            return
        for index, part in enumerate(parts):
            yield self.read(part, f"{path}{keyword}{{{index}}}.")
