"""A warning that names the user's own line, not a line of this package, of the SDK or of a framework."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from .secrets import mask_keys
from .user_line import user_frame

__all__ = ["no_warnings", "warn"]

_is_quiet: ContextVar[bool] = ContextVar("kimi_openai_is_quiet", default=False)

_already_warned: set[tuple[str, str, int]] = set()


def warn(message: str, category: type[Warning], *, once: str = "") -> None:
    """Warn at the line of the user's code that made the call (see `user_frame`). The warning filters apply as usual.
    What looks like a key in the message is masked.

    `once` names the subject: each place gets one warning about it, even if the messages differ, unless a filter says
    "always". (The `warnings` module forgets what it has shown whenever a `catch_warnings` block is left, anywhere in
    the process; this memory stays.)
    """
    if _is_quiet.get():
        return
    frame = user_frame()
    filename, line = (frame.f_code.co_filename, frame.f_lineno) if frame is not None else ("sys", 1)
    place = (once, filename, line)
    if once and place in _already_warned and _action(category) != "always":
        return
    names = frame.f_globals if frame is not None else {}
    warnings.warn_explicit(
        mask_keys(message),
        category,
        filename,
        line,
        module=names.get("__name__"),
        registry=names.setdefault("__warningregistry__", {}),
    )
    _already_warned.add(place)


@contextmanager
def no_warnings() -> Generator[None, None, None]:
    """`warn` does nothing in the `with` block, in this thread or task: no line of the user's is to blame."""
    token = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(token)


def _action(category: type[Warning]) -> str:
    """The action of the first filter for this category, whatever module and message the filter is for."""
    return next((rule[0] for rule in warnings.filters if issubclass(category, rule[2])), "default")
