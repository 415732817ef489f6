"""The arguments of a request in plain dicts and lists, as the SDK would convert them.

Pure. `frozen` copies what a caller passed, so that later changes of it change nothing; `compat.valid_json` replaces
what JSON does not have. Every way to send a request uses these two, and so takes the same arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import is_dataclass
from io import IOBase
from typing import Any, TypeGuard, cast

import pydantic
from pydantic_core import PydanticSerializationError

from kimi_openai._internal.json_values import ABSENT, is_object

from .builders import replay_message

__all__ = ["container_of", "frozen"]

SCALARS = frozenset({str, int, float, bool, type(None)})
NOT_LISTS = (str, bytes, bytearray, memoryview, set, frozenset, type, IOBase)
"""Iterables that are not sent as a list of their items."""


def frozen(value: Any) -> Any:
    """A copy of the value in dicts and lists: objects are dicts, iterables are lists, and what has a "not given" marker
    is left out. Other values are copied if that is possible. A value that holds itself, or is nested too deep to be
    sent, is returned as it is: `valid_json` refuses it.

    >>> frozen([{"role": "user", "content": ({"type": "text", "text": text} for text in "ab")}])
    [{'role': 'user', 'content': [{'type': 'text', 'text': 'a'}, {'type': 'text', 'text': 'b'}]}]
    """
    try:
        return _frozen(value)
    except RecursionError:
        return value


def _frozen(value: Any) -> Any:
    if type(cast(object, value)) in SCALARS:
        return value
    container = container_of(value)
    if isinstance(container, dict):
        return {key: _frozen(item) for key, item in container.items()}
    if container is not None:
        return [_frozen(item) for item in container]
    try:
        return deepcopy(value)
    except Exception:  # a caller's object may raise anything; then it is sent as it is
        return value


def container_of(value: Any) -> dict[Any, Any] | list[Any] | None:
    """The value as a new dict or list, whose items are not converted; `None` if it is neither a mapping nor an object
    of pydantic's nor an iterable.

    >>> container_of(range(2)), container_of("ab")
    ([0, 1], None)
    """
    if is_object(value):
        return {key: item for key, item in value.items() if not isinstance(item, ABSENT)}
    if isinstance(value, pydantic.BaseModel):
        return _fields_of(value)
    if _is_iterable(value) and not isinstance(value, NOT_LISTS) and not _is_converted_whole(value):
        return [item for item in value if not isinstance(item, ABSENT)]
    return None


def _is_iterable(value: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, Iterable)


def _is_converted_whole(value: object) -> bool:
    """Whether it is a dataclass or an array of numpy's or alike."""
    return is_dataclass(value) or any(hasattr(value.__class__, name) for name in ("tolist", "__array__"))


def _fields_of(value: pydantic.BaseModel) -> dict[str, Any]:
    is_answer = hasattr(value, "role") or hasattr(value, "choices")
    try:
        if is_answer:
            return dict(replay_message(cast(Any, value)))
        return value.model_dump(mode="json", exclude_unset=True, warnings=False)
    except PydanticSerializationError:  # it holds a value that JSON does not have
        fields = value.model_dump(exclude_unset=True, warnings=False)
        return dict(replay_message(fields)) if is_answer else fields
