"""Whether a file that is there already was written by a bulk run. Another file must be left as it is."""

from __future__ import annotations

from collections.abc import Iterable

from .json_lines import parsed

__all__ = ["foreign_part"]

DAMAGE = b"\0 \t\r\n"
"""What power loss leaves of a line, and blanks that a damaged line was overwritten with."""

BEGINNINGS = (b'{"id":', b'{"custom_id":')


def foreign_part(lines: Iterable[bytes]) -> str:
    """What shows that these are not the lines of an output or error file; "" if nothing does.

    >>> foreign_part([b"Dear diary,\\n"]), foreign_part([b'{"id":"a","custom']), foreign_part([])
    ('line 1 is no answer', '', '')
    """
    damaged = 0
    for number, line in enumerate(lines, 1):
        text = line.strip(DAMAGE)
        if not text:
            continue
        record = parsed(line)
        if record is not None:
            is_request = "body" in record and "response" not in record
            return f"line {number} is a request" if is_request else ""
        if not line.endswith(b"\n") and any(text.startswith(begin[: len(text)]) for begin in BEGINNINGS):
            return ""  # the first line of a run that was killed
        if b"\0" not in line:
            return f"line {number} is no answer"
        damaged = damaged or number
    return f"line {damaged} is no answer" if damaged else ""
