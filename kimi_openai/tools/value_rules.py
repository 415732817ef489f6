"""The keywords of JSON Schema that hold no schema: types, values, limits of numbers, texts, arrays and objects. Pure.

`json_schema` goes through the schema and calls this module for each keyword and value.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from kimi_openai._internal.json_values import is_array, is_object

__all__ = ["json_type", "shown", "value_problem"]

IsOne = Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


TYPES: Mapping[str, tuple[str, IsOne]] = {
    "null": ("null", lambda value: value is None),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("an integer", lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer())),
    "number": ("a number", _is_number),
    "string": ("a string", lambda value: isinstance(value, str)),
    "array": ("an array", is_array),
    "object": ("an object", is_object),
}
"""The types: what a value of the type is called, and whether a value is one."""

LIMITS: Mapping[str, tuple[IsOne, Callable[[Any, Any], bool], str]] = {
    "minimum": (_is_number, lambda value, limit: value >= limit, "must be at least {}"),
    "maximum": (_is_number, lambda value, limit: value <= limit, "must be at most {}"),
    "exclusiveMinimum": (_is_number, lambda value, limit: value > limit, "must be greater than {}"),
    "exclusiveMaximum": (_is_number, lambda value, limit: value < limit, "must be less than {}"),
    "multipleOf": (_is_number, lambda value, unit: _is_multiple(value, unit), "must be a multiple of {}"),
    "minLength": (TYPES["string"][1], lambda value, limit: len(value) >= limit, "must have at least {} characters"),
    "maxLength": (TYPES["string"][1], lambda value, limit: len(value) <= limit, "must have at most {} characters"),
    "pattern": (TYPES["string"][1], lambda value, pattern: _matches(pattern, value), "must match {!r}"),
    "minItems": (is_array, lambda value, limit: len(value) >= limit, "must have at least {} items"),
    "maxItems": (is_array, lambda value, limit: len(value) <= limit, "must have at most {} items"),
    "uniqueItems": (is_array, lambda value, wanted: not wanted or _is_unique(value), "must not repeat an item"),
    "minProperties": (is_object, lambda value, limit: len(value) >= limit, "must have at least {} properties"),
    "maxProperties": (is_object, lambda value, limit: len(value) <= limit, "must have at most {} properties"),
}
"""Limits: which values a keyword applies to, whether a value keeps the limit, and what to say of one that does not."""


def value_problem(keyword: str, value: Any, wanted: Any) -> str | None:
    """What is wrong with the value by this keyword; None if nothing is, or if the keyword is not one of these.

    Raises what Python raises if the keyword's own value is malformed.

    >>> value_problem("minimum", 0, 1), value_problem("type", "1", ["integer", "null"]), value_problem("enum", 1, [1.0])
    ('must be at least 1', 'must be an integer or null, not a string', None)
    """
    if keyword in LIMITS:
        applies, is_kept, text = LIMITS[keyword]
        return text.format(wanted) if applies(value) and not is_kept(value, wanted) else None
    if keyword == "type":
        return _type_problem(value, [wanted] if isinstance(wanted, str) else list(wanted))
    values: list[Any] = list(wanted) if keyword == "enum" else [wanted] if keyword == "const" else []
    if not values or json_key(value) in map(json_key, values):
        return None
    return f"must be {'one of ' * (len(values) > 1)}{', '.join(map(shown, values))}"


def _type_problem(value: Any, names: list[str]) -> str | None:
    if any(name not in TYPES or TYPES[name][1](value) for name in names):
        return None
    return f"must be {' or '.join(TYPES[name][0] for name in names)}, not {json_type(value)}"


def json_type(value: Any) -> str:
    """What the type of a JSON value is called.

    >>> json_type([]), json_type(True), json_type(1.5)
    ('an array', 'true or false', 'a number')
    """
    return next(called for called, is_one in TYPES.values() if is_one(value))


def json_key(value: Any) -> Any:
    """Something hashable that is equal for equal JSON values: for 1 and 1.0, not for 1 and true.

    >>> json_key([1, {"a": None}]) == json_key([1.0, {"a": None}]), json_key(1) == json_key(True)
    (True, False)
    """
    if is_array(value):
        return ("array", *map(json_key, value))
    if is_object(value):
        return frozenset((name, json_key(inner)) for name, inner in value.items())
    return (type(value) is bool, value)


def _matches(pattern: str, text: str) -> bool:
    return re.search(pattern, text) is not None


def _is_unique(items: list[Any]) -> bool:
    return len({*map(json_key, items)}) == len(items)


def _is_multiple(value: Any, unit: Any) -> bool:
    if isinstance(value, int) and isinstance(unit, int):
        return value % unit == 0
    quotient = value / unit
    return math.isclose(quotient, round(quotient), rel_tol=1e-9)


def shown(value: Any) -> str:
    """A value for a message: its JSON, at most 200 characters of it."""
    return json.dumps(value, ensure_ascii=False, default=str)[:200]
