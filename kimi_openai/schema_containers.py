"""Objects and arrays, whose keywords hold schemas, read into MFJS nodes of one type.

Each part is read by the `read` that comes in, which is the whole of `schema_reader`; here is only how the parts fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .schema_nodes import NOTHING, Node, Note, is_list, is_map, join, rest, short, spelled

__all__ = ["array", "object_"]

Read = Callable[[object, str], Node]


def object_(raw: Node, path: str, read: Read, note: Note) -> Node:
    """The node of an object: its properties, the others, and which must be there."""
    node: Node = {"type": "object"}
    properties = raw.get("properties")
    if is_map(properties):
        node["properties"] = {}
        for name, part in properties.items():
            value = read(part, f"{path}properties.{name}.")
            if value == NOTHING:
                note(f"{path}properties.{name}.", "nothing can satisfy it; the property is left out")
            else:
                node["properties"][name] = spelled(value)
    elif properties is not None:
        note(path, f"properties {short(properties)} is not an object; it is not enforced")
    others = _others(raw, path, read, note)
    if others is not None:
        node["additionalProperties"] = others
    return _with_required(raw, node, path, note)


def _others(raw: Node, path: str, read: Read, note: Note) -> Node | bool | None:
    """`additionalProperties`, which patterned properties join, as nothing is nearer to them."""
    patterns, value = raw.get("patternProperties"), raw.get("additionalProperties")
    parts = patterns.items() if is_map(patterns) else ()
    values = [read(part, f"{path}patternProperties.{name}.") for name, part in parts]
    patterned = any(each != NOTHING for each in values)
    if is_map(value):
        values.append(read(value, f"{path}additionalProperties."))
    if patterned or is_map(value):
        others = values[0] if len(values) == 1 else join(values)
        return False if others == NOTHING else spelled(others) if others else others
    if value is not None and not isinstance(value, bool):
        note(path, f"additionalProperties {short(value)} is not a schema; it is not enforced")
        return None
    return value


def _with_required(raw: Node, node: Node, path: str, note: Note) -> Node:
    """`required`, where each name must be one of `properties` ('required property 'age' is not defined in
    properties'): one that is not joins them, with whatever the schema accepts under other names."""
    required: list[str] = []
    said = raw.get("properties")
    listed = said if is_map(said) else Node()
    for name in _required_names(raw, listed, path, note):
        if name and name not in listed and rest(node) != NOTHING:
            node.setdefault("properties", {}).setdefault(name, spelled(rest(node)))
        if not name or name not in node.get("properties", ()):
            note(path, f"required {short(name)} can never be answered; it is not enforced")
        elif name not in required:
            required.append(name)
    if required or raw.get("required") == []:
        node["required"] = required
    return node


def _required_names(raw: Node, listed: Node, path: str, note: Note) -> Iterator[str]:
    said = raw.get("required", [])
    for name in said if is_list(said) else ():
        if isinstance(name, str):
            yield name
        else:
            note(path, f"required {short(name)} is not a name; it is not enforced")
    if not is_list(said) and not isinstance(said, bool):
        note(path, f"required {short(said)} is not a list of names; it is not enforced")
    # Draft 3 and hand-written tools say it inside the property.
    yield from (name for name, part in listed.items() if is_map(part) and part.get("required") is True)


def array(raw: Node, node: Node, path: str, read: Read, note: Note) -> Node:
    """`node`, an array with its bounds, with what its items are."""
    first, others = raw.get("prefixItems"), raw.get("items")
    if is_list(others):
        first, others = others, raw.get("additionalItems")
    if is_list(first) and first:
        parts = [read(part, f"{path}prefixItems.{index}.") for index, part in enumerate(first)]
        return _tuple(parts, others, node, path, read, note)
    if others is None or others is True:
        return node
    items = read(others, f"{path}items.")
    return {**node, "items": spelled(items)} if items else node


def _tuple(parts: list[Node], others: object, node: Node, path: str, read: Read, note: Note) -> Node:
    """A list of what any position takes, as long as the tuple ('items must be an object')."""
    most = node.get("maxItems", len(parts) + 1)
    closed = others is False or most <= len(parts)
    if others is None and not closed:
        note(path, f"more than {len(parts)} items are not accepted any more")
    if is_map(others) and not closed:
        parts = [*parts, read(others, f"{path}items.")]
    else:
        node = {**node, "maxItems": min(most, len(parts))}
    parts = parts[:most]
    items = join(parts)
    if any(part != parts[0] for part in parts):
        note(path, "which item has which type is not enforced, only that each has one of them")
    return {**node, "items": spelled(items)} if items else node
