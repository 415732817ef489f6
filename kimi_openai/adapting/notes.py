"""The notes on a request as the value of a response header, for programs that see nothing else of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from kimi_openai.errors.exceptions import Note

__all__ = ["NOTES_HEADER", "notes_header"]

NOTES_HEADER = "x-kimi-notes"

LONGEST = 2000
"""Characters of the header. Some servers refuse all headers together from 8 KB on."""


def notes_header(notes: Iterable[Note]) -> str:
    r"""Places and changes in one line of ASCII, at most 2000 characters long; "" without notes.

    >>> notes_header([Note("user", "user", "left out", "", ""), Note("unknown", "ü\n", "left out", "", "")])
    'user: left out; \\xfc\\n: left out'
    """
    text = "; ".join(f"{note.where}: {note.change}" for note in notes)
    line = text.encode("unicode_escape").decode("ascii")
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 4]} ..."
