"""Genuine OpenAI clients, configured for Kimi: the only room that knows the SDK's private names.

A call goes out through `request`, the one public method that every resource of the SDK uses, and its attempts come back
through the hook in `arrivals.py`. Private names in use, each with a test that names it: `_prepare_request`,
`_custom_headers`, `_process_response_data`, `_process_response`, `_make_status_error`,
`_make_status_error_from_response`, `_calculate_retry_timeout`, `copy(_extra_kwargs=...)`.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import cached_property
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

import openai
from openai.types.chat import ChatCompletion

from . import arrivals, connections, typed_stream
from .attempts import Call, next_wait
from .compat import in_force, outgoing
from .errors import KimiCompatWarning, Note, SettingsError
from .flows import run
from .gate import Gate
from .notices import warn
from .options import Compat, Options
from .pages import AsyncFilePage, FilePage
from .retries import OnRetry
from .settings import BASE_URLS, Region, Settings, check_key, resolve
from .usages import observed, settle_usage

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["AsyncKimiOpenAI", "KimiOpenAI", "create_async_client", "create_client"]


class KimiOpenAI(openai.OpenAI):
    """`openai.OpenAI` that speaks to Kimi; takes every argument of it, and those of `create_client`."""

    kimi_options: Options

    def __init__(
        self,
        *,
        api_key: str | Callable[[], str] | None = None,
        base_url: Any = None,
        env_file: str | os.PathLike[str] | None = ".env",
        http_client: Any = None,
        default_headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        settings, own, options = _sort(api_key, base_url, env_file, options)
        http = http_client if http_client is not None else connections.sync_http_client()
        super().__init__(
            api_key=_checked(settings.api_key, _CheckedKey),
            base_url=settings.base_url,
            http_client=http,
            default_headers=default_headers,
            **options,
        )
        _settle(self, own, default_headers, options)
        arrivals.watch(http, arrivals.arrived)

    @property
    def region(self) -> Region | None:
        """The region whose keys and currency hold here, `None` where it is not known."""
        return self.kimi_options.region

    def copy(self, *, _extra_kwargs: Mapping[str, Any] | None = None, **options: Any) -> Self:
        """A client with the same settings but for the ones given: the SDK's options and those of `create_client`."""
        return super().copy(_extra_kwargs=_kept(self, options, _extra_kwargs), **options)

    with_options = copy

    def request(self, cast_to: Any, options: Any, *, stream: bool = False, stream_cls: Any = None) -> Any:
        """The SDK's: one call, with all its attempts."""
        options = run(self, outgoing(self, self.kimi_options, options))
        stream_cls = typed_stream.instead_of(stream_cls)
        with Call.begin(self.kimi_options) as call:
            return super().request(cast_to, call.sendable(options), stream=stream, stream_cls=stream_cls)

    if not TYPE_CHECKING:  # for type checkers it is the SDK's

        @cached_property
        def chat(self) -> Any:
            from .chat import Chat  # the SDK's resources cost 15 to 90 ms; it too imports them at first use

            return Chat(self)

    def _process_response_data(self, *, data: object, cast_to: Any, response: Any) -> Any:
        quick = typed_stream.quick_completion(data) if cast_to is ChatCompletion else None
        answer = quick or super()._process_response_data(data=data, cast_to=cast_to, response=response)
        if isinstance(answer, ChatCompletion):
            observed(self, answer.model, settle_usage(answer).usage)
        return answer

    def get_api_list(self, path: str, *, page: Any, **options: Any) -> Any:
        """The SDK's, with a page of files that ends."""
        return super().get_api_list(path, page=FilePage if path == "/files" else page, **options)

    def _prepare_request(self, request: Any) -> None:
        super()._prepare_request(request)
        call = Call.current()
        if call is not None:
            call.enter(request)

    def _calculate_retry_timeout(self, *args: Any, **options: Any) -> float:
        return next_wait(self, super()._calculate_retry_timeout(*args, **options))

    def _make_status_error(self, err_msg: str, *, body: object, response: Any) -> openai.APIStatusError:
        return super()._make_status_error(arrivals.explained(err_msg, response), body=body, response=response)

    def _process_response(self, *, cast_to: Any, response: Any, stream: bool, **options: Any) -> Any:
        if arrivals.is_to_be_checked(response, cast_to, stream):
            response.read()
            arrivals.check(response, is_stream=stream)
        return super()._process_response(cast_to=cast_to, response=response, stream=stream, **options)

    def __repr__(self) -> str:
        return _repr(self)


