"""Type guards for JSON values, a tolerant parser, and SDK objects as plain dicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard, cast

import openai
import pydantic

__all__ = ["ABSENT", "Json", "as_dict", "as_list", "dump_model", "is_array", "is_dict", "is_object", "to_json"]

Json = Mapping[str, Any]
"""A JSON object that is only read."""

ABSENT = (openai.NotGiven, openai.Omit)
"""The types of the SDK's markers for an argument that was not passed."""


def is_object(value: object) -> TypeGuard[Json]:
    """Whether the value is a JSON object."""
    return isinstance(value, Mapping)


def is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether the value is a plain dict."""
    return type(value) is dict


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether the value is a JSON array."""
    return isinstance(value, list)


def as_dict(value: object) -> Json:
    """The value if it is a JSON object, else an empty one."""
    return value if is_object(value) else {}


def as_list(value: object) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if is_array(value) else []


def to_json(value: Any) -> Json:
    """An SDK object as the dict of its JSON, without nulls; a dict is returned as it is."""
    return dump_model(value) if isinstance(value, pydantic.BaseModel) else cast(Json, value)


def dump_model(model: pydantic.BaseModel, *, exclude: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A pydantic object as the dict of its JSON, without nulls and without the fields in `exclude`."""
    try:
        return model.model_dump(mode="json", exclude_none=True, warnings=False, exclude=set(exclude))
    except ValueError:  # a name in it has half a surrogate pair, or a number is very large
        return {name: _plain(value) for name, value in model if value is not None and name not in exclude}


def _plain(value: Any) -> Any:
    if isinstance(value, pydantic.BaseModel):
        return {name: _plain(part) for name, part in value if part is not None}
    return list(map(_plain, value)) if is_array(value) else value
