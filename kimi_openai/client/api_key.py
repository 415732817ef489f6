"""The check of an API key, for keys given as a string and for callables that return one.

No message contains any part of a key. `settings.py` decides which key is used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Any

from kimi_openai.errors.exceptions import SettingsError

__all__ = ["AsyncCheckedKey", "CheckedKey", "check_header", "check_key", "is_openai_key"]

QUOTES = "\"'`“”‘’"

OPENAI_FORMS = ("sk-proj-", "sk-svcacct-", "sk-admin-")
"""How the keys of OpenAI's projects, service accounts and administrators begin. Older ones have the form of Kimi's."""

OPENAI_NAME = "OPENAI_API_KEY"


def is_openai_key(key: object, environ: Mapping[str, str]) -> bool:
    """Whether a key is OpenAI's: by its form, or because it is the value of `OPENAI_API_KEY`.

    >>> is_openai_key("sk-proj-x", {}), is_openai_key("sk-x", {"OPENAI_API_KEY": "sk-x"}), is_openai_key("sk-x", {})
    (True, True, False)
    """
    if not isinstance(key, str) or not key.strip():
        return False
    return _has_openai_form(key) or key.strip() == environ.get(OPENAI_NAME, "").strip()


def check_key(key: object, source: str) -> None:
    """Raises `SettingsError` if `key` cannot be a key. The message says what is wrong and does not show the key."""
    problem = _problem(key)
    if problem:
        raise SettingsError(f"the Kimi API key ({source}) {problem}")


def check_header(authorization: str, is_accepted: Callable[[str], bool]) -> None:
    """Raises `SettingsError` if the header that is about to be sent has a key of OpenAI in it, whoever set it.

    `is_accepted`: whether a key that is also the value of `OPENAI_API_KEY` is one for Kimi.
    """
    key = authorization.rpartition(" ")[2]
    if is_openai_key(key, os.environ) and (_has_openai_form(key) or not is_accepted(key)):
        raise SettingsError("the Authorization header has a key of OpenAI in it; it was not sent to Kimi")


def _has_openai_form(key: str) -> bool:
    return key.strip(QUOTES + " \t\r\n").startswith(OPENAI_FORMS)


def _problem(key: object) -> str | None:
    if not isinstance(key, str):
        return f"is a {type(key).__name__}; pass a string or a callable that returns one"
    if not key.strip():
        return "is empty; paste the key from the platform's console"
    if _has_openai_form(key):
        return (
            "has the form of a key of OpenAI and is not sent to Kimi; use one of platform.kimi.ai or platform.kimi.com"
        )
    if key.startswith("${") and key.endswith("}"):
        return "is the name of a variable in ${...}, which a .env file does not replace here; write the key itself"
    if key[0] in QUOTES or key[-1] in QUOTES:
        return "has quotes around it; write it without them"
    if re.search(r"\s", key):
        where = "a newline" if "\n" in key or "\r" in key else "white space"
        return f"has {where} in it; remove it (a copied line often brings one along)"
    if not key.isascii() or not key.isprintable():
        return "has characters in it that no key has; copy it again from the platform's console"
    return None


class CheckedKey:
    """An `api_key` callable whose values are checked like a key given as a string.

    `check` takes a value and returns the key to send. Without it, a newline in a key would be reported as a connection
    error, and a key of OpenAI would be sent.
    """

    def __init__(self, key: Callable[[], Any], check: Callable[[object], Any]) -> None:
        self.key, self.check = key, check

    def __call__(self) -> Any:
        return self.check(self.key())

    @classmethod
    def wrap(cls, key: Any, check: Callable[[object], Any]) -> Any:
        """A callable with the check around it, once however often a client is copied; a string as it is."""
        return cls(key, check) if callable(key) and not isinstance(key, CheckedKey) else key


class AsyncCheckedKey(CheckedKey):
    """The same for asynchronous clients: the callable may return an awaitable."""

    async def __call__(self) -> Any:
        value: Any = self.key()
        return self.check(await value if isawaitable(value) else value)
