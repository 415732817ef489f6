"""Objects and arrays, whose keywords hold schemas, read into MFJS nodes of one type.

How the parts make the whole is decided here; each part is read by the function `read`, which `reader` passes in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kimi_openai._internal.json_values import is_array

from .nodes import NOTHING, AddNote, Node, explicit, is_map, other_properties, short, union

__all__ = ["array", "object_"]

Read = Callable[[object, str], Node]


def object_(raw: Node, path: str, read: Read, note: AddNote) -> Node:
    """The node of an object: its properties, what other properties it accepts, and which are required."""
    node: Node = {"type": "object"}
    properties = raw.get("properties")
    if is_map(properties):
        node["properties"] = {}
        for name, part in properties.items():
            value = read(part, f"{path}properties.{name}.")
            if value == NOTHING:
                note(f"{path}properties.{name}.", "nothing can satisfy it; the property is left out")
            else:
                node["properties"][name] = explicit(value)
    elif properties is not None:
        note(path, f"properties {short(properties)} is not an object; it is not enforced")
    others = _additional_properties(raw, path, read, note)
    if others is not None:
        node["additionalProperties"] = others
    return _with_required(raw, node, path, note)


def _additional_properties(raw: Node, path: str, read: Read, note: AddNote) -> Node | bool | None:
    """`additionalProperties`, or its union with the `patternProperties`, which MFJS does not have."""
    patterns, value = raw.get("patternProperties"), raw.get("additionalProperties")
    parts = patterns.items() if is_map(patterns) else ()
    values = [read(part, f"{path}patternProperties.{name}.") for name, part in parts]
    has_patterns = any(each != NOTHING for each in values)
    if is_map(value):
        values.append(read(value, f"{path}additionalProperties."))
    if has_patterns or is_map(value):
        others = values[0] if len(values) == 1 else union(values)
        return False if others == NOTHING else explicit(others) if others else others
    if value is not None and not isinstance(value, bool):
        note(path, f"additionalProperties {short(value)} is not a schema; it is not enforced")
        return None
    return value


def _with_required(raw: Node, node: Node, path: str, note: AddNote) -> Node:
    """The node with `required`; a required name that is not in `properties` is added there.

    The server demands that ('required property 'age' is not defined in properties'). The added property accepts what
    the object accepts under other names.
    """
    required: list[str] = []
    properties = raw.get("properties")
    listed = properties if is_map(properties) else Node()
    others = other_properties(node)
    for name in _required_names(raw, listed, path, note):
        if name not in listed and others != NOTHING:
            node.setdefault("properties", {}).setdefault(name, explicit(others))
        if name not in node.get("properties", ()):
            note(path, f"required {short(name)} can never be answered; it is not enforced")
        elif name not in required:
            required.append(name)
    if required or raw.get("required") == []:
        node["required"] = required
    return node


def _required_names(raw: Node, listed: Node, path: str, note: AddNote) -> Iterator[str]:
    names = raw.get("required", [])
    for name in names if is_array(names) else ():
        if isinstance(name, str):
            yield name
        else:
            note(path, f"required {short(name)} is not a name; it is not enforced")
    if not is_array(names) and not isinstance(names, bool):
        note(path, f"required {short(names)} is not a list of names; it is not enforced")
    # Draft 3 and hand-written tools write `required: true` inside the property.
    yield from (name for name, part in listed.items() if is_map(part) and part.get("required") is True)


def array(raw: Node, node: Node, path: str, read: Read, note: AddNote) -> Node:
    """`node`, an array with its bounds, with `items`."""
    first, others = raw.get("prefixItems"), raw.get("items")
    if is_array(others):  # tuples up to draft 2019-09
        first, others = others, raw.get("additionalItems")
    if is_array(first) and first:
        parts = [read(part, f"{path}prefixItems.{index}.") for index, part in enumerate(first)]
        return _tuple(parts, others, node, path, read, note)
    if others is None or others is True:
        return node
    items = read(others, f"{path}items.")
    return {**node, "items": explicit(items)} if items else node


def _tuple(parts: list[Node], others: object, node: Node, path: str, read: Read, note: AddNote) -> Node:
    """An array as long as the tuple, whose items are the union of its parts ('items must be an object')."""
    most = node.get("maxItems", len(parts) + 1)
    is_closed = others is False or most <= len(parts)
    if others is None and not is_closed:
        note(path, f"more than {len(parts)} items are not accepted any more")
    if is_map(others) and not is_closed:
        parts = [*parts, read(others, f"{path}items.")]
    else:
        node = {**node, "maxItems": min(most, len(parts))}
    parts = parts[:most]
    items = union(parts)
    if any(part != parts[0] for part in parts):
        note(path, "which item has which type is not enforced, only that each has one of them")
    return {**node, "items": explicit(items)} if items else node
