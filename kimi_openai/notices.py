"""A warning that points at the user's own line, past every frame of this package and of the SDK."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn"]

INSIDE = (__name__.partition(".")[0], "openai")


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the nearest caller outside; as always, a filter may show each place once, or raise."""
    depth, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in INSIDE:
        depth, frame = depth + 1, frame.f_back
    warnings.warn(message, category, stacklevel=depth)
