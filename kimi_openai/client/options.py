"""The options of a client: our own as a frozen record with their defaults, and all keywords for type checkers.

A new option is added twice here: to `Options` with its default, and to `SharedOptions` with the type that callers see.
`create_client` documents each. The modules that act on an option read it from `client.kimi_options`.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, Protocol, TypedDict

import openai

from kimi_openai._internal.secrets import shown
from kimi_openai.errors.exceptions import Note, SettingsError
from kimi_openai.limits.limiter import Gate, Limits
from kimi_openai.messages.reasoning_memory import ReasoningMemory
from kimi_openai.models.tiers import TIERS
from kimi_openai.responses.memory import ResponseMemory
from kimi_openai.retry.events import OnRetry
from kimi_openai.usage.normalize import Observer

from .base_url import Region
from .env_file import ENV_FILE, EnvFile
from .settings import Found

__all__ = ["AsyncClientOptions", "ClientOptions", "Compat", "Options", "Origin", "SharedOptions", "with_environment"]

MODE_NAME = "KIMI_COMPAT"
ALIASES_NAME = "KIMI_MODEL_ALIASES"

Compat = Literal["adapt", "strict", "off"]
"""What happens to a request that Kimi does not accept: it is changed, it is an error, or it is sent as it is."""


class URL(Protocol):
    """A URL object of the SDK's HTTP library (httpx or httpx2)."""

    @property
    def scheme(self) -> str: ...
    @property
    def host(self) -> str: ...


class SharedOptions(TypedDict, total=False):
    """The keywords that both clients, their factories and `with_options()` take; ours first, then the SDK's."""

    region: Region | None
    allow_http: bool
    compat: Compat | None
    on_note: Callable[[Note], object] | None
    model_aliases: Mapping[str, str] | None
    fetch_images: bool
    remember_reasoning: bool
    patience: float | None
    on_retry: OnRetry | None
    max_concurrency: int | Gate | None
    response_memory: ResponseMemory | str | os.PathLike[str] | None
    limits: Limits | str | None

    base_url: str | URL | openai.NotGiven | None
    websocket_base_url: str | URL | None
    timeout: float | openai.Timeout | openai.NotGiven | None
    max_retries: int | openai.NotGiven
    default_headers: Mapping[str, str] | None
    default_query: Mapping[str, object] | None
    webhook_secret: str | None
    # Accounts of OpenAI: not sent, with a warning.
    organization: str | None
    project: str | None
    admin_api_key: str | None
    # Other ways to log in to OpenAI, in newer SDKs: refused.
    workload_identity: object
    provider: object
    data_residency: object
    _enforce_credentials: bool | None


class ClientOptions(SharedOptions, total=False):
    """The keywords of `create_client`, `KimiOpenAI` and its `with_options()`."""

    api_key: str | Callable[[], str] | None
    http_client: openai.DefaultHttpxClient | None


