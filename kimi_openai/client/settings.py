"""Finds the key, the base URL and the region of a client: in its arguments, the environment and a `.env` file.

Nothing is written to `os.environ`. `OPENAI_API_KEY` is read only to recognise an OpenAI key, which is not sent. A base
URL from a `.env` file is used only for a key of that file. `arguments.py` calls this module for each client and copy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from kimi_openai._internal.secrets import shown
from kimi_openai._internal.warn import warn
from kimi_openai.errors.exceptions import KimiCompatWarning, MissingKeyError, SettingsError

from .api_key import check_key, is_openai_key
from .base_url import BASE_URLS, Region, check_base_url, has_loopback_host, is_moonshots, is_openais, region_of
from .env_file import ENV_FILE, EnvFile, FoundFile, find_env_file

__all__ = [
    "ARGUMENT",
    "Found",
    "Settings",
    "check_owner",
    "find_variables",
    "is_found_key",
    "known_region",
    "resolve",
    "resolve_key",
]

KEY_NAMES = ("MOONSHOT_API_KEY", "KIMI_API_KEY", "MOONSHOTAI_API_KEY")
URL_NAMES = ("MOONSHOT_BASE_URL", "KIMI_BASE_URL")
REGION_NAME = "MOONSHOT_REGION"

ARGUMENT = "argument"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a client needs before its first request. The key is not in the `repr`.

    `region` is `None` if the base URL is neither of Moonshot's two and no region was given. `key_source` and
    `url_source` say where each value was found. `restricted_url`: the base URL if it is from a file whose keys alone
    may be sent there; `None` if every key may.
    """

    api_key: object = field(repr=False)
    base_url: str
    region: Region | None
    key_source: str
    url_source: str
    restricted_url: Found | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """A value and where it was found: "argument", or such as "KIMI_API_KEY in environment". `file`: if in a file."""

    value: Any = field(repr=False)
    where: str
    file: FoundFile | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A place where variables are looked up: the environment or a file."""

    name: str
    values: Mapping[str, str] = field(repr=False)
    file: FoundFile | None = None

    def all(self, names: Iterable[str]) -> Iterator[Found]:
        """The variables that are set and not empty."""
        for name in names:
            if self.values.get(name):
                yield Found(self.values[name], f"{name} in {self.name}", self.file)


def resolve(
    *,
    api_key: object = None,
    base_url: str | None = None,
    region: str | None = None,
    env_file: EnvFile = ENV_FILE,
    allow_http: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of a client, checked.

    Key: argument, then `MOONSHOT_API_KEY`, `KIMI_API_KEY`, `MOONSHOTAI_API_KEY` in the environment, then the same in
    the `.env` file. Base URL: argument, then region argument, then `MOONSHOT_BASE_URL`, `KIMI_BASE_URL`, then
    `MOONSHOT_REGION` (environment before `.env`), then the international platform. `environ`: `os.environ` if `None`.

    A base URL in the file counts only for a key of the file, unless it is one of Moonshot's two, or a loopback address
    in a file of the working directory. A key of OpenAI as the argument is replaced by the next one that is found, and a
    base URL at api.openai.com by the next one, each with a warning.

    Raises `SettingsError` for a missing or malformed key, region or base URL, or for two that do not belong together.

    >>> resolve(api_key="sk-x", region="cn", env_file=None, environ={})
    Settings(base_url='https://api.moonshot.cn/v1', region='cn', key_source='argument', url_source='region argument')
    """
    sources = cache(partial(_sources, environ, env_file, _warn_of_foreign))  # the file is read only if it is needed
    key = _key(api_key, sources, environ)
    named = None if region is None else known_region(region, "the region argument")
    url = _without_openais(_urls(base_url, named, sources))
    check_base_url(url.value, allow_http=allow_http)
    restricted = None if _is_for_every_key(url) else url
    check_owner(key, restricted)
    return Settings(key.value, url.value.rstrip("/"), region_of(url.value) or named, key.where, url.where, restricted)


def resolve_key(api_key: object, where: str, *, env_file: EnvFile = ENV_FILE) -> Found:
    """The key to send for one that was given later, to a copy or by a callable: the same one, or the one that `resolve`
    finds in place of a key of OpenAI. Raises `SettingsError` if it cannot be used."""
    return _key(api_key, cache(partial(_sources, None, env_file, _warn_of_foreign)), None, where)


def is_found_key(key: str, *, env_file: EnvFile = ENV_FILE) -> bool:
    """Whether a key is the value of one of Kimi's variables, in the environment or in the `.env` file."""
    return any(found.value == key for source in _sources(None, env_file) for found in source.all(KEY_NAMES))


def check_owner(key: Found, restricted_url: Found | None) -> None:
    """Raises `SettingsError` if a base URL is for the keys of its file only, and this key is not one of them."""
    if restricted_url is None or restricted_url.file is None:
        return
    if isinstance(key.value, str) and key.value in map(restricted_url.file.values.get, KEY_NAMES):
        return
    from_where = "the api_key argument" if key.where == ARGUMENT else key.where
    raise SettingsError(
        f"the base URL {shown(restricted_url.value)} is from {restricted_url.where}, and the key from {from_where}: "
        "a .env file decides only where its own key goes. If you mean it, pass base_url=..., or set "
        f"{restricted_url.where.partition(' in ')[0]} in the environment; or put the key into that file too"
    )


