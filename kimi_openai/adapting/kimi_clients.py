"""Our clients for the requests of other clients: one for each key and base URL.

They share connections, limits and all else that copies of a client share. `transport` and `kimi_openai.proxy` ask for
one with each request.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from inspect import signature
from threading import Lock
from typing import Any

from kimi_openai.client.clients import AsyncKimiOpenAI, KimiOpenAI
from kimi_openai.client.env_file import ENV_FILE, EnvFile
from kimi_openai.client.options import Options, with_environment
from kimi_openai.client.settings import resolve

from .account import Account, account_for

__all__ = ["KimiClients"]

MOST = 64
"""Clients that are kept."""


class KimiClients:
    """Makes clients of one class with the same options. Safe for threads."""

    def __init__(
        self,
        kind: type[KimiOpenAI] | type[AsyncKimiOpenAI],
        http: Any,
        options: Mapping[str, Any],
        *,
        env_file: EnvFile = ENV_FILE,
    ) -> None:
        self.http = http
        self._kind: Any = kind
        signature(kind).bind(**options)  # raises TypeError for a misspelt option
        self._options: dict[str, Any] = {**options, **_shared(options), "http_client": http, "env_file": env_file}
        own_url = self._options.pop("base_url", None)
        self._own = Account(self._options.pop("api_key", None), None if own_url is None else str(own_url).rstrip("/"))
        self._clients: OrderedDict[tuple[Any, str | None], Any] = OrderedDict()
        self._lock = Lock()
        if self._own.api_key is not None or self._own.base_url is not None:
            self.own()  # so that an error in them shows before the first request

    def own(self) -> Any:
        """The client for our own key and base URL. Raises `SettingsError` if it cannot be made."""
        return self._client(self._own)

    def client_for(self, base_url: str, key: str) -> Any:
        """The client for a request to `base_url` that came with `key`. Raises `SettingsError`, see `account_for`."""
        return self._client(account_for(base_url, key, self._own, self._find_url))

    def _find_url(self) -> str:
        options = self._options
        found = resolve(
            api_key=self._own.api_key,
            region=options.get("region"),
            env_file=options["env_file"],
            allow_http=options.get("allow_http", False),
        )
        return found.base_url

    def _client(self, account: Account) -> Any:
        name = (account.api_key, account.base_url)
        with self._lock:
            client = self._clients.get(name)
            if client is None:
                client = self._kind(api_key=account.api_key, base_url=account.base_url, **self._options)
                self._clients[name] = client
            self._clients.move_to_end(name)
            while len(self._clients) > MOST:
                self._clients.popitem(last=False)
        return client


def _shared(options: Mapping[str, Any]) -> dict[str, Any]:
    """Our own options, each made once, so that all clients have the same limits, observers and so on. Raises
    `SettingsError` for values that are not valid."""
    own = {name: value for name, value in options.items() if name in Options.names()}
    made = with_environment(Options(**own)).as_keywords()
    return {name: value for name, value in made.items() if name != "origin"}
