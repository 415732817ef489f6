"""Gathers facts for `doctor`: versions, settings and variables of this machine, and what the platform answers.

Nothing is judged here; `doctor.py` does that. Each request is sent once, without retries. The key goes to the other
region only if the configured one refuses it.
"""

from __future__ import annotations

import importlib.util
import platform
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import openai

from kimi_openai.client.base_url import BASE_URLS, Region, has_loopback_host
from kimi_openai.client.clients import KimiOpenAI
from kimi_openai.client.env_file import ENV_FILE, foreign_env_files
from kimi_openai.client.factories import create_client
from kimi_openai.client.settings import Settings, find_variables, resolve
from kimi_openai.errors.exceptions import MissingKeyError, SettingsError
from kimi_openai.errors.explanations import fault_of
from kimi_openai.models.catalog import CURRENT, facts

from .flags import in_flags
from .network_probe import NetworkProblem, why_unreachable
from .versions import installed_version, own_requirements

__all__ = ["Facts", "ProbeResult", "clock_skew", "gather_facts", "other_region", "proxy_for"]

TIMEOUT = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What one request brought.

    `status` is `None` if there was no answer. `text`: the words of the error, or a summary of the answer. `seconds`:
    how long it took. `clock_skew`: seconds that this machine's clock is ahead of the server's, if that is known.
    `todo`: what to do about an error. `network`: why there was no answer, if that could be found out.
    """

    status: int | None = 200
    text: str = ""
    seconds: float = 0.0
    clock_skew: float | None = None
    todo: str = ""
    network: NetworkProblem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What `doctor.judge` needs.

    `requirements`: what this package needs. `found`: where keys and URLs were found. `not_read`: `.env` files that
    belong to other users. `problem`: why there are no `settings`; `has_no_key`: because there is no key.
    `openai_names`: the `OPENAI_*` variables that are set. `proxy`: a URL or `None`. `here`, `elsewhere`: the model list
    of the configured region and of the other one. `call`: a tiny chat request. The last three are `None` if they were
    not asked for.
    """

    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    requirements: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    not_read: tuple[str, ...] = ()
    settings: Settings | None = None
    problem: str = ""
    has_no_key: bool = False
    openai_names: tuple[str, ...] = ()
    openai_has_our_key: bool = False
    openai_url: str = ""
    proxy: str | None = None
    has_socks_package: bool = True
    here: ProbeResult | None = None
    elsewhere: ProbeResult | None = None
    call: ProbeResult | None = None


def other_region(region: Region | None) -> Region | None:
    """The other one of the two regions; `None` if the region is unknown.

    >>> other_region("ai")
    'cn'
    """
    return None if region is None else "cn" if region == "ai" else "ai"


def gather_facts(environ: Mapping[str, str]) -> Facts:
    """The facts, with the settings of this process and the variables of `environ`. Asks the platform."""
    known = Facts(
        versions=_versions(),
        requirements=tuple(own_requirements()),
        found=find_variables(),
        not_read=tuple(map(str, foreign_env_files(ENV_FILE))),
        openai_names=tuple(sorted(name for name, value in environ.items() if name.startswith("OPENAI_") and value)),
        openai_url=environ.get("OPENAI_BASE_URL", ""),
        has_socks_package=importlib.util.find_spec("socksio") is not None,
    )
    try:
        settings = resolve()
    except SettingsError as problem:
        return replace(known, problem=str(problem), has_no_key=isinstance(problem, MissingKeyError))
    here, models = _list_models(settings, settings.base_url)
    other = other_region(settings.region)
    elsewhere = _list_models(settings, BASE_URLS[other])[0] if here.status == 401 and other else None
    return replace(
        known,
        settings=settings,
        openai_has_our_key=environ.get("OPENAI_API_KEY") == settings.api_key,
        proxy=proxy_for(settings.base_url),
        here=here,
        elsewhere=elsewhere,
        call=_tiny_call(settings, models) if here.status == 200 else None,
    )


def proxy_for(base_url: str) -> str | None:
    """The URL of the proxy for requests to a URL, by the same environment variables that the HTTP library reads; none
    for this machine. A proxy without a scheme is an HTTP proxy, as for the HTTP library."""
    parts = urlsplit(base_url)
    proxies = urllib.request.getproxies()
    bypass = has_loopback_host(base_url) or urllib.request.proxy_bypass(parts.hostname or "")
    proxy = None if bypass else proxies.get(parts.scheme) or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def clock_skew(headers: Mapping[str, str], now: float) -> float | None:
    """How many seconds `now` is ahead of the `Date` header of an answer; `None` if there is no such header.

    >>> clock_skew({"date": "Thu, 01 Jan 1970 00:01:40 GMT"}, 103.0)
    3.0
    """
    try:
        return now - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None


def _versions() -> dict[str, str]:
    """The versions of the packages that a request passes through."""
    bases = (base.__module__.partition(".")[0] for base in openai.DefaultHttpxClient.__mro__)
    http_library = next(name for name in bases if name != "openai")
    installed = {"python": platform.python_version()}
    names = ("kimi-openai", "openai", http_library, "aiohttp", "rich", "prompt_toolkit")
    return installed | {name: installed_version(name) or "not installed" for name in names}


def _list_models(settings: Settings, base_url: str) -> tuple[ProbeResult, list[str]]:
    """What the model list answers at a URL, and the ids in it."""

    def ask(client: KimiOpenAI) -> tuple[str, Any, list[str]]:
        answer = client.models.with_raw_response.list()
        ids = [model.id for model in answer.parse().data]
        return f"{len(ids)} models", answer.headers, ids

    return _probe(settings, base_url, ask)


def _tiny_call(settings: Settings, models: list[str]) -> ProbeResult:
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

    return _probe(settings, settings.base_url, ask)[0]


def _probe(
    settings: Settings, base_url: str, ask: Callable[[KimiOpenAI], tuple[str, Any, list[str]]]
) -> tuple[ProbeResult, list[str]]:
    begun = time.time()
    key: Any = settings.api_key
    network: NetworkProblem | None = None
    status: int | None = 200
    headers: Any = {}
    ids: list[str] = []
    todo = ""
    try:
        with create_client(api_key=key, base_url=base_url, max_retries=0, timeout=TIMEOUT) as client:
            text, headers, ids = ask(client)
    except openai.APIStatusError as error:
        text, status, headers, todo = str(error), error.status_code, error.response.headers, fault_of(error).advice
    except (openai.OpenAIError, ImportError, OSError, ValueError) as error:
        text, status = f"{type(error).__name__}: {error}", None
        network = why_unreachable(base_url, proxy_for(base_url), error, datetime.now())
    ended = time.time()
    skew = clock_skew(headers, (begun + ended) / 2)
    result = ProbeResult(
        status=status, text=text, seconds=ended - begun, clock_skew=skew, todo=in_flags(todo), network=network
    )
    return result, ids
