"""A warning that points at the user's own line, past every frame of this package and of the SDK."""

from __future__ import annotations

import inspect
import warnings

__all__ = ["warn"]

INSIDE = (__name__.partition(".")[0], "openai")

_told: set[tuple[str, str, int]] = set()


def warn(message: str, category: type[Warning], *, once: str = "") -> None:
    """Warn at the nearest caller outside; as always, a filter may show each place once, or raise.

    `once` names what it is about: a place is told of that once, whatever the message, unless a filter says "always".
    (The memory of the `warnings` module is lost at every `catch_warnings`, anywhere in the process.)
    """
    depth, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in INSIDE:
        depth, frame = depth + 1, frame.f_back
    place = (once, frame.f_code.co_filename, frame.f_lineno) if frame is not None else (once, "", 0)
    if once and place in _told and _action(category) != "always":
        return
    warnings.warn(message, category, stacklevel=depth)
    _told.add(place)


def _action(category: type[Warning]) -> str:
    """What the first filter for a category says, whatever module and message it is for."""
    return next((rule[0] for rule in warnings.filters if issubclass(category, rule[2])), "default")
