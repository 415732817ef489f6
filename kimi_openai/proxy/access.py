"""Who may use the proxy: only who shows its token. Pure; nothing here quotes a token."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping

from kimi_openai.errors.exceptions import SettingsError

__all__ = ["check_token", "is_allowed", "new_token"]

KEY_HEADERS = ("x-api-key", "api-key")
"""Where some programs send their key instead of `Authorization`."""


def new_token() -> str:
    """A token of 256 random bits. It begins as keys do, for programs that check that."""
    return f"sk-proxy-{secrets.token_urlsafe(32)}"


def check_token(token: str) -> str:
    """The token. Raises `SettingsError` if no header can have it."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SettingsError("the token must be of printable ASCII characters, without spaces, and not empty")
    return token


def is_allowed(token: str, headers: Mapping[str, str]) -> bool:
    """Whether a request shows the token. The comparison takes the same time wherever two tokens differ.

    >>> is_allowed("t", {"authorization": "Bearer t"}), is_allowed("t", {"authorization": "Bearer "})
    (True, False)
    """
    scheme, _, shown = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        shown = next((headers[name] for name in KEY_HEADERS if name in headers), "")
    return hmac.compare_digest(shown.strip().encode(errors="surrogateescape"), token.encode())
