"""JSON Schema becomes Moonshot Flavored JSON Schema (MFJS), the dialect that Kimi accepts.

`convert` is the entry; the other modules read a schema into nodes, combine them, and resolve references.
"""

from .convert import to_mfjs

__all__ = ["to_mfjs"]
