"""Reads one JSON Schema document into MFJS nodes: what stands side by side meets, alternatives join.

References stay references here, to definitions that are read once each; `schema_refs` decides which remain. What says
the type by itself is read here, what one type consists of in `schema_containers` and `schema_keywords`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations

from .schema_containers import array, object_
from .schema_keywords import IMPLIED, annotated, bounds, literals, types
from .schema_meet import Scope, meet
from .schema_nodes import NOTHING, TYPES, Node, anything, branches, is_any, is_list, is_map, join, short, spelled, tidy
from .schema_refs import MISSING, ROOT, find, free_name

__all__ = ["Reader"]

DEEPEST = 100
"""Path steps after which a schema is cut; the server is known to refuse far less ('schema depth exceeds …')."""

_STEPS = re.compile(r"((allOf|anyOf|oneOf)\{\d+\}\.)+$")
"""Steps of a path that stay at the same value."""


def _place(name: str) -> str:
    """The path at which a definition of ours begins."""
    return "" if name == ROOT else f"$defs.{name.rpartition('/')[2]}."


class Reader:
    """One document being read. `read_all` gives its nodes by reference; `notes` fills with what was lost on the way."""

    def __init__(self, document: Node) -> None:
        self.document = document
        self.notes: list[str] = []
        self.leads_back = False
        self._names = {"#": ROOT, "#/": ROOT}
        self._targets = {ROOT: "#"}
        self._nodes: dict[str, Node] = {}
        self._reading = {ROOT}
        self._guessed: set[str] = set()
        self._scope = Scope(self.expand, self.note)
        self._quiet = Scope(self.expand, lambda _path, _text: None)
        self._gives_types: dict[str, Callable[[Node, str], Node]] = {
            "$ref": self._reference,
            "const": self._const,
            "enum": self._enum,
            "allOf": self._all_of,
            "anyOf": self._any_of,
            "oneOf": self._one_of,
        }

    def note(self, path: str, text: str) -> None:
        """Notes a loss at a path (dotted, with a dot at its end; empty for the root)."""
        self.notes.append(f"{path[:-1] or 'root'}: {text}")

    def read_all(self) -> dict[str, Node]:
        """The root, under `#`, and every definition that anything refers to."""
        root = self.read(self.document, "")
        self._nodes[ROOT] = root
        while missing := self._targets.keys() - self._nodes.keys():
            for name in sorted(missing):
                self.expand(name)
        return dict(self._nodes)

    def expand(self, name: str) -> Node | None:
        """The node behind one of our references, None while it is being read."""
        if name not in self._nodes and name not in self._reading:
            self._reading.add(name)
            path = _place(name)
            node = self.read(find(self.document, self._targets[name]), path)
            if node == NOTHING:
                self.note(path, "nothing can satisfy it; anything is accepted")
            self._nodes[name] = spelled({} if node == NOTHING else node)
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
        node = self._constrained(raw, path)
        if raw.get("nullable") is True:
            node = join((node, {"type": "null"}))
        if raw.get("unevaluatedProperties") is False and "additionalProperties" not in raw:
            node = join(self._closed(branch, path) for branch in branches(node))
        return annotated(raw, node, path, self.note)

    def _closed(self, branch: Node, path: str) -> Node:
        """The branch without other properties than it knows of by now, all that stands beside it included."""
        if "$ref" in branch or is_any(branch) or branch.get("additionalProperties") is False:
            self.note(path, "unevaluatedProperties false is not enforced here")
            return branch
        return {"additionalProperties": False, **branch} if branch["type"] == "object" else branch

    def _constrained(self, raw: Node, path: str) -> Node:
        """Everything that stands side by side in a schema, met."""
        given: Node = {}
        if not self._gives_types.keys().isdisjoint(raw):
            for keyword, reading in self._gives_types.items():
                if keyword in raw:
                    given = meet(given, reading(raw, path), self._scope, path)
        kinds = types(raw, path, self.note)
        implied = {} if kinds else dict.fromkeys(IMPLIED[keyword] for keyword in raw if keyword in IMPLIED)
        if not is_any(given) and (kinds or implied):
            kinds = self._fitting(given, kinds)
        elif implied:
            self._guessed.add(_STEPS.sub("", path))
            kinds = list(implied)
        if not kinds:
            return given
        typed = [self._typed(kind, raw, path) for kind in kinds]
        return meet(given, typed[0] if len(typed) == 1 else join(typed), self._scope, path)

    def _fitting(self, given: Node, kinds: list[str] | None) -> list[str]:
        """The types by which to read the keywords beside `given`; bounds are exact for integers only."""
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

    # What says the type by itself

    def _reference(self, raw: Node, path: str) -> Node:
        ref = raw["$ref"]
        if not isinstance(ref, str) or find(self.document, ref) is MISSING:
            self.note(path, f"$ref {short(ref)} leads nowhere in this schema; anything is accepted")
            return {}
        if ref not in self._names:
            self._names[ref] = free_name(ref, self._targets)
            self._targets[self._names[ref]] = ref
        name = self._names[ref]
        if _place(name) == _STEPS.sub("", path):
            # It says that it is itself, which adds no alternative and forbids nothing.
            return {} if path.endswith(_place(name)) or "allOf" in path[-10:] else NOTHING
        self.leads_back |= name == ROOT
        return {"$ref": name}

    def _const(self, raw: Node, path: str) -> Node:
        value = raw["const"]
        return {"type": "boolean"} if isinstance(value, bool) else literals([value], path, self.note)

    def _enum(self, raw: Node, path: str) -> Node:
        values = raw["enum"]
        if is_list(values) and values:
            return literals(values, path, self.note)
        self.note(path, f"enum {short(values)} is not a list of values; it is not enforced")
        return {}

    def _all_of(self, raw: Node, path: str) -> Node:
        node: Node = {}
        for part in self._parts(raw, "allOf", path):
            node = meet(node, part, self._scope, path)
        return node

    def _any_of(self, raw: Node, path: str) -> Node:
        return self._union(raw, [*self._parts(raw, "anyOf", path)])

    def _one_of(self, raw: Node, path: str) -> Node:
        parts = [*self._parts(raw, "oneOf", path)]
        pairs = () if is_map(raw.get("discriminator")) else combinations(parts, 2)
        if any(meet(one, other, self._quiet, path) != NOTHING for one, other in pairs) or self._loose(parts, path):
            self.note(path, "oneOf became anyOf; that only one branch may match is not enforced")
        return self._union(raw, parts)

    def _loose(self, parts: list[Node], path: str) -> bool:
        """Whether parts of different types exclude each other only because we guessed a type that none of them says."""
        alternatives = [branch for part in parts for branch in branches(part)]
        places = {_place(branch["$ref"]) for branch in alternatives if "$ref" in branch} | {_STEPS.sub("", path)}
        return not places.isdisjoint(self._guessed) and len({branch.get("type") for branch in alternatives}) > 1

    def _union(self, raw: Node, parts: list[Node]) -> Node:
        tag = raw.get("discriminator")
        if is_map(tag):
            parts = [self._tagged(part, tag.get("propertyName")) for part in parts]
        return join(parts) if parts else {}

    def _tagged(self, node: Node, tag: object) -> Node:
        """The branch of a discriminated union with its tag required: without it pydantic finds no branch at all."""
        body = self.expand(node["$ref"]) if "$ref" in node else node
        if body is None or tag not in body.get("properties", ()) or tag in body.get("required", ()):
            return node
        return {**body, "required": [*body.get("required", ()), tag]}

    def _parts(self, raw: Node, keyword: str, path: str) -> Iterator[Node]:
        parts = raw[keyword]
        if not is_list(parts) or not parts:
            self.note(path, f"{keyword} {short(parts)} is not a list of schemas; it is not enforced")
            return
        for index, part in enumerate(parts):
            yield self.read(part, f"{path}{keyword}{{{index}}}.")
