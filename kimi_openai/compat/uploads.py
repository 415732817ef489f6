"""The rule for uploads: the `purpose` of a file."""

from __future__ import annotations

from .rule import Body, Changes, changed

__all__ = ["purpose"]

PURPOSES = frozenset({"file-extract", "image", "video", "batch", "batch_output", "lambda"})
"""The purposes that Kimi accepts, as its own error lists them."""


def purpose(body: Body) -> Changes | None:
    """OpenAI's `vision` becomes `image`; its other purposes become `file-extract`."""
    asked = body.get("purpose")
    if not isinstance(asked, str) or asked in PURPOSES:
        return None
    nearest = "image" if asked == "vision" else "file-extract"
    why = f"Kimi answers 400 'Invalid purpose: {asked}, only `file-extract`, `batch`, ... accepted'"
    fix = "write purpose='file-extract' for documents, 'image' or 'video' for media (kimi_openai.upload_media)"
    return changed("purpose", {"purpose": nearest}, f"sent as {nearest!r}", why, fix)
