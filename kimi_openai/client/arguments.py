"""Divides the keywords of a client into our own options and those for the SDK, for a new client and for a copy.

Nothing that belongs to an account of OpenAI passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from kimi_openai._internal.json_values import ABSENT
from kimi_openai._internal.secrets import shown
from kimi_openai._internal.warn import warn
from kimi_openai.errors.exceptions import KimiCompatWarning, SettingsError

from .api_key import CheckedKey
from .base_url import BASE_URLS, check_base_url, is_openais, region_of
from .env_file import EnvFile
from .options import Options, Origin, with_environment
from .settings import ARGUMENT, check_owner, known_region, resolve, resolve_key

__all__ = ["constructor_arguments", "copy_arguments"]

OPENAI_ACCOUNTS = ("organization", "project", "admin_api_key")
OPENAI_LOGINS = ("workload_identity", "provider", "data_residency")


def constructor_arguments(
    options: Mapping[str, Any], *, env_file: EnvFile, checked_key: type[CheckedKey]
) -> tuple[Options, dict[str, Any]]:
    """Our options for a new client, and the keywords for the SDK's constructor, with key and base URL found.

    The SDK's `copy` calls the constructor too, with the key and the base URL that `copy_arguments` has accepted.
    """
    own, for_sdk = _divided(options)
    given = Options(**own)
    _refuse_openai_logins(for_sdk)
    for_sdk = _without_openai_accounts(_without_openai_urls(for_sdk, "websocket_base_url"))
    if given.origin is None:
        given = _resolved(given, for_sdk, env_file)
    else:
        given = _copied(given, for_sdk)
        env_file = given.origin.env_file if given.origin else env_file
    for_sdk["api_key"] = checked_key.wrap(for_sdk["api_key"], partial(_checked_key, env_file=env_file))
    return with_environment(given), for_sdk


def copy_arguments(kept: Options, options: Mapping[str, Any], extra: Mapping[str, Any] | None) -> dict[str, Any]:
    """The keywords for the SDK's `copy`. It passes `_extra_kwargs` on to the constructor: there our options are."""
    own, for_sdk = _divided(options)
    _refuse_openai_logins(for_sdk)
    for_sdk = _without_openai_urls(for_sdk, "base_url", "websocket_base_url")
    if own.get("region") in BASE_URLS:
        for_sdk.setdefault("base_url", BASE_URLS[own["region"]])
    origin = kept.origin or Origin()
    if for_sdk.get("base_url") is not None:
        origin = replace(origin, restricted_url=None)
    if for_sdk.get("api_key"):
        key = resolve_key(for_sdk["api_key"], ARGUMENT, env_file=origin.env_file)
        check_owner(key, origin.restricted_url)
        for_sdk["api_key"] = key.value
        origin = replace(origin, api_key=key.value)
    return {**for_sdk, "_extra_kwargs": {**kept.as_keywords(), **own, "origin": origin, **(extra or {})}}


def _resolved(given: Options, for_sdk: dict[str, Any], env_file: EnvFile) -> Options:
    """The options of a new client. Sets the key and the base URL in the SDK's keywords."""
    base_url = for_sdk.get("base_url")
    settings = resolve(
        api_key=for_sdk.get("api_key"),
        region=given.region,
        base_url=None if base_url is None else str(base_url),
        env_file=env_file,
        allow_http=given.allow_http,
    )
    for_sdk |= {"api_key": settings.api_key, "base_url": settings.base_url}
    return replace(given, region=settings.region, origin=Origin(env_file, settings.restricted_url, settings.api_key))


def _copied(given: Options, for_sdk: dict[str, Any]) -> Options:
    """The options of a copy. The key is accepted already; whether the base URL is depends on the options."""
    base_url = str(for_sdk["base_url"])
    check_base_url(base_url, allow_http=given.allow_http)
    named = None if given.region is None else known_region(given.region, "the region argument")
    for_sdk["base_url"] = base_url.rstrip("/")
    return replace(given, region=region_of(base_url) or named)


def _checked_key(value: object, env_file: EnvFile) -> object:
    return resolve_key(value, "from the api_key callable", env_file=env_file).value


def _divided(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keywords of ours and of the SDK's. Those with a "not given" marker count as not passed."""
    names = Options.names()
    given = {name: value for name, value in options.items() if not isinstance(value, ABSENT)}
    own = {name: value for name, value in given.items() if name in names}
    return own, {name: value for name, value in given.items() if name not in names}


def _refuse_openai_logins(options: Mapping[str, Any]) -> None:
    for name in OPENAI_LOGINS:
        if options.get(name) is not None:
            raise SettingsError(f"{name} is a way to log in to OpenAI; Kimi takes an api_key only")


def _without_openai_accounts(options: Mapping[str, Any]) -> dict[str, Any]:
    """The SDK's keywords without those of OpenAI's accounts, with a warning for each that was given."""
    for name in OPENAI_ACCOUNTS:
        if options.get(name) is not None:
            warn(f"{name} is OpenAI's; Kimi has no such thing and it is not sent", KimiCompatWarning)
    return {name: value for name, value in options.items() if name not in OPENAI_ACCOUNTS + OPENAI_LOGINS}


def _without_openai_urls(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The SDK's keywords without these if they are URLs of OpenAI's, with a warning for each: the copy keeps the
    client's."""
    found = [name for name in names if options.get(name) is not None and is_openais(str(options[name]))]
    for name in found:
        what = f"{name} is {shown(str(options[name]))}, which is OpenAI's, and is not used"
        warn(what, KimiCompatWarning, once=f"openai {name}")
    return {name: value for name, value in options.items() if name not in found}
