"""Arguments, environment and `.env` become one key, one base URL and one region.

Nothing is exported into `os.environ`, no value of OpenAI's is looked at, and no key is ever part of a message. The
result goes to `client.py`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import dotenv

from .errors import MissingKeyError, SettingsError

__all__ = ["BASE_URLS", "Region", "Settings", "found", "region_of", "resolve"]

Region = Literal["ai", "cn"]

BASE_URLS: Mapping[Region, str] = {"ai": "https://api.moonshot.ai/v1", "cn": "https://api.moonshot.cn/v1"}
"""The two regions of the Open Platform; keys, accounts and balances are not shared between them (platform docs,
overview)."""

KEY_NAMES = ("MOONSHOT_API_KEY", "KIMI_API_KEY", "MOONSHOTAI_API_KEY")
URL_NAMES = ("MOONSHOT_BASE_URL", "KIMI_BASE_URL")
REGION_NAME = "MOONSHOT_REGION"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a client needs to know before its first request; `repr` leaves the key out.

    `region` is `None` where the base URL is neither of Moonshot's two and no region was named. `key_source` and
    `url_source` say in words where each came from.
    """

    api_key: object = field(repr=False)
    base_url: str
    region: Region | None
    key_source: str
    url_source: str


def resolve(
    *,
    api_key: object = None,
    base_url: str | None = None,
    region: str | None = None,
    env_file: str | os.PathLike[str] | None = ".env",
    allow_http: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings in force, checked.

    Key: argument, then `MOONSHOT_API_KEY`, `KIMI_API_KEY`, `MOONSHOTAI_API_KEY` in the environment, then the same in
    the `.env` file. Base URL: argument, then region argument, then `MOONSHOT_BASE_URL`, `KIMI_BASE_URL`, then
    `MOONSHOT_REGION` (environment before `.env`), then the international platform. `env_file` is a file name looked for
    from the working directory upwards, a path, or `None` for no file.

    Raises `SettingsError` for a missing or malformed key, region or base URL.

    >>> resolve(api_key="sk-x", region="cn", env_file=None, environ={})
    Settings(base_url='https://api.moonshot.cn/v1', region='cn', key_source='argument', url_source='region argument')
    """
    looked_up = api_key is None or (base_url is None and region is None)
    sources = list(_sources(os.environ if environ is None else environ, env_file)) if looked_up else []
    key, key_source = (api_key, "argument") if api_key is not None else _find_key(sources)
    if not callable(key):
        check_key(key, key_source)
    named = _region(region, "the region argument") if region is not None else None
    url, url_source = _find_url(base_url, named, sources)
    check_base_url(url, allow_http=allow_http)
    return Settings(key, url.rstrip("/"), region_of(url) or named, key_source, url_source)


def found(
    *, env_file: str | os.PathLike[str] | None = ".env", environ: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Every variable that `resolve` would find, in its order, each as "NAME in SOURCE"; no values.

    >>> found(env_file=None, environ={"KIMI_API_KEY": "sk-x", "MOONSHOT_REGION": "cn"})
    ('KIMI_API_KEY in environment', 'MOONSHOT_REGION in environment')
    """
    return tuple(
        f"{name} in {source}"
        for source, values in _sources(os.environ if environ is None else environ, env_file)
        for name in (*KEY_NAMES, *URL_NAMES, REGION_NAME)
        if values.get(name)
    )


def _sources(
    environ: Mapping[str, str], env_file: str | os.PathLike[str] | None
) -> Iterator[tuple[str, Mapping[str, str]]]:
    yield "environment", environ
    path = _find_env_file(env_file)
    if path is not None:
        try:
            values = dotenv.dotenv_values(path)
        except (OSError, UnicodeDecodeError) as problem:
            raise SettingsError(
                f"{path} cannot be read ({problem}); make it a UTF-8 file of yours, or pass env_file=None for no file"
            ) from None
        yield str(path), {name: value for name, value in values.items() if value is not None}


def _find_env_file(env_file: str | os.PathLike[str] | None) -> Path | None:
    if env_file is None:
        return None
    path = Path(env_file).expanduser()
    if path.parent != Path():
        found = path if os.path.isfile(path) else None
    else:
        found = next((folder / path for folder in _folders_upwards() if os.path.isfile(folder / path)), None)
    if found is None and path != Path(".env"):
        raise SettingsError(f"env_file: there is no file {str(env_file)!r}; pass an existing one, or None for no file")
    return found


def _folders_upwards() -> tuple[Path, ...]:
    try:
        here = Path.cwd()
    except FileNotFoundError:  # the working directory was deleted
        return ()
    return (here, *here.parents)


def _find_key(sources: list[tuple[str, Mapping[str, str]]]) -> tuple[str, str]:
    for source, values in sources:
        for name in KEY_NAMES:
            if values.get(name):
                return values[name], f"{name} in {source}"
    empty = [name for _, values in sources for name in KEY_NAMES if values.get(name) == ""]
    raise MissingKeyError(
        f"no Kimi API key: pass api_key=..., or set {', '.join(KEY_NAMES[:-1])} or {KEY_NAMES[-1]} in the environment "
        "or in a .env file"
        + (f" ({empty[0]} is set but empty)" if empty else "")
        + "; an OpenAI key is not used in its place"
    )


def _find_url(
    base_url: str | None, region: Region | None, sources: list[tuple[str, Mapping[str, str]]]
) -> tuple[str, str]:
    if base_url is not None:
        return str(base_url), "argument"
    if region is not None:
        return BASE_URLS[region], "region argument"
    for source, values in sources:
        for name in URL_NAMES:
            if values.get(name):
                return values[name], f"{name} in {source}"
        if values.get(REGION_NAME):
            return BASE_URLS[_region(values[REGION_NAME], f"{REGION_NAME} in {source}")], f"{REGION_NAME} in {source}"
    return BASE_URLS["ai"], "default"


def _region(value: str, source: str) -> Region:
    word = str(value).strip().lower()
    for region in BASE_URLS:
        if word == region:
            return region
    raise SettingsError(f"{source} is {value!r}; write 'ai' (platform.kimi.ai) or 'cn' (platform.kimi.com)")


def region_of(base_url: str) -> Region | None:
    """The region whose host `base_url` names, or `None`."""
    host = urlsplit(base_url).hostname
    return next((region for region, url in BASE_URLS.items() if urlsplit(url).hostname == host), None)


def check_key(key: object, source: str) -> None:
    """Raise `SettingsError` if `key` cannot be a key, saying what is wrong with it and never showing it."""
    problem = _key_problem(key)
    if problem:
        raise SettingsError(f"the Kimi API key ({source}) {problem}")


def _key_problem(key: object) -> str | None:
    if not isinstance(key, str):
        return f"is a {type(key).__name__}; pass a string or a callable that returns one"
    if not key.strip():
        return "is empty; paste the key from the platform's console"
    if key[0] in "\"'`“”‘’" or key[-1] in "\"'`“”‘’":
        return "has quotes around it; write it without them"
    if re.search(r"\s", key):
        where = "a newline" if "\n" in key or "\r" in key else "white space"
        return f"has {where} in it; remove it (a copied line often brings one along)"
    if not key.isascii() or not key.isprintable():
        return "has characters in it that no key has; copy it again from the platform's console"
    return None


def check_base_url(url: str, *, allow_http: bool = False) -> None:
    """Raise `SettingsError` if requests to `url` could not work, or would carry the key in the clear.

    >>> check_base_url("https://api.moonshot.ai")
    Traceback (most recent call last):
    ...
    kimi_openai.errors.SettingsError: base URL 'https://api.moonshot.ai' has no /v1; write 'https://api.moonshot.ai/v1'
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as problem:
        raise SettingsError(f"base URL is not a URL ({problem}); write '{BASE_URLS['ai']}'") from None
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if re.search(r"\s", url) or parts.scheme not in ("http", "https") or not host:
        raise SettingsError(f"base URL {shown!r} is not an http(s) URL; write '{BASE_URLS['ai']}'")
    if parts.username is not None or parts.query or parts.fragment:
        raise SettingsError(
            f"base URL {_origin_of(parts.scheme, parts.netloc)!r} carries a user name, a query or a fragment; "
            "leave them out (the key is a separate setting)"
        )
    if "v1" not in parts.path.split("/"):
        raise SettingsError(f"base URL {shown!r} has no /v1; write '{_with_v1(shown)}'")
    region = region_of(url)
    if region and parts.path.rstrip("/") != "/v1":
        raise SettingsError(
            f"base URL {shown!r} is not the one of the platform's OpenAI API; write '{BASE_URLS[region]}'"
        )
    if parts.path.rstrip("/").endswith("/chat/completions"):
        raise SettingsError(f"base URL {shown!r} is an endpoint; write {shown.partition('/chat/completions')[0]!r}")
    if parts.scheme == "http" and not allow_http and not _is_loopback(host):
        raise SettingsError(
            f"base URL {shown!r} would send the key in the clear; write '{shown.replace('http:', 'https:', 1)}', or "
            "pass allow_http=True if that is meant"
        )


def _with_v1(url: str) -> str:
    region = region_of(url)
    return BASE_URLS[region] if region else f"{url.rstrip('/')}/v1"


def _origin_of(scheme: str, netloc: str) -> str:
    return f"{scheme}://{netloc.rpartition('@')[2]}"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
