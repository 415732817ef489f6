"""Checks a JSON value against a JSON Schema, for tools whose definition the caller wrote. Pure.

Knows local references and the keywords of draft 2020-12 (Kimi's dialect is part of them), except those about
unevaluated properties and items. Any other keyword accepts everything, and so does one whose own value is malformed.
`value_rules` knows the keywords that hold no schema.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kimi_openai._internal.json_values import Json, as_dict, as_list, is_array, is_object
from kimi_openai.mfjs.references import MISSING, find

from .value_rules import shown, value_problem

__all__ = ["Problem", "schema_problems"]

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What does not fit, and the path to it in the value: names of properties and positions in arrays."""

    path: Path
    text: str

    def __str__(self) -> str:
        place = ".".join(map(str, self.path))
        return f"{place}: {self.text}" if place else self.text


def schema_problems(value: Any, schema: Any) -> list[Problem]:
    """What in the value does not fit the schema; nothing if it fits.

    >>> schema = {"type": "object", "properties": {"days": {"type": "array", "items": {"type": "integer"}}}}
    >>> [str(problem) for problem in schema_problems({"days": [1, "2"]}, schema)]
    ['days.1: must be an integer, not a string']
    """
    return list(_Check(schema).problems(value, schema, ()))


@dataclass(slots=True)
class _Check:
    """One check. References start from `root`; `following` are those that are being followed, each with the path of the
    value, so that a circle of references ends."""

    root: Any
    following: set[tuple[str, Path]] = field(default_factory=set[tuple[str, Path]])

    def problems(self, value: Any, schema: Any, path: Path) -> Iterator[Problem]:
        """What in the value at `path` does not fit the schema."""
        if schema is False:
            yield Problem(path, "is not allowed")
        for keyword, wanted in as_dict(schema).items():
            rule = RULES.get(keyword)
            try:
                if rule:
                    found = list(rule(self, value, wanted, as_dict(schema), path))
                else:
                    text = value_problem(keyword, value, wanted)
                    found = [Problem(path, text)] if text else []
            except (TypeError, ValueError, AttributeError, ArithmeticError, re.error):
                continue  # the keyword is malformed
            yield from found

    def fits(self, value: Any, schema: Any, path: Path) -> bool:
        """Whether the value fits the schema."""
        return next(self.problems(value, schema, path), None) is None


def _reference(check: _Check, value: Any, wanted: str, _: Json, path: Path) -> Iterator[Problem]:
    followed, schema = (wanted, path), find(check.root, wanted)
    if schema is not MISSING and followed not in check.following:
        check.following.add(followed)
        yield from check.problems(value, schema, path)
        check.following.discard(followed)


def _all_of(check: _Check, value: Any, wanted: list[Any], _: Json, path: Path) -> Iterator[Problem]:
    for schema in wanted:
        yield from check.problems(value, schema, path)


def _any_of(check: _Check, value: Any, wanted: list[Any], _: Json, path: Path) -> Iterator[Problem]:
    """The problems of the one alternative that is right about this place and wrong inside it, else those of all."""
    found = [list(check.problems(value, schema, path)) for schema in wanted]
    if not all(found):
        return
    inside = [problems for problems in found if all(len(problem.path) > len(path) for problem in problems)]
    if len(inside) == 1:
        yield from inside[0]
    else:
        alternatives = "; or ".join(", ".join(_inside(path, problem) for problem in problems) for problems in found)
        yield Problem(path, f"fits no alternative: {alternatives[:1000]}")


def _inside(path: Path, problem: Problem) -> str:
    return str(Problem(problem.path[len(path) :], problem.text))


def _one_of(check: _Check, value: Any, wanted: list[Any], schema: Json, path: Path) -> Iterator[Problem]:
    fitting = sum(check.fits(value, each, path) for each in wanted)
    if fitting == 0:
        yield from _any_of(check, value, wanted, schema, path)
    elif fitting > 1:
        yield Problem(path, f"fits {fitting} alternatives, of which only one may fit")


