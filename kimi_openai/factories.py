"""The two functions that most programs begin with: every keyword of ours is written out here, for the reader and for
type checkers, and handed on to the classes in `client.py`.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .client import AsyncKimiOpenAI, KimiOpenAI
from .errors import Note
from .gate import Gate
from .options import Compat
from .settings import Region
from .waits import OnRetry

__all__ = ["create_async_client", "create_client"]


def create_client(
    *,
    api_key: str | Callable[[], str] | None = None,
    region: Region | None = None,
    base_url: str | None = None,
    env_file: str | os.PathLike[str] | None = ".env",
    allow_http: bool = False,
    compat: Compat | None = None,
    on_note: Callable[[Note], object] | None = None,
    model_aliases: Mapping[str, str] | None = None,
    fetch_images: bool = False,
    patience: float | None = None,
    on_retry: OnRetry | None = None,
    max_concurrency: int | Gate | None = None,
    **openai_options: Any,
) -> KimiOpenAI:
    """An `openai.OpenAI` for Kimi: every resource, option and type of the SDK is there.

    `api_key`: a string, or a callable that returns one for each request (rotating keys); else `MOONSHOT_API_KEY`,
    `KIMI_API_KEY` or `MOONSHOTAI_API_KEY` from the environment, else from `env_file`.
    `base_url`: else the one of `region` ("ai": platform.kimi.ai, "cn": platform.kimi.com), else `MOONSHOT_BASE_URL`,
    `KIMI_BASE_URL`, `MOONSHOT_REGION`, else `https://api.moonshot.ai/v1`. Keys of one region do not work in the other.
    `env_file`: a file name looked for from the working directory upwards (default `.env`), a path, or `None` for no
    file; it is read, never exported. `allow_http`: permits `http://` to a host that is not loopback.
    `compat`: what becomes of what Kimi does not accept; "adapt" sends the nearest request that it does, with a
    `KimiCompatWarning`, a log line and a `Note` (`on_note` is called with it, `last_notes()` has them); "strict" raises
    a `CompatError` that lists the changes instead; "off" sends it as it is. Else `KIMI_COMPAT`, else "adapt".
    `model_aliases`: ids to send for others, such as `{"gpt-4o": "kimi-k3"}`; else `KIMI_MODEL_ALIASES`, such as
    `gpt-4o=kimi-k3,o3=kimi-k3`. `fetch_images`: images behind public https URLs are fetched and sent (20 MB each).
    `patience`: seconds for one call with all its attempts and waits (a stream of the SDK's, once begun, may last
    longer; `kimi_openai.stream` ends); the number of attempts is the SDK's `max_retries` plus one. `on_retry`: called
    with a `RetryEvent` before each wait.
    `max_concurrency`: how many requests may be open at once, streams that are read included; the others wait in turn,
    in all copies of this client. A `Gate` in its place is shared by all clients that are given it.
    `openai_options`: whatever `openai.OpenAI` takes (`timeout`, `max_retries`, `default_headers`, `http_client`, ...).

    Nothing of the `OPENAI_*` environment is used or sent. Raises `SettingsError` for a missing or malformed key or URL.
    """
    return KimiOpenAI(
        api_key=api_key,
        region=region,
        base_url=base_url,
        env_file=env_file,
        allow_http=allow_http,
        compat=compat,
        on_note=on_note,
        model_aliases=model_aliases,
        fetch_images=fetch_images,
        patience=patience,
        on_retry=on_retry,
        max_concurrency=max_concurrency,
        **openai_options,
    )


def create_async_client(
    *,
    api_key: str | Callable[[], Awaitable[str]] | None = None,
    region: Region | None = None,
    base_url: str | None = None,
    env_file: str | os.PathLike[str] | None = ".env",
    allow_http: bool = False,
    compat: Compat | None = None,
    on_note: Callable[[Note], object] | None = None,
    model_aliases: Mapping[str, str] | None = None,
    fetch_images: bool = False,
    patience: float | None = None,
    on_retry: OnRetry | None = None,
    max_concurrency: int | Gate | None = None,
    **openai_options: Any,
) -> AsyncKimiOpenAI:
    """An `openai.AsyncOpenAI` for Kimi, with the arguments of `create_client`.

    It uses the aiohttp transport where that is installed (`pip install 'kimi-openai[aiohttp]'`), the SDK's default
    otherwise, and may be shared by several event loops, one after the other or at once.
    """
    return AsyncKimiOpenAI(
        api_key=api_key,
        region=region,
        base_url=base_url,
        env_file=env_file,
        allow_http=allow_http,
        compat=compat,
        on_note=on_note,
        model_aliases=model_aliases,
        fetch_images=fetch_images,
        patience=patience,
        on_retry=on_retry,
        max_concurrency=max_concurrency,
        **openai_options,
    )
