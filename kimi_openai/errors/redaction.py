"""Takes the key out of what an exception carries: the headers of its request, and the words of a server that repeat it.

The SDK's exceptions hold the request, so a pickle, a log with all attributes or a crash report would hold the key too.
"""

from __future__ import annotations

from typing import Any

from kimi_openai._internal.secrets import MASK, mask_keys

__all__ = ["redact_request", "without_key"]

SECRET_HEADERS = ("authorization", "proxy-authorization", "api-key", "x-api-key", "cookie")
REDACTED = "[redacted]"

SHORTEST_KEY = 6
"""Shorter keys, as in tests, are not looked for in texts: they are parts of ordinary words."""


def redact_request(request: Any) -> None:
    """Replace the values of the headers with secrets in them. To be called once the request is not sent again."""
    headers: Any = getattr(request, "headers", {})
    for name in SECRET_HEADERS:
        if name in headers:
            headers[name] = REDACTED


def without_key(text: str, request: Any) -> str:
    """The text without the key that the request was sent with, whatever its form, and without what looks like one."""
    key = request.headers.get("authorization", "").rpartition(" ")[2]
    if len(key) >= SHORTEST_KEY and key != REDACTED:
        text = text.replace(key, MASK)
    return mask_keys(text)
