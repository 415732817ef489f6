"""The clients: the SDK's own classes, configured for Kimi.

A call enters through `request`, the one public method that every resource of the SDK uses. `_prepare_request` marks
each of its attempts, and the hooks in `hooks.py` see each response. What needs no `await` is in `base.py`. Private
names of the SDK in use, each with a test that names it: `_prepare_request`, `_process_response`,
`copy(_extra_kwargs=...)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import openai

from kimi_openai._internal.flow import run

from . import bodies, hooks, network, transport
from .api_key import AsyncCheckedKey, CheckedKey
from .arguments import constructor_arguments, copy_arguments
from .base import KimiBase
from .call import Call
from .env_file import ENV_FILE, EnvFile
from .outgoing import local_response, outgoing
from .proxies import bypass_proxies_for_loopback
from .signatures import option_parameters, shows_parameters_of

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from .batches import AsyncKimiBatches, KimiBatches
    from .options import AsyncClientOptions, ClientOptions

__all__ = ["AsyncKimiOpenAI", "KimiOpenAI"]


class KimiOpenAI(KimiBase, openai.OpenAI):
    """`openai.OpenAI` for Kimi. Takes every argument of `openai.OpenAI` and those of `create_client`."""

    if TYPE_CHECKING:

        @property
        def batches(self) -> KimiBatches: ...

    @shows_parameters_of(openai.OpenAI.__init__, option_parameters())
    def __init__(self, *, env_file: EnvFile = ENV_FILE, **options: Unpack[ClientOptions]) -> None:
        own, for_sdk = constructor_arguments(options, env_file=env_file, checked_key=CheckedKey)
        if for_sdk.get("http_client") is None:
            for_sdk["http_client"] = transport.PooledClient()
        bypass_proxies_for_loopback(for_sdk["http_client"])
        super().__init__(**for_sdk)
        self._kimi_set_up(own, for_sdk)
        hooks.install(for_sdk["http_client"], hooks.on_response)
        network.limit_waits(for_sdk["http_client"])

    @shows_parameters_of(openai.OpenAI.copy, option_parameters(for_copy=True))
    def copy(
        self,
        *,
        set_default_headers: Mapping[str, str] | None = None,
        set_default_query: Mapping[str, object] | None = None,
        _extra_kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[ClientOptions],
    ) -> Self:
        """A client with the same settings except for those given: the SDK's options and those of `create_client`."""
        for_sdk = copy_arguments(self.kimi_options, options, _extra_kwargs)
        return super().copy(set_default_headers=set_default_headers, set_default_query=set_default_query, **for_sdk)

    with_options = copy

    def request(self, cast_to: Any, options: Any, *, stream: bool = False, stream_cls: Any = None) -> Any:
        """The SDK's method: one call with all its attempts."""
        local = local_response(self, self.kimi_options, options)
        if local is not None:
            return self._process_response(
                cast_to=cast_to, response=self._kimi_good(local), stream=False, options=options, stream_cls=None
            )
        stream_cls = self._kimi_stream_class(options, stream_cls)
        with Call.begin(self.kimi_options) as call:
            options = run(self, outgoing(self, self.kimi_options, options, call))
            return super().request(cast_to, options, stream=stream, stream_cls=stream_cls)

    def _prepare_request(self, request: Any) -> None:
        super()._prepare_request(request)
        self._kimi_check(request)
        call = Call.current()
        if call is not None:
            call.begin_attempt(request)

    def _process_response(self, *, cast_to: Any, response: Any, stream: bool, **options: Any) -> Any:
        if bodies.take_over(response, cast_to, is_stream=stream):
            response.read()
            bodies.check_body(response, is_stream=stream)
        return super()._process_response(cast_to=cast_to, response=response, stream=stream, **options)


class AsyncKimiOpenAI(KimiBase, openai.AsyncOpenAI):
    """`openai.AsyncOpenAI` for Kimi. Takes every argument of `openai.AsyncOpenAI` and those of
    `create_async_client`."""

    if TYPE_CHECKING:

        @property
        def batches(self) -> AsyncKimiBatches: ...

    @shows_parameters_of(openai.AsyncOpenAI.__init__, option_parameters())
    def __init__(self, *, env_file: EnvFile = ENV_FILE, **options: Unpack[AsyncClientOptions]) -> None:
        own, for_sdk = constructor_arguments(options, env_file=env_file, checked_key=AsyncCheckedKey)
        if for_sdk.get("http_client") is None:
            for_sdk["http_client"] = transport.AsyncPooledClient()
        bypass_proxies_for_loopback(for_sdk["http_client"])
        super().__init__(**for_sdk)
        self._kimi_set_up(own, for_sdk)
        hooks.install(for_sdk["http_client"], hooks.on_response_async)

    @shows_parameters_of(openai.AsyncOpenAI.copy, option_parameters(for_copy=True))
    def copy(
        self,
        *,
        set_default_headers: Mapping[str, str] | None = None,
        set_default_query: Mapping[str, object] | None = None,
        _extra_kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[AsyncClientOptions],
    ) -> Self:
        """A client with the same settings except for those given: the SDK's options and those of
        `create_async_client`."""
        for_sdk = copy_arguments(self.kimi_options, options, _extra_kwargs)
        return super().copy(set_default_headers=set_default_headers, set_default_query=set_default_query, **for_sdk)

    with_options = copy

    async def request(self, cast_to: Any, options: Any, *, stream: bool = False, stream_cls: Any = None) -> Any:
        """The SDK's method: one call with all its attempts."""
        local = local_response(self, self.kimi_options, options)
        if local is not None:
            return await self._process_response(
                cast_to=cast_to, response=self._kimi_good(local), stream=False, options=options, stream_cls=None
            )
        stream_cls = self._kimi_stream_class(options, stream_cls)
        send = super().request

        async def answer(call: Call) -> Any:
            adapted = await run(self, outgoing(self, self.kimi_options, options, call))
            return await send(cast_to, adapted, stream=stream, stream_cls=stream_cls)

        with Call.begin(self.kimi_options) as call:
            return await call.in_time(answer(call), str(self.base_url))

    async def _prepare_request(self, request: Any) -> None:
        await super()._prepare_request(request)
        self._kimi_check(request)
        call = Call.current()
        if call is not None:
            await call.begin_attempt_async(request)

    async def _process_response(self, *, cast_to: Any, response: Any, stream: bool, **options: Any) -> Any:
        if bodies.take_over(response, cast_to, is_stream=stream):
            await response.aread()
            bodies.check_body(response, is_stream=stream)
        return await super()._process_response(cast_to=cast_to, response=response, stream=stream, **options)
