"""Genuine OpenAI clients, configured for Kimi: the only room that knows the SDK's private names.

A call goes out through `request`, the one public method that every resource of the SDK uses, and its attempts come back
through the hook in `arrivals.py`. Private names in use, each with a test that names it: `_prepare_request`,
`_custom_headers`, `_process_response_data`, `_process_response`, `_make_status_error`,
`_make_status_error_from_response`, `_calculate_retry_timeout`, `copy(_extra_kwargs=...)`.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import openai
from openai.types.chat import ChatCompletion

from . import arrivals, connections, typed_stream
from .attempts import Call, next_wait
from .construction import AsyncCheckedKey, CheckedKey, checked, sort
from .flows import run
from .options import Options
from .settings import BASE_URLS, Region
from .usages import observed, settle_usage

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["AsyncKimiOpenAI", "KimiOpenAI"]


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
        settings, own, options = sort(api_key, base_url, env_file, options)
        http = http_client if http_client is not None else connections.sync_http_client()
        super().__init__(
            api_key=checked(settings.api_key, CheckedKey),
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
        from .compat import outgoing  # imported with the first request, as the SDK does with its resources

        options = run(self, outgoing(self, self.kimi_options, options))
        stream_cls = typed_stream.instead_of(stream_cls)
        with Call.begin(self.kimi_options) as call:
            return super().request(cast_to, call.sendable(options), stream=stream, stream_cls=stream_cls)

    if not TYPE_CHECKING:  # for type checkers it is the SDK's

        @cached_property
        def chat(self) -> Any:
            from .chat import Chat  # the SDK's resources cost 15 to 90 ms; it too imports them at first use

            return Chat(self)

        @cached_property
        def beta(self) -> Any:
            beta = super().beta
            beta.chat = self.chat  # where older code finds `parse` and `stream`
            return beta

    def _process_response_data(self, *, data: object, cast_to: Any, response: Any) -> Any:
        quick = typed_stream.quick_completion(data) if cast_to is ChatCompletion else None
        answer = quick or super()._process_response_data(data=data, cast_to=cast_to, response=response)
        if isinstance(answer, ChatCompletion):
            observed(self, answer.model, settle_usage(answer).usage)
        return answer

    def get_api_list(self, path: str, *, page: Any, **options: Any) -> Any:
        """The SDK's, with a page of files that ends."""
        from .pages import FilePage

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
        settings, own, options = sort(api_key, base_url, env_file, options)
        http = http_client if http_client is not None else connections.async_http_client()
        super().__init__(
            api_key=checked(settings.api_key, AsyncCheckedKey),
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
        from .compat import outgoing

        options = await run(self, outgoing(self, self.kimi_options, options))
        stream_cls = typed_stream.instead_of(stream_cls)
        with Call.begin(self.kimi_options) as call:
            return await super().request(cast_to, call.sendable(options), stream=stream, stream_cls=stream_cls)

    if not TYPE_CHECKING:  # for type checkers it is the SDK's

        @cached_property
        def chat(self) -> Any:
            from .chat import AsyncChat  # the SDK's resources cost 15 to 90 ms; it too imports them at first use

            return AsyncChat(self)

        @cached_property
        def beta(self) -> Any:
            beta = super().beta
            beta.chat = self.chat  # where older code finds `parse` and `stream`
            return beta

    def _process_response_data(self, *, data: object, cast_to: Any, response: Any) -> Any:
        quick = typed_stream.quick_completion(data) if cast_to is ChatCompletion else None
        answer = quick or super()._process_response_data(data=data, cast_to=cast_to, response=response)
        if isinstance(answer, ChatCompletion):
            observed(self, answer.model, settle_usage(answer).usage)
        return answer

    def get_api_list(self, path: str, *, page: Any, **options: Any) -> Any:
        """The SDK's, with a page of files that ends."""
        from .pages import AsyncFilePage

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
