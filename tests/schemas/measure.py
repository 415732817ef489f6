"""Converts schemas, checks the results with the emulator's validator at each level, and counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from kimi_openai.emulator import mfjs_problem
from kimi_openai.mfjs.convert import to_mfjs
from tests.mfjs.answers import is_wider

__all__ = ["Counts", "measured"]

ANSWERS = 3
"""Random answers to each converted schema without a note, to be checked against the original."""


@dataclass
class Counts:
    """How many schemas were converted, to what the validator refuses at its levels, and with what loss.

    `silent`: refused at strict without a note. `noted`: with a note about a loss. `renamed`: with other names of
    properties. `wider`: without a note about a loss, but with an answer that the original refuses.
    """

    total: int = 0
    lite: int = 0
    strict: int = 0
    ultra: int = 0
    silent: int = 0
    noted: int = 0
    renamed: int = 0
    wider: int = 0


def measured(schemas: Iterable[dict[str, Any]]) -> Counts:
    """The counts for some schemas of objects."""
    counts, rng = Counts(), Random(0)
    for schema in schemas:
        result = to_mfjs(schema)
        problem = mfjs_problem(result.schema)
        counts.total += 1
        counts.lite += mfjs_problem(result.schema, level="lite") is not None
        counts.strict += problem is not None
        counts.ultra += mfjs_problem(result.schema, level="ultra") is not None
        counts.noted += bool(result.losses)
        counts.renamed += bool(result.names)
        if not result.losses:
            counts.silent += problem is not None
            counts.wider += any(is_wider(result, _by_json_schema(schema), rng) for _ in range(ANSWERS))
    return counts


def _by_json_schema(value: Any) -> Any:
    """A schema with OpenAPI 3.0's `nullable` as JSON Schema says it."""
    if isinstance(value, list):
        return [_by_json_schema(each) for each in value]
    if not isinstance(value, dict):
        return value
    schema = {key: _by_json_schema(each) for key, each in value.items() if (key, each) != ("nullable", True)}
    return schema if value.get("nullable") is not True else {"anyOf": [schema, {"type": "null"}]}
