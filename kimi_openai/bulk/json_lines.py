"""One line of an output or error file as it is read again."""

from __future__ import annotations

import json
from typing import Any

from kimi_openai._internal.json_values import is_dict

__all__ = ["parsed"]


def parsed(line: bytes) -> dict[str, Any] | None:
    """The record in a line, `None` if it is damaged or has no `custom_id`.

    >>> parsed(b'{"custom_id": "a"}'), parsed(b'{"custom_id": "a')
    ({'custom_id': 'a'}, None)
    """
    try:
        record: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if is_dict(record) and isinstance(record.get("custom_id"), str) else None
