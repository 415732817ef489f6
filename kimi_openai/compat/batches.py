"""The rule for the creation of a batch. The requests in its file are checked when that is uploaded, see `batch_lines`.

Source: platform docs, batch pages, 2026-09-03.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kimi_openai._internal.json_values import is_object
from kimi_openai.errors.exceptions import Note

from .rule import REMOVE, Body, Changes, fatal

__all__ = ["ENDPOINT", "batch"]

ENDPOINT = "/v1/chat/completions"
"""The only endpoint of batches."""

WINDOW = re.compile(r"(\d{1,4})([hd])", re.ASCII)


def batch(body: Body) -> Changes | None:
    """What Kimi does not accept in the creation of a batch; `output_expires_after` is left out."""
    fields: dict[str, Any] = {}
    notes = [*_problems(body)]
    if body.get("output_expires_after") is not None:
        fields["output_expires_after"] = REMOVE
        why = "it is not in Kimi's schema"
        notes.append(Note("output_expires_after", "output_expires_after", "left out", why, "delete the files yourself"))
    return Changes(fields, tuple(notes)) if notes else None


def _problems(body: Body) -> Iterator[Note]:
    endpoint, window, metadata = body.get("endpoint"), body.get("completion_window"), body.get("metadata")
    if endpoint not in (None, ENDPOINT):
        yield fatal("endpoint", "endpoint", f"Kimi has batches of {ENDPOINT} only", f"write {ENDPOINT!r}")
    if window is not None and not _is_window(window):
        why = "Kimi takes 12 hours to 7 days, as whole hours or days"
        yield fatal("completion_window", "completion_window", why, "write '12h', '24h', '3d' or '7d', for example")
    if metadata is not None and not _is_metadata(metadata):
        why = "Kimi takes up to 16 pairs of texts: keys up to 64, values up to 512 characters"
        yield fatal("metadata", "metadata", why, "write less, and keep the rest yourself, by the id of the batch")


def _is_window(window: object) -> bool:
    found = WINDOW.fullmatch(window) if isinstance(window, str) else None
    return found is not None and 12 <= int(found[1]) * (24 if found[2] == "d" else 1) <= 7 * 24


def _is_metadata(metadata: object) -> bool:
    return (
        is_object(metadata)
        and len(metadata) <= 16
        and all(len(key) <= 64 and isinstance(text, str) and len(text) <= 512 for key, text in metadata.items())
    )
