"""What a client's constructor is given becomes settings in force, options of ours, and options for the SDK.

Nothing of OpenAI's accounts goes on from here. `client.py` calls it before the SDK's own constructor.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from inspect import isawaitable
from typing import Any

import openai

from .errors import KimiCompatWarning, SettingsError
from .notices import warn
from .options import Options, in_force
from .settings import Settings, check_key, resolve

__all__ = ["AsyncCheckedKey", "CheckedKey", "checked", "sort"]


class CheckedKey:
    """A rotating key: each value that it gives is checked like a fixed one (a newline in it is a vague network
    error)."""

    def __init__(self, key: Callable[[], Any]) -> None:
        self.key = key

    def __call__(self) -> Any:
        value = self.key()
        check_key(value, "from the api_key callable")
        return value


class AsyncCheckedKey(CheckedKey):
    """The same for a callable that may be asynchronous."""

    async def __call__(self) -> Any:
        value: Any = self.key()
        if isawaitable(value):
            value = await value
        check_key(value, "from the api_key callable")
        return value


def checked(key: Any, wrapper: type[CheckedKey]) -> Any:
    """The key itself, or the callable that gives it with a check around it, one however often a client is copied."""
    return wrapper(key) if callable(key) and not isinstance(key, CheckedKey) else key


ACCOUNTS = ("organization", "project", "admin_api_key")
OTHER_LOGINS = ("workload_identity", "provider", "data_residency")


def sort(
    api_key: object, base_url: Any, env_file: str | os.PathLike[str] | None, options: Mapping[str, Any]
) -> tuple[Settings, Options, dict[str, Any]]:
    """A constructor's arguments as settings in force, options of ours, and options for the SDK."""
    own = Options(**{name: options[name] for name in Options.names() if name in options})
    settings = resolve(
        api_key=api_key,
        region=own.region,
        base_url=None if base_url is None or isinstance(base_url, openai.NotGiven) else str(base_url),
        env_file=env_file,
        allow_http=own.allow_http,
    )
    others = {name: value for name, value in options.items() if name not in Options.names()}
    return settings, in_force(replace(own, region=settings.region)), _without_openai_accounts(others)


def _without_openai_accounts(options: Mapping[str, Any]) -> dict[str, Any]:
    """The SDK options without OpenAI's accounts, of which Kimi has no equivalent; said aloud where one was given."""
    for name in OTHER_LOGINS:
        if options.get(name) is not None:
            raise SettingsError(f"{name} is a way to log in to OpenAI; Kimi takes an api_key only")
    for name in ACCOUNTS:
        if options.get(name) is not None:
            warn(f"{name} is OpenAI's; Kimi has no such thing and it is not sent", KimiCompatWarning)
    return {name: value for name, value in options.items() if name not in ACCOUNTS + OTHER_LOGINS}
