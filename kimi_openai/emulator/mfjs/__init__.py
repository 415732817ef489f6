"""Moonshot Flavored JSON Schema (MFJS): which schemas Kimi refuses, with the platform's paths and texts.

`validator` goes through a schema; `keywords`, `types` and `recursion` have the rules. They follow Moonshot's published
validator (MoonshotAI/walle, 2026-06-29) at each of its levels, and are written independently of the client's conversion
to MFJS, so that each can be tested against the other.
"""

from .context import Level
from .validator import mfjs_problem

__all__ = ["Level", "mfjs_problem"]
