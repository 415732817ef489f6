"""Bytes from a server as a JSON value: the one place where they are decoded.

Pure. What the value must look like is checked in `wire.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from jiter import from_json

from .json_values import is_array, is_dict
from .surrogates import without_surrogates

__all__ = ["decode_json", "is_json"]

DEEPEST = 201
"""Levels of nesting. The fast parser has the same limit; real answers have about ten levels."""


def decode_json(content: bytes | str, *, clean: Callable[[Any], Any] = without_surrogates) -> Any:
    r"""The value of a JSON text. Raises `ValueError`, and nothing else, if it has none.

    A byte order mark, NaN and Infinity are accepted; of a repeated key the last value counts. A value that may have
    half a surrogate pair in it goes through `clean`, which by default puts U+FFFD there. Refused are bytes that are not
    UTF-8, control characters in strings (a damaged answer would pass for a whole one), more than 201
    levels of nesting, and integers of thousands of digits.

    >>> decode_json(b'\xef\xbb\xbf{"a": 1, "a": 2}')
    {'a': 2}
    """
    try:
        return from_json(content if isinstance(content, bytes) else content.encode())
    except ValueError:  # or for something that only the slower parser accepts
        return clean(_decode_slowly(content))


def is_json(content: bytes) -> bool:
    """Whether `decode_json` accepts the content; False for none.

    >>> is_json(b'{"a": 1}'), is_json(b'{"a": '), is_json(b"")
    (True, False, False)
    """
    try:
        decode_json(content)
    except ValueError:
        return False
    return True


def _decode_slowly(content: bytes | str) -> Any:
    try:
        text = content.decode("utf-8", "surrogatepass") if isinstance(content, bytes) else content
        value = json.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _is_deeper_than(DEEPEST, value):
        raise ValueError("it is nested too deeply")
    return value


def _is_deeper_than(levels: int, value: Any) -> bool:
    """Whether a value has more levels of nesting. Not recursive, because the value may be too deep for that."""
    inner: list[Any] = [value]
    for _ in range(levels):
        inner = [item for each in inner for item in _items(each)]
        if not inner:
            return False
    return any(isinstance(each, dict | list) for each in inner)


def _items(value: Any) -> Iterable[Any]:
    if is_dict(value):
        return value.values()
    return value if is_array(value) else ()
