"""JSON values: type guards, and JSON text in the form that Kimi writes. All modules of the emulator use it."""

from __future__ import annotations

import json
from typing import Any, TypeGuard

__all__ = ["Json", "encode", "is_array", "is_object"]

Json = dict[str, Any]
"""A JSON object."""

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""JSON text as the platform writes it: no spaces, UTF-8 as it is."""


def is_object(value: object) -> TypeGuard[Json]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)
