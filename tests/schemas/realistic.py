"""Schemas as they are written: by pydantic from models made at run time, by zod, by tool servers, in OpenAPI files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from .python_types import of_dataclass, of_model, of_typed_dict
from .written import by_openapi, by_tool_server, by_zod

__all__ = ["KINDS", "several"]

Json = dict[str, Any]

KINDS: dict[str, Callable[[Random], Json]] = {
    "pydantic": of_model,
    "dataclass": of_dataclass,
    "TypedDict": of_typed_dict,
    "zod": by_zod,
    "tool server": by_tool_server,
    "OpenAPI": by_openapi,
}


def several(kind: str, count: int, seed: int) -> Iterator[Json]:
    """The first schemas of a kind and a seed."""
    rng = Random(f"{kind} {seed}")
    return (KINDS[kind](rng) for _ in range(count))
