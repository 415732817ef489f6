"""What a Kimi client is told beyond the SDK's own options: one frozen record that every copy of the client carries on.

`client.py` takes these keywords out of its arguments and hands them back at `with_options()`; the rooms that act on one
read it from here. A default stands here and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from .errors import Note, SettingsError
from .gate import Gate
from .settings import Region
from .usages import Observer
from .waits import OnRetry

__all__ = ["Compat", "Options", "in_force"]

MODE_NAME = "KIMI_COMPAT"
ALIASES_NAME = "KIMI_MODEL_ALIASES"

Compat = Literal["adapt", "strict", "off"]
"""What becomes of a request that Kimi does not accept as it is: the nearest one that it does, an error, or itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`region`: of the account, `None` if unknown. `allow_http`: `http://` to a host that is not loopback is meant.
    `compat`: what becomes of what Kimi does not accept, `None` for the environment's word. `on_note`: called with each
    `Note` of a change. `model_aliases`: ids to send for others, `None` for the environment's. `fetch_images`: https
    images are fetched and put into the request. `patience`: seconds for one call with all its attempts, `None` for no
    limit. `on_retry`: called before each wait. `max_concurrency`: how many requests may be open, kept by a `Gate`.
    `observers`: called with model and usage at the end of each chat answer; copies share the list."""

    region: Region | None = None
    allow_http: bool = False
    compat: Compat | None = None
    on_note: Callable[[Note], object] | None = None
    model_aliases: Mapping[str, str] | None = None
    fetch_images: bool = False
    patience: float | None = None
    on_retry: OnRetry | None = None
    max_concurrency: Gate | None = None
    observers: list[Observer] = field(default_factory=list[Observer], repr=False, compare=False)

    def __post_init__(self) -> None:
        patience: Any = self.patience
        limit: Any = self.max_concurrency
        if patience is not None and not (isinstance(patience, int | float) and patience > 0):
            raise SettingsError(f"patience is {patience!r}; it is a number of seconds above 0, or None")
        if limit is not None and not isinstance(limit, Gate):
            if not isinstance(limit, int) or limit < 1:
                raise SettingsError(f"max_concurrency is {limit!r}; it is a number of requests from 1 up, or None")
            object.__setattr__(self, "max_concurrency", Gate(limit))

    @classmethod
    def names(cls) -> frozenset[str]:
        """The keywords that are ours and not the SDK's."""
        return frozenset(each.name for each in fields(cls))

    def as_keywords(self) -> Mapping[str, Any]:
        """What a copy's constructor is given; the values themselves, not copies of them."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def in_force(options: Options, environ: Mapping[str, str] | None = None) -> Options:
    """The options with mode and aliases settled: as given, else `KIMI_COMPAT` and `KIMI_MODEL_ALIASES`, else defaults.

    Raises `SettingsError` for values that mean nothing.

    >>> in_force(Options(), {"KIMI_MODEL_ALIASES": "gpt-4o=kimi-k3"}).model_aliases
    {'gpt-4o': 'kimi-k3'}
    """
    environ = os.environ if environ is None else environ
    mode: Any = options.compat or environ.get(MODE_NAME, "").strip().lower() or "adapt"
    if mode not in ("adapt", "strict", "off"):
        raise SettingsError(f"compat is {mode!r}; write 'adapt', 'strict' or 'off' (argument or {MODE_NAME})")
    aliases = options.model_aliases
    if aliases is None:
        aliases = dict(_alias(pair) for pair in environ.get(ALIASES_NAME, "").split(",") if pair.strip())
    return replace(options, compat=mode, model_aliases=aliases)


def _alias(pair: str) -> tuple[str, str]:
    name, equals, model = map(str.strip, pair.partition("="))
    if not (name and equals and model):
        raise SettingsError(f"{ALIASES_NAME} has {pair.strip()!r} in it; write 'gpt-4o=kimi-k3,gpt-4o-mini=kimi-k2.6'")
    return name, model