class AsyncClientOptions(SharedOptions, total=False):
    """The keywords of `create_async_client`, `AsyncKimiOpenAI` and its `with_options()`."""

    api_key: str | Callable[[], Awaitable[str]] | None
    http_client: openai.DefaultAsyncHttpxClient | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the settings of a client are from, for its copies and its requests: where a key is looked up, the base URL
    if only the keys of its file may be sent there, and the key that was accepted."""

    env_file: EnvFile = ENV_FILE
    restricted_url: Found | None = None
    api_key: object = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Our options with their defaults. Every copy of a client carries them on.

    An int as `max_concurrency` becomes a `Gate`, the name of a tier as `limits` becomes `Limits`, and a path as
    `response_memory` a `ResponseMemory`. Copies share them, the `reasoning_memory`, and the memory that a client makes
    itself, which is in `own_memory`. `observers` is for `track`: functions that are called with model and usage at the
    end of each answer; copies share the list. `origin` is set by the constructor; a constructor that is called with it
    makes a copy.
    """

    region: Region | None = None
    allow_http: bool = False
    compat: Compat | None = None
    on_note: Callable[[Note], object] | None = None
    model_aliases: Mapping[str, str] | None = None
    fetch_images: bool = False
    remember_reasoning: bool = True
    patience: float | None = None
    on_retry: OnRetry | None = None
    max_concurrency: Gate | None = None
    limits: Limits | None = None
    response_memory: ResponseMemory | None = None
    own_memory: dict[str, ResponseMemory] = field(default_factory=dict[str, Any], repr=False, compare=False)
    observers: list[Observer] = field(default_factory=list[Observer], repr=False, compare=False)
    reasoning_memory: ReasoningMemory = field(default_factory=ReasoningMemory, repr=False, compare=False)
    origin: Origin | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        patience: Any = self.patience
        limit: Any = self.max_concurrency
        if patience is not None and not (isinstance(patience, int | float) and patience > 0):
            raise SettingsError(f"patience is {shown(patience)}; it is a number of seconds above 0, or None")
        if limit is not None and not isinstance(limit, Gate):
            if not isinstance(limit, int) or limit < 1:
                raise SettingsError(f"max_concurrency is {shown(limit)}; it is a number of requests from 1 up, or None")
            object.__setattr__(self, "max_concurrency", Gate(limit))
        if isinstance(self.response_memory, str | os.PathLike):
            object.__setattr__(self, "response_memory", ResponseMemory(self.response_memory))
        memory: Any = self.response_memory
        if memory is not None and not isinstance(memory, ResponseMemory):
            raise SettingsError(f"response_memory is {shown(memory)}; it is a path, a ResponseMemory, or None")
        object.__setattr__(self, "limits", _as_limits(self.limits))

    @property
    def limiters(self) -> tuple[Limits, ...]:
        """What each attempt waits at, in this order."""
        return tuple(each for each in (self.max_concurrency, self.limits) if each is not None)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The keywords that are ours and not the SDK's."""
        return tuple(each.name for each in fields(cls))

    def as_keywords(self) -> dict[str, Any]:
        """The keywords for a copy's constructor. Values are shared, not copied."""
        return {name: getattr(self, name) for name in self.names()}


def _as_limits(limits: Any) -> Limits | None:
    if limits is None or isinstance(limits, Limits):
        return limits
    try:
        return Limits(limits)
    except (ValueError, TypeError):
        tiers = ", ".join(map(repr, TIERS))
        raise SettingsError(f"limits is {shown(limits)}; write Limits(...), one of {tiers}, or None") from None


def with_environment(options: Options, environ: Mapping[str, str] | None = None) -> Options:
    """The options with `compat` and `model_aliases` from `KIMI_COMPAT` and `KIMI_MODEL_ALIASES` if they are not set.

    `environ`: `os.environ` if `None`. Raises `SettingsError` for values that are not valid.

    >>> with_environment(Options(), {"KIMI_MODEL_ALIASES": "gpt-4o=kimi-k3"}).model_aliases
    {'gpt-4o': 'kimi-k3'}
    """
    environ = os.environ if environ is None else environ
    compat: Any = options.compat or environ.get(MODE_NAME, "").strip().lower() or "adapt"
    if compat not in ("adapt", "strict", "off"):
        raise SettingsError(f"compat is {shown(compat)}; write 'adapt', 'strict' or 'off' (argument or {MODE_NAME})")
    aliases = options.model_aliases
    if aliases is None:
        aliases = dict(_alias(pair) for pair in environ.get(ALIASES_NAME, "").split(",") if pair.strip())
    return replace(options, compat=compat, model_aliases=aliases)


def _alias(pair: str) -> tuple[str, str]:
    name, equals, model = map(str.strip, pair.partition("="))
    if not (name and equals and model):
        raise SettingsError(
            f"{ALIASES_NAME} has {shown(pair.strip())} in it; write 'gpt-4o=kimi-k3,gpt-4o-mini=kimi-k3.1-pro'"
        )
    return name, model
