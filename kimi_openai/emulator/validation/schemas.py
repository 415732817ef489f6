"""Whether Kimi refuses a schema at the level in `Behaviour.schema_level`. The rules themselves are in `mfjs`."""

from __future__ import annotations

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.errors import Problem
from kimi_openai.emulator.json_values import Json
from kimi_openai.emulator.mfjs.validator import mfjs_problem

__all__ = ["schema_problem"]


def schema_problem(schema: Json, field: str, behaviour: Behaviour) -> Problem | None:
    """400 with the first violation in the schema that `field` holds, or None."""
    details = mfjs_problem(schema, level=behaviour.schema_level)
    return Problem(f"{field} is not a valid moonshot flavored json schema, details: <{details}>") if details else None