def _not(check: _Check, value: Any, wanted: Any, _: Json, path: Path) -> Iterator[Problem]:
    if check.fits(value, wanted, path):
        yield Problem(path, f"must not fit {shown(wanted)}")


def _if(check: _Check, value: Any, wanted: Any, schema: Json, path: Path) -> Iterator[Problem]:
    return check.problems(value, schema.get("then" if check.fits(value, wanted, path) else "else", True), path)


def _items(check: _Check, value: Any, wanted: Any, schema: Json, path: Path) -> Iterator[Problem]:
    """`items`: of those that `prefixItems` does not describe; in older drafts a list, as `prefixItems` is now."""
    if is_array(wanted):
        yield from _prefix_items(check, value, wanted, schema, path)
        return
    first = len(as_list(schema.get("prefixItems")))
    for number, item in enumerate(as_list(value)[first:], first):
        yield from check.problems(item, wanted, (*path, number))


def _prefix_items(check: _Check, value: Any, wanted: list[Any], _: Json, path: Path) -> Iterator[Problem]:
    for number, (item, schema) in enumerate(zip(as_list(value), wanted, strict=False)):
        yield from check.problems(item, schema, (*path, number))


def _contains(check: _Check, value: Any, wanted: Any, schema: Json, path: Path) -> Iterator[Problem]:
    found = sum(check.fits(item, wanted, (*path, number)) for number, item in enumerate(as_list(value)))
    if is_array(value) and not schema.get("minContains", 1) <= found <= schema.get("maxContains", math.inf):
        yield Problem(path, f"has {found} items that fit {shown(wanted)}")


def _properties(check: _Check, value: Any, wanted: Json, _: Json, path: Path) -> Iterator[Problem]:
    for name, schema in wanted.items():
        if name in as_dict(value):
            yield from check.problems(value[name], schema, (*path, name))


def _pattern_properties(check: _Check, value: Any, wanted: Json, _: Json, path: Path) -> Iterator[Problem]:
    for name, inner in as_dict(value).items():
        for pattern, schema in wanted.items():
            if re.search(pattern, name):
                yield from check.problems(inner, schema, (*path, name))


def _additional(check: _Check, value: Any, wanted: Any, schema: Json, path: Path) -> Iterator[Problem]:
    known, patterns = as_dict(schema.get("properties")), as_dict(schema.get("patternProperties"))
    for name, inner in as_dict(value).items():
        if name not in known and not any(re.search(pattern, name) for pattern in patterns):
            yield from check.problems(inner, wanted, (*path, name))


def _property_names(check: _Check, value: Any, wanted: Any, _: Json, path: Path) -> Iterator[Problem]:
    for name in as_dict(value):
        yield from check.problems(name, wanted, (*path, name))


def _required(_: _Check, value: Any, wanted: list[str], __: Json, path: Path) -> Iterator[Problem]:
    for name in wanted:
        if is_object(value) and name not in value:
            yield Problem((*path, name), "is required")


def _dependent(check: _Check, value: Any, wanted: Json, schema: Json, path: Path) -> Iterator[Problem]:
    """What a property needs beside it: names, or a schema of the whole object."""
    for name, needed in wanted.items():
        if name in as_dict(value):
            if is_array(needed):
                yield from _required(check, value, needed, schema, path)
            else:
                yield from check.problems(value, needed, path)


Rule = Callable[[_Check, Any, Any, Json, Path], Iterator[Problem]]

RULES: Mapping[str, Rule] = {
    "$ref": _reference,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
    "items": _items,
    "prefixItems": _prefix_items,
    "contains": _contains,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "propertyNames": _property_names,
    "required": _required,
    "dependentRequired": _dependent,
    "dependentSchemas": _dependent,
}
"""The keywords that hold schemas or names of properties."""
