"""Numbers that count tokens, in a usage as it came. Pure."""

from __future__ import annotations

from typing import Any

from .json_values import is_object

__all__ = ["checked_usage", "count_of"]

LARGEST = 2**53 - 1
"""The largest integer that every JSON parser reads exactly."""


def count_of(value: object) -> int | None:
    """A number as a count of tokens; `None` if it cannot be one: negative, not whole, or too large.

    >>> count_of(3), count_of(3.0), count_of(True), count_of(-3), count_of(float("nan"))
    (3, 3, None, None, None)
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= LARGEST else None


def checked_usage(value: object) -> dict[str, Any] | None:
    """The usage of an answer without the numbers that cannot be counts; `None` if the value is no usage.

    >>> checked_usage({"prompt_tokens": 5, "total_tokens": True, "prompt_tokens_details": [1], "cached_tokens": None})
    {'prompt_tokens': 5, 'cached_tokens': None}
    """
    if not is_object(value):
        return None
    usage = {name: _checked_part(name, part) for name, part in value.items()}
    return {name: part for name, part in usage.items() if part is not None or value[name] is None}


def _checked_part(name: str, part: Any) -> Any:
    if name.endswith("_tokens"):
        return count_of(part)
    if name.endswith("_tokens_details"):
        return checked_usage(part)
    return None if isinstance(part, int | float) and not abs(part) <= LARGEST else part
