"""What `doctor.py` judges: facts of this machine, and what the platform answered.

Asked once each, without retries, and without an opinion; the key goes to the other region only where this one refuses
it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import openai

from . import KimiOpenAI, SettingsError, create_client
from .models import CURRENT, facts
from .settings import BASE_URLS, Region, Settings, found, resolve

__all__ = ["Answer", "Facts", "gathered", "other_region", "proxy_for", "versions"]

TIMEOUT = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request brought: `status` is `None` where nothing answered, `said` the words of an error or of success."""

    status: int | None = 200
    said: str = ""
    seconds: float = 0.0
    skew: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What `judged` judges. `openai_names` are the `OPENAI_*` variables that are set; `proxy` is a URL or `None`."""

    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    found: tuple[str, ...] = ()
    settings: Settings | None = None
    problem: str = ""
    openai_names: tuple[str, ...] = ()
    openai_has_our_key: bool = False
    openai_url: str = ""
    proxy: str | None = None
    knows_socks: bool = True
    here: Answer | None = None
    elsewhere: Answer | None = None
    call: Answer | None = None


def other_region(region: Region | None) -> Region | None:
    """The one of the two that it is not."""
    return None if region is None else "cn" if region == "ai" else "ai"


def gathered(environ: Mapping[str, str]) -> Facts:
    """The facts, with the settings of the process and the variables of `environ`."""
    known = Facts(
        versions=versions(),
        openai_names=tuple(sorted(name for name, value in environ.items() if name.startswith("OPENAI_") and value)),
        openai_url=environ.get("OPENAI_BASE_URL", ""),
        knows_socks=importlib.util.find_spec("socksio") is not None,
    )
    try:
        settings = resolve()
    except SettingsError as problem:
        return replace(known, problem=str(problem), found=found())
    known = replace(
        known,
        settings=settings,
        found=found(),
        openai_has_our_key=environ.get("OPENAI_API_KEY") == settings.api_key,
        proxy=proxy_for(settings.base_url),
    )
    here, models = _access(settings, settings.base_url)
    other = other_region(settings.region)
    if here.status == 401 and other:
        known = replace(known, elsewhere=_access(settings, BASE_URLS[other])[0])
    call = _tiny_call(settings, models) if here.status == 200 else None
    return replace(known, here=here, call=call)


def versions() -> dict[str, str]:
    """Of the packages that a call passes through."""
    library = next(name for name in _roots(openai.DefaultHttpxClient) if name != "openai")
    installed = {"python": platform.python_version()}
    return installed | {name: _version(name) for name in ("kimi-openai", "openai", library, "aiohttp")}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _roots(kind: type) -> Iterator[str]:
    return (base.__module__.partition(".")[0] for base in kind.__mro__)


def proxy_for(base_url: str) -> str | None:
    """The proxy that a request there goes through."""
    parts = urlsplit(base_url)
    proxies = urllib.request.getproxies()
    bypass = urllib.request.proxy_bypass(parts.hostname or "")
    return None if bypass else proxies.get(parts.scheme) or proxies.get("all")


def _access(settings: Settings, base_url: str) -> tuple[Answer, list[str]]:
    """What the model list answers there, and the ids in it."""

    def ask(client: KimiOpenAI) -> tuple[str, Any, list[str]]:
        answer = client.models.with_raw_response.list()
        ids = [model.id for model in answer.parse().data]
        return f"{len(ids)} models", answer.headers, ids

    return _asked(settings, base_url, ask)


def _tiny_call(settings: Settings, models: list[str]) -> Answer:
    model = CURRENT[0] if CURRENT[0] in models or not models else models[0]
    efforts = facts(model).efforts

    def ask(client: KimiOpenAI) -> tuple[str, Any, list[str]]:
        begun = time.monotonic()
        completion = client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": "Hi"}],
            max_completion_tokens=16,
            extra_body={"reasoning_effort": efforts[0]} if efforts else None,
        )
        used = completion.usage.total_tokens if completion.usage else "?"
        return f"{model} answered in {time.monotonic() - begun:.1f} s, for {used} tokens", {}, []

    return _asked(settings, settings.base_url, ask)[0]


def _asked(
    settings: Settings, base_url: str, ask: Callable[[KimiOpenAI], tuple[str, Any, list[str]]]
) -> tuple[Answer, list[str]]:
    begun = time.time()
    key: Any = settings.api_key
    status: int | None = 200
    headers: Any = {}
    ids: list[str] = []
    try:
        with create_client(api_key=key, base_url=base_url, max_retries=0, timeout=TIMEOUT) as client:
            said, headers, ids = ask(client)
    except openai.APIStatusError as error:
        said, status, headers = str(error), error.status_code, error.response.headers
    except (openai.OpenAIError, ImportError, OSError, ValueError) as error:
        said, status = f"{type(error).__name__}: {error}", None
    ended = time.time()
    return Answer(status=status, said=said, seconds=ended - begun, skew=skew_of(headers, (begun + ended) / 2)), ids


def skew_of(headers: Mapping[str, str], now: float) -> float | None:
    """How many seconds `now` is ahead of the `Date` of an answer; `None` where there is none.

    >>> skew_of({"date": "Thu, 01 Jan 1970 00:01:40 GMT"}, 103.0)
    3.0
    """
    try:
        return now - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None
