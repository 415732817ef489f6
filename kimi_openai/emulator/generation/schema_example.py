"""An example value of a JSON schema: the arguments of a tool call and the JSON of a default answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import ceil, floor
from typing import Any

from kimi_openai.emulator.json_values import Json, is_array, is_object

from .scalar_example import accepts, integer, number, text

__all__ = ["example"]

BOUNDS = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "minItems", "maxItems"),
    }
)

MAX_DEPTH = 6
"""Below this depth only what is required is filled in, by the shortest way, so that recursive schemas end."""

ENDLESS = 64
"""Levels after which a schema has no finite value."""


def example(schema: Any, *, name: str = "value") -> Any:
    """A value that conforms to a JSON schema: the first enum value or branch, the least number, the shortest list.

    Strings repeat the name of their property. Keywords that MFJS does not have are read as far as they are simple
    (`const`, `allOf`, `oneOf`, `format`), the others are ignored.

    >>> example({"properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}}})
    {'city': 'city', 'days': 2}
    """
    return _Examples(schema if is_object(schema) else {}).of(schema, name, 0)


class _Examples:
    """Examples of the subschemas of one root schema, which references need."""

    def __init__(self, root: Json) -> None:
        self.root = root
        self._fitting: dict[tuple[int, int], tuple[Json, bool]] = {}
        """By id of a subschema and levels; the subschema is kept, so that no other one gets its id."""

    def of(self, schema: Any, name: str, depth: int) -> Any:
        if not is_object(schema) or (depth > MAX_DEPTH and self._height(schema) == ENDLESS):
            return name
        schema = _without_odd_bounds(self._merged(schema))
        for keyword in ("anyOf", "oneOf"):
            if schema.get(keyword):
                rest = {key: value for key, value in schema.items() if key != keyword}
                return self.of(_combined(self._branch(schema[keyword], depth), rest), name, depth + 1)
        if "const" in schema:
            return schema["const"]
        default: Any = schema.get("default")
        given: list[Any] = [*([default] if "default" in schema and not isinstance(default, dict | list) else ())]
        given += schema["enum"] if is_array(schema.get("enum")) else []
        fitting = [value for value in given if accepts(schema, value)]
        return fitting[0] if fitting else self._typed(schema, name, depth)

    def _merged(self, schema: Json) -> Json:
        """The schema together with the target of its `$ref` and its `allOf`."""
        seen: set[str] = set()
        while isinstance(ref := schema.get("$ref"), str) or is_array(schema.get("allOf")):
            parts: list[Any] = schema.get("allOf") or []
            if isinstance(ref, str) and ref not in seen:
                parts = [self._target(ref), *parts]
                seen.add(ref)
            schema = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
            for part in parts:
                schema = _combined(part, schema)
        return schema

    def _target(self, ref: str) -> Any:
        found: Any = self.root
        for step in ref.lstrip("#").strip("/").split("/") if ref != "#" else ():
            found = found.get(step, {}) if is_object(found) else {}
        return found

    def _branch(self, branches: list[Any], depth: int) -> Any:
        """The first branch that has a finite value and is not null; deep down the one with the shortest value."""
        finite = [branch for branch in branches if self._height(branch) < ENDLESS] or branches
        if depth > MAX_DEPTH:
            return min(finite, key=self._height)
        return next((branch for branch in finite if not is_object(branch) or branch.get("type") != "null"), finite[0])

    def _height(self, schema: Any) -> int:
        """The levels of the shortest value, `ENDLESS` if there is none."""
        return next((levels for levels in range(ENDLESS) if self._fits(schema, levels)), ENDLESS)

    def _fits(self, schema: Any, levels: int) -> bool:
        """Whether the schema has a value with so many levels."""
        if not is_object(schema) or levels < 0:
            return levels >= 0
        key = (id(schema), levels)
        if key not in self._fitting:
            branches = schema.get("anyOf") or schema.get("oneOf") or ()
            needed = [*self._needed(schema)]
            fits = all(self._fits(part, levels - 1) for part in needed)
            fits = fits and (not branches or any(self._fits(each, levels - 1) for each in branches))
            values: list[Any] = schema.get("enum") or []
            fits = fits and (not values or any(accepts(schema, value) for value in values))
            self._fitting[key] = schema, fits
        return self._fitting[key][1]

    def _needed(self, schema: Json) -> Iterable[Any]:
        """The subschemas of which every value of the schema contains a value."""
        if isinstance(schema.get("$ref"), str):
            yield self._target(schema["$ref"])
        yield from schema.get("allOf") or ()
        properties: Json = schema.get("properties") or {}
        yield from (properties[name] for name in schema.get("required") or () if name in properties)
        if schema.get("minItems") and "items" in schema:
            yield schema["items"]

    def _typed(self, schema: Json, name: str, depth: int) -> Any:
        kind = schema.get("type")
        if is_array(kind):
            kind = next((k for k in kind if k != "null"), "null")
        makers: Mapping[Any, Callable[[], Any]] = {
            "object": lambda: self._object(schema, depth),
            "array": lambda: self._array(schema, name, depth),
            "integer": lambda: integer(schema),
            "number": lambda: number(schema),
            "boolean": lambda: True,
            "null": lambda: None,
            "string": lambda: text(schema, name),
        }
        if kind in makers:
            return makers[kind]()
        return self._object(schema, depth) if "properties" in schema else text(schema, name)

    def _object(self, schema: Json, depth: int) -> Json:
        properties = schema.get("properties")
        required: Any = schema.get("required") or ()
        wanted: Json = properties if is_object(properties) else {}
        is_deep = depth > MAX_DEPTH
        wanted = {
            key: sub
            for key, sub in wanted.items()
            if key in required or (not is_deep and sub is not False and self._height(sub) < ENDLESS)
        }
        return {key: self.of(sub, key, depth + 1) for key, sub in wanted.items()}

    def _array(self, schema: Json, name: str, depth: int) -> list[Any]:
        items = schema.get("items")
        can_be_longer = depth <= MAX_DEPTH and items is not False and self._height(items) < ENDLESS
        length = max(ceil(schema.get("minItems") or 0), 1 if can_be_longer else 0)
        return [self.of(items, name, depth + 1) for _ in range(min(length, floor(schema.get("maxItems", length))))]


def _without_odd_bounds(schema: Json) -> Json:
    """The schema without bounds that are no numbers, which the validator accepts."""
    return {key: value for key, value in schema.items() if key not in BOUNDS or isinstance(value, int | float)}


def _combined(part: Any, other: Json) -> Json:
    """One schema with the constraints of both, as far as they can be said by one."""
    combined = dict(part) if is_object(part) else {}
    for key, value in other.items():
        old = combined.get(key)
        if key == "properties" and is_object(old) and is_object(value):
            both = {name: _combined(old[name], value[name]) for name in old.keys() & value.keys()}
            value = {**old, **value, **both}
        elif key == "required" and is_array(old):
            value = [*old, *value]
        elif key == "enum" and is_array(old):
            value = [each for each in old if each in value]
        elif key.startswith(("min", "max")) and isinstance(old, int | float):
            value = max(old, value) if key.startswith("min") else min(old, value)
        combined[key] = value
    return combined