def find_variables(*, env_file: EnvFile = ENV_FILE, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Every variable that `resolve` would find, in its order, each as "NAME in SOURCE"; the values are left out.

    >>> find_variables(env_file=None, environ={"KIMI_API_KEY": "sk-x", "MOONSHOT_REGION": "cn"})
    ('KIMI_API_KEY in environment', 'MOONSHOT_REGION in environment')
    """
    names = (*KEY_NAMES, *URL_NAMES, REGION_NAME)
    return tuple(found.where for source in _sources(environ, env_file) for found in source.all(names))


def _warn_of_foreign(path: Path) -> None:
    """Warn that a file is not read because it is another user's."""
    how = f"pass env_file={str(path)!r} if you mean it"
    warn(f"{path} belongs to another user and is not read; {how}", KimiCompatWarning, once=f"env_file {path}")


def _without_openais(urls: Iterable[Found]) -> Found:
    """The first base URL that is not OpenAI's, with a warning about each before it."""
    passed: list[Found] = []
    for url in urls:
        if not is_openais(url.value):
            break
        passed.append(url)
    else:
        url = Found(BASE_URLS["ai"], "default")
    for each in passed:
        where = "base_url" if each.where == ARGUMENT else each.where
        what = f"{where} is {shown(each.value)}, which is OpenAI's, and is not used"
        warn(f"{what}; the base URL is {shown(url.value)} instead", KimiCompatWarning, once=f"openai {where}")
    return url


def _sources(
    environ: Mapping[str, str] | None, env_file: EnvFile, on_foreign: Callable[[Path], object] = bool
) -> Sequence[Source]:
    """The environment and, if there is one, the file, best first."""
    environment = Source("environment", os.environ if environ is None else environ)
    file = find_env_file(env_file, on_foreign=on_foreign)
    return (environment,) if file is None else (environment, Source(str(file.path), file.values, file))


def _key(
    api_key: object, sources: Callable[[], Sequence[Source]], environ: Mapping[str, str] | None, where: str = ARGUMENT
) -> Found:
    """The key, checked. A callable is not called here."""
    if api_key is None:
        key = _find_key(sources())
    elif is_openai_key(api_key, os.environ if environ is None else environ):
        key = _in_place_of_openais(api_key, where, sources())
    else:
        key = Found(api_key, where)
    if not callable(key.value):
        check_key(key.value, key.where)
    return key


def _in_place_of_openais(openais: object, where: str, sources: Sequence[Source]) -> Found:
    given = "the api_key argument" if where == ARGUMENT else f"the key {where}"
    what = f"{given} is a key of OpenAI (by its form, or it is the value of OPENAI_API_KEY) and is not sent to Kimi"
    try:
        key = _find_key(sources)
    except MissingKeyError:
        raise SettingsError(
            f"{what}; set MOONSHOT_API_KEY in the environment or in a .env file, or pass a key of platform.kimi.ai "
            "or platform.kimi.com"
        ) from None
    if key.value != openais:  # after `kimi-openai env`, OPENAI_API_KEY is the Kimi key
        warn(f"{what}; {key.where} is used instead", KimiCompatWarning, once="openai_key")
    return key


def _find_key(sources: Sequence[Source]) -> Found:
    for source in sources:
        for found in source.all(KEY_NAMES):
            return found
    empty = [name for source in sources for name in KEY_NAMES if name in source.values]
    raise MissingKeyError(
        f"no Kimi API key: pass api_key=..., or set {', '.join(KEY_NAMES[:-1])} or {KEY_NAMES[-1]} in the environment "
        "or in a .env file"
        + (f" ({empty[0]} is set but empty)" if empty else "")
        + "; an OpenAI key is not used in its place"
    )


def _urls(base_url: str | None, region: Region | None, sources: Callable[[], Sequence[Source]]) -> Iterator[Found]:
    """The base URLs that were found, best first. The sources are read only if the arguments have none."""
    if base_url is not None:
        yield Found(base_url, ARGUMENT)
    if region is not None:
        yield Found(BASE_URLS[region], "region argument")
    for source in sources():
        yield from source.all(URL_NAMES)
        for named in source.all((REGION_NAME,)):
            yield Found(BASE_URLS[known_region(named.value, named.where)], named.where)
    yield Found(BASE_URLS["ai"], "default")


def _is_for_every_key(url: Found) -> bool:
    """Whether the caller or the environment gave the URL, or it is harmless."""
    return url.file is None or is_moonshots(url.value) or (url.file.is_near and has_loopback_host(url.value))


def known_region(value: str, source: str) -> Region:
    """The region that a word names. Raises `SettingsError` for any other word; `source` says in it who wrote it."""
    word = str(value).strip().lower()
    for region in BASE_URLS:
        if word == region:
            return region
    raise SettingsError(f"{source} is {shown(value)}; write 'ai' (platform.kimi.ai) or 'cn' (platform.kimi.com)")
