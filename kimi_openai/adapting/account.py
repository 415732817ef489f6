"""Which base URL and key a request of another client is sent with: its own, or those that our client finds.

Pure, except for reading the environment. `kimi_clients` calls it for each request. No message contains a key.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kimi_openai._internal.secrets import shown
from kimi_openai.client.api_key import is_openai_key
from kimi_openai.client.base_url import has_loopback_host, is_moonshots, is_openais
from kimi_openai.errors.exceptions import SettingsError

__all__ = ["Account", "account_for", "divided_url"]

CHAT_PATH = "/chat/completions"


@dataclass(frozen=True, slots=True)
class Account:
    """The arguments `api_key` and `base_url` of `create_client`; `None`: what it finds without."""

    api_key: Any = field(repr=False)
    base_url: str | None


def divided_url(url: str) -> tuple[str, str] | None:
    """The base URL and the path below it, `None` if it is not a URL of an OpenAI-compatible API.

    >>> divided_url("https://api.openai.com/v1/chat/completions?a=1")
    ('https://api.openai.com/v1', '/chat/completions?a=1')
    >>> divided_url("https://example.com/a.png") is None
    True
    """
    path, mark, query = url.partition("?")
    if path.endswith(CHAT_PATH):
        return path.removesuffix(CHAT_PATH), f"{CHAT_PATH}{mark}{query}"
    base, version, rest = path.partition("/v1/")
    return (f"{base}/v1", f"/{rest}{mark}{query}") if version else None


def account_for(base_url: str, key: str, own: Account, find_url: Callable[[], str]) -> Account:
    """The account for a request to `base_url` that came with `key` ("" if with none).

    `own` is what was passed to our side. A request to OpenAI's API goes to our base URL instead. A key of OpenAI is
    replaced by our own key, which goes only to Moonshot's hosts, to this machine, and to our own base URL (`find_url`
    looks it up). Raises `SettingsError` if it would go elsewhere.
    """
    has_key = bool(key.strip()) and not is_openai_key(key, os.environ)
    if is_openais(base_url):
        return Account(own.api_key or (key if has_key else None), own.base_url)
    if has_key and own.api_key is None:
        return Account(key, base_url)
    if is_moonshots(base_url) or has_loopback_host(base_url) or _same(base_url, own.base_url or find_url()):
        return Account(own.api_key, base_url)
    if has_key:
        return Account(key, base_url)
    raise SettingsError(
        f"the request is for {shown(base_url)} and has no Kimi key (a key of OpenAI does not count); yours for "
        f"Kimi is not sent there: pass base_url={shown(base_url)} if you mean it"
    )


def _same(base_url: str, other: str) -> bool:
    return base_url.rstrip("/") == other.rstrip("/")