class AsyncKimiOpenAI(openai.AsyncOpenAI):
    """`openai.AsyncOpenAI` that speaks to Kimi; takes every argument of it, and those of `create_async_client`."""

    kimi_options: Options

    def __init__(
        self,
        *,
        api_key: str | Callable[[], Awaitable[str]] | None = None,
        base_url: Any = None,
        env_file: str | os.PathLike[str] | None = ".env",
        http_client: Any = None,
        default_headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        settings, own, options = _sort(api_key, base_url, env_file, options)
        http = http_client if http_client is not None else connections.async_http_client()
        super().__init__(
            api_key=_checked(settings.api_key, _AsyncCheckedKey),
            base_url=settings.base_url,
            http_client=http,
            default_headers=default_headers,
            **options,
        )
        _settle(self, own, default_headers, options)
        arrivals.watch(http, arrivals.arrived_async)

    @property
    def region(self) -> Region | None:
        """The region whose keys and currency hold here, `None` where it is not known."""
        return self.kimi_options.region

    def copy(self, *, _extra_kwargs: Mapping[str, Any] | None = None, **options: Any) -> Self:
        """A client with the same settings but for the ones given: the SDK's options and those of
        `create_async_client`."""
        return super().copy(_extra_kwargs=_kept(self, options, _extra_kwargs), **options)

    with_options = copy

    async def request(self, cast_to: Any, options: Any, *, stream: bool = False, stream_cls: Any = None) -> Any:
        """The SDK's: one call, with all its attempts."""
        options = await run(self, outgoing(self, self.kimi_options, options))
        stream_cls = typed_stream.instead_of(stream_cls)
        with Call.begin(self.kimi_options) as call:
            return await super().request(cast_to, call.sendable(options), stream=stream, stream_cls=stream_cls)

    if not TYPE_CHECKING:  # for type checkers it is the SDK's

        @cached_property
        def chat(self) -> Any:
            from .chat import AsyncChat  # the SDK's resources cost 15 to 90 ms; it too imports them at first use

            return AsyncChat(self)

    def _process_response_data(self, *, data: object, cast_to: Any, response: Any) -> Any:
        quick = typed_stream.quick_completion(data) if cast_to is ChatCompletion else None
        answer = quick or super()._process_response_data(data=data, cast_to=cast_to, response=response)
        if isinstance(answer, ChatCompletion):
            observed(self, answer.model, settle_usage(answer).usage)
        return answer

    def get_api_list(self, path: str, *, page: Any, **options: Any) -> Any:
        """The SDK's, with a page of files that ends."""
        return super().get_api_list(path, page=AsyncFilePage if path == "/files" else page, **options)

    async def _prepare_request(self, request: Any) -> None:
        await super()._prepare_request(request)
        call = Call.current()
        if call is not None:
            await call.enter_async(request)

    def _calculate_retry_timeout(self, *args: Any, **options: Any) -> float:
        return next_wait(self, super()._calculate_retry_timeout(*args, **options))

    def _make_status_error(self, err_msg: str, *, body: object, response: Any) -> openai.APIStatusError:
        return super()._make_status_error(arrivals.explained(err_msg, response), body=body, response=response)

    async def _process_response(self, *, cast_to: Any, response: Any, stream: bool, **options: Any) -> Any:
        if arrivals.is_to_be_checked(response, cast_to, stream):
            await response.aread()
            arrivals.check(response, is_stream=stream)
        return await super()._process_response(cast_to=cast_to, response=response, stream=stream, **options)

    def __repr__(self) -> str:
        return _repr(self)


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
    `patience`: seconds for one call with all its attempts and waits (a streamed answer, once begun, may last longer);
    the number of attempts is the SDK's `max_retries` plus one. `on_retry`: called with a `RetryEvent` before each wait.
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


class _CheckedKey:
    """A rotating key: each value that it gives is checked like a fixed one (a newline in it is a vague network
    error)."""

    def __init__(self, key: Callable[[], Any]) -> None:
        self.key = key

    def __call__(self) -> Any:
        value = self.key()
        check_key(value, "from the api_key callable")
        return value


class _AsyncCheckedKey(_CheckedKey):
    async def __call__(self) -> Any:
        value: Any = self.key()
        if isawaitable(value):
            value = await value
        check_key(value, "from the api_key callable")
        return value


def _checked(key: Any, wrapper: type[_CheckedKey]) -> Any:
    return wrapper(key) if callable(key) and not isinstance(key, _CheckedKey) else key


ACCOUNTS = ("organization", "project", "admin_api_key")
OTHER_LOGINS = ("workload_identity", "provider", "data_residency")


def _sort(
    api_key: object, base_url: Any, env_file: str | os.PathLike[str] | None, options: Mapping[str, Any]
) -> tuple[Settings, Options, dict[str, Any]]:
    """A constructor's arguments as settings in force, options of ours, and options for the SDK."""
    own = Options(**{name: options[name] for name in Options.names() if name in options})
    settings = resolve(
        api_key=api_key,
        region=own.region,
        base_url=None if base_url is None or isinstance(base_url, openai.NotGiven) else str(base_url),
        env_file=env_file,
        allow_http=own.allow_http,
    )
    others = {name: value for name, value in options.items() if name not in Options.names()}
    return settings, in_force(replace(own, region=settings.region)), _without_openai_accounts(others)


def _without_openai_accounts(options: Mapping[str, Any]) -> dict[str, Any]:
    """The SDK options without OpenAI's accounts, of which Kimi has no equivalent; said aloud where one was given."""
    for name in OTHER_LOGINS:
        if options.get(name) is not None:
            raise SettingsError(f"{name} is a way to log in to OpenAI; Kimi takes an api_key only")
    for name in ACCOUNTS:
        if options.get(name) is not None:
            warn(f"{name} is OpenAI's; Kimi has no such thing and it is not sent", KimiCompatWarning)
    return {name: value for name, value in options.items() if name not in ACCOUNTS + OTHER_LOGINS}


def _settle(client: Any, own: Options, default_headers: Mapping[str, str] | None, options: Mapping[str, Any]) -> None:
    """After the SDK's constructor: take back what it read from the `OPENAI_*` environment."""
    client.organization = client.project = client.admin_api_key = None
    client.webhook_secret = options.get("webhook_secret")
    client._custom_headers = dict(default_headers or {})
    client.kimi_options = own


def _kept(client: Any, options: dict[str, Any], extra: Mapping[str, Any] | None) -> dict[str, Any]:
    """Our own options for a copy; those that the caller overrides are taken out of `options`, the rest is the SDK's."""
    own = {name: options.pop(name) for name in Options.names() if name in options}
    if own.get("region") in BASE_URLS:
        options.setdefault("base_url", BASE_URLS[own["region"]])
    return {**client.kimi_options.as_keywords(), **own, **(extra or {})}


def _repr(client: Any) -> str:
    return f"{type(client).__name__}(region={client.region!r}, base_url={str(client.base_url).rstrip('/')!r})"
