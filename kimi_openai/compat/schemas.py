"""Converts the JSON Schemas of a request into Kimi's dialect (MFJS), cached by content. Used for tools and answers."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from kimi_openai.errors.exceptions import Note
from kimi_openai.mfjs.convert import to_mfjs
from kimi_openai.mfjs.names import Names

from .rule import fatal

__all__ = ["convert_schema"]


def convert_schema(schema: Mapping[str, Any], where: str, notes: list[Note]) -> tuple[Mapping[str, Any], Names | None]:
    """The schema in Kimi's dialect, the same object if it is in it already, and its new names, if there are any; adds a
    note for each loss to `notes`."""
    try:
        packed, losses, problem, names = _convert_packed(marshal.dumps(cast(dict[str, Any], schema), 2))
        converted = None if packed is None else marshal.loads(packed)
    except ValueError:  # not plain JSON, so it cannot be a key of the cache
        converted, losses, problem, names = _convert(schema)
    fix = "state it in the description, or check it in your code"
    notes += (Note("schema", where, loss, "Kimi's schema dialect (MFJS) cannot express it", fix) for loss in losses)
    if problem:
        notes.append(fatal("schema", where, problem, "change the schema"))
    return (schema, None) if converted is None else (converted, Names(converted, names) if names else None)


Conversion = tuple[Any, tuple[str, ...], str, Mapping[str, str]]
"""The converted schema (None if it needs no change or has none), what it lost, why it cannot be converted, and the old
names of properties by the new ones."""


def _convert(schema: Mapping[str, Any]) -> Conversion:
    try:
        result = to_mfjs(schema)
    except ValueError as problem:
        return None, (), str(problem), {}
    return (None if result.schema == schema else result.schema), result.losses, "", result.names


@lru_cache(maxsize=256)
def _convert_packed(packed: bytes) -> Conversion:
    """`_convert` by content: to pack a schema takes 1 µs, to convert it 100."""
    converted, losses, problem, names = _convert(marshal.loads(packed))
    return (None if converted is None else marshal.dumps(converted, 2)), losses, problem, names
