"""Whether the body of a request can be sent again for a retry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["can_be_sent_again"]


def can_be_sent_again(options: Any) -> bool:
    """Whether all content and files of a request, in the SDK's options, can be read more than once."""
    return all(map(_is_rereadable, _contents(options)))


def _contents(options: Any) -> Iterator[Any]:
    yield getattr(options, "content", None)
    files: Any = getattr(options, "files", None) or ()
    for entry in files.items() if hasattr(files, "items") else files:
        file: Any = entry[1]
        yield file[1] if type(file) is tuple else file


def _is_rereadable(content: Any) -> bool:
    if hasattr(content, "read"):
        try:
            return bool(content.seekable())
        except (AttributeError, OSError, ValueError):
            return False
    return content is None or isinstance(content, str | bytes | bytearray | list | tuple)
