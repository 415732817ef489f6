"""Replaces what JSON does not have by the nearest value that it has: numpy's arrays, dates, sets, lone surrogates.

Pure; `adapt` calls `valid_json` before the rules, so that these see plain values. A value that is valid already, which
is the usual case, is checked fast and not copied. Nothing imports numpy: its values are known by their methods.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from io import IOBase
from math import isfinite
from numbers import Real
from typing import Any, cast

from pydantic_core import to_jsonable_python

from kimi_openai._internal.surrogates import REPLACEMENT, has_surrogates, joined
from kimi_openai.errors.exceptions import Note
from kimi_openai.messages.plain import container_of

from .rule import fatal

__all__ = ["valid_json"]

SCALARS = frozenset({int, bool, type(None)})


def valid_json(value: Any, where: str = "") -> tuple[Any, tuple[Note, ...]]:
    """The value as the JSON encoder takes it, and a note for each value that JSON does not have.

    Objects, mappings and iterables become dicts and lists, as by the SDK, without a note. `where` is the place of the
    value in the body. A value that is valid is returned as it is.

    >>> from decimal import Decimal
    >>> value, notes = valid_json({"stop": ("a", "b"), "temperature": Decimal("0.5")})
    >>> value, [note.where for note in notes]
    ({'stop': ['a', 'b'], 'temperature': 0.5}, ['temperature'])
    """
    notes: list[Note] = []
    try:
        if _is_valid(value):
            return value, ()
        return _Conversion(notes).convert(value, where), tuple(notes)
    except RecursionError:
        why = "it holds itself, or is nested too deep"
        return value, (*notes, fatal("json", where or "body", why, "send a value that JSON can hold"))


def _is_valid(value: Any) -> bool:
    """Whether the value has only plain dicts with text keys, lists, encodable text, numbers, booleans and None."""
    kind = type(cast(object, value))
    if kind is str:
        return not has_surrogates(value)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or not (key.isascii() or _is_valid(key)):
                return False
            if type(item) is str and item.isascii():  # the usual case; saves a call
                continue
            if not _is_valid(item):
                return False
        return True
    if kind is list:
        return all(map(_is_valid, value))
    return kind in SCALARS or (kind is float and isfinite(value))


class _Conversion:
    def __init__(self, notes: list[Note]) -> None:
        self.notes = notes

    def convert(self, value: Any, where: str) -> Any:
        """The value in JSON's types; values that are valid are shared with the result."""
        if _is_valid(value):
            return value
        if isinstance(value, str | int | float) and isinstance(value, Enum):
            value = cast(Any, value).value
        if isinstance(value, str):
            return self._text(value, where)
        if isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
            return value
        container = container_of(value)
        if isinstance(container, dict):
            items = container.items()
            return {self._key(key, where): self.convert(item, _inside(where, key)) for key, item in items}
        if container is not None:
            return [self.convert(item, _inside(where, number)) for number, item in enumerate(container)]
        return self._nearest(value, where)

    def _text(self, text: str, where: str) -> str:
        sent = joined(text)
        if sent.count(REPLACEMENT) > text.count(REPLACEMENT):
            change, why = "sent with U+FFFD in it", "half of a character (a lone surrogate) cannot be encoded"
            self.notes.append(Note("surrogate", where, change, why, "decode the text with errors='replace'"))
        return sent

    def _key(self, key: Any, where: str) -> Any:
        if isinstance(key, str):
            return self._text(key, where)
        if key is None or isinstance(key, bool | int | float):
            return key  # the encoder writes it as text
        sent = self._nearest(key, where)
        return sent if isinstance(sent, str | int | float) else str(sent)

    def _nearest(self, value: Any, where: str) -> Any:
        name = type(value).__name__
        try:
            nearest = _nearest(value)
        except RecursionError:
            raise
        except Exception as error:
            is_number = isinstance(value, float | Decimal)
            why = f"JSON has no {value}" if is_number else f"JSON has no {name}, and nothing that is near to it"
            fix = "send a text, a number, a list or a dict"
            if isinstance(error, UnicodeDecodeError):
                fix = "send text; kimi_openai.image_part(bytes) and upload_media send images and videos"
            self.notes.append(fatal("json", where, why, fix))
            return None
        change = f"sent as {_kind(nearest)}"
        self.notes.append(Note("json", where, change, f"JSON has no {name}", f"write {_kind(nearest)}"))
        return self.convert(nearest, where)


def _inside(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _nearest(value: Any) -> Any:
    """The nearest value of JSON's types, or a list or dict of any values. Raises any exception if there is none."""
    for kind, convert in NEAREST:
        if isinstance(value, kind):
            return convert(value)
    if isinstance(value, type | IOBase):
        raise TypeError(value)
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if hasattr(value, "tolist"):
        is_time = getattr(getattr(value, "dtype", None), "kind", "") == "M"  # as a number its unit would be lost
        return (value.astype(str) if is_time else value).tolist()
    if hasattr(value, "__array__"):
        return value.__array__().tolist()
    return to_jsonable_python(value)


def _number(value: Any) -> int | float:
    number = int(value) if value == int(value) else float(value)
    if not isfinite(number):
        raise ValueError(value)
    return number


NEAREST: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (Enum, lambda value: value.value),
    ((date, time), lambda value: value.isoformat()),
    ((set, frozenset), lambda value: sorted(value, key=str)),  # always in the same order, for the prompt cache
    ((bytes, bytearray, memoryview), lambda value: bytes(value).decode()),
    (os.PathLike, os.fspath),
    ((Decimal, Real), _number),
)


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "a text"
    if isinstance(value, int | float):
        return "a number"
    return "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else "its value"
