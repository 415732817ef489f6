"""Examples of numbers and texts for a JSON schema, and whether a given value fits one."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor
from typing import Any

from kimi_openai.emulator.json_values import Json, is_array

from .pattern_example import matches, matching_text

__all__ = ["accepts", "integer", "number", "text"]

FORMAT_EXAMPLES: Mapping[str, str] = {
    "date": "2026-11-23",
    "time": "12:00:00Z",
    "date-time": "2026-11-23T12:00:00Z",
    "duration": "PT1H",
    "email": "li.lei@example.com",
    "uuid": "6a996be0-8fde-4f22-8d6d-18f683000000",
    "uri": "https://example.com/",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "hostname": "example.com",
}

TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "object": (dict,),
    "array": (list,),
}


def accepts(schema: Json, value: Any) -> bool:
    """Whether a value of an enum, or a default, fits the other keywords of its schema."""
    kinds: Any = schema.get("type", [*TYPES])
    if not any(type(value) in TYPES.get(kind, ()) for kind in (kinds if is_array(kinds) else [kinds])):
        return False
    if is_array(schema.get("enum")) and not any(value == each and type(value) is type(each) for each in schema["enum"]):
        return False
    if isinstance(value, str):
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        return matches(str(schema.get("pattern", "")), value) and _is_within(len(value), least, most)
    if isinstance(value, int | float) and not isinstance(value, bool):
        is_multiple = not value % (schema.get("multipleOf") or value or 1)
        return is_multiple and _is_within(value, _bound(schema, "minimum", 0), _bound(schema, "maximum", 0))
    return True


def _is_within(size: float, least: float | None, most: float | None) -> bool:
    return (least is None or least <= size) and (most is None or size <= most)


def integer(schema: Json) -> int:
    """The least integer that is allowed; without a least one 1, or the maximum if that is smaller."""
    low, high, step = _bound(schema, "minimum", 1), _bound(schema, "maximum", -1), schema.get("multipleOf") or 1
    value = ceil(low) if low is not None else 1 if high is None else min(floor(high), 1)
    multiple = ceil(value / step) * step
    return int(multiple if high is None or multiple <= high else floor(high / step) * step)


def number(schema: Json) -> float:
    """The least number that is allowed; without a least one 1, or the maximum if that is smaller."""
    low, high, step = _bound(schema, "minimum", 0), _bound(schema, "maximum", 0), schema.get("multipleOf")
    value: float = low if low is not None else 1 if high is None else min(high, 1)
    excluded = (schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum"))
    if step:
        value = ceil(value / step) * step
        return value + step if value in excluded else value
    if value in excluded:
        other = (value + 2 if high is None else high) if low is not None else value - 2
        value = (value + other) / 2
    return value


def _bound(schema: Json, keyword: str, step: int) -> int | float | None:
    """The inclusive bound, or the exclusive one moved by `step` to the inside."""
    exclusive = schema.get(keyword.replace("m", "exclusiveM", 1))
    found = [schema[keyword]] if keyword in schema else []
    if isinstance(exclusive, int | float) and not isinstance(exclusive, bool):
        whole = floor(exclusive) if step > 0 else ceil(exclusive)
        found.append(whole + step if step else exclusive)
    return (max if keyword == "minimum" else min)(found, default=None)


def text(schema: Json, name: str) -> str:
    """A text that is allowed: an example of its format, or `name`, or what its pattern matches."""
    least, most = ceil(schema.get("minLength") or 0), schema.get("maxLength")
    plain = FORMAT_EXAMPLES.get(str(schema.get("format")), name).ljust(least, "x")
    plain = plain if most is None else plain[: floor(most)]
    pattern = schema.get("pattern")
    if not isinstance(pattern, str) or matches(pattern, plain):
        return plain
    found = matching_text(pattern, least=least, most=most)
    return plain if found is None else found
