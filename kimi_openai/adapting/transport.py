"""Transports for the SDK's HTTP clients: each request goes through a client of ours, and comes back as bytes.

The HTTP library calls `handle_request` of its transport for each request that it would send. What is asked of another
API than OpenAI's (a picture, say) is sent as it is. If no answer comes, the HTTP library's own exception is raised: the
SDK looks for that, and tries again.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache, partial
from typing import Any

import openai

from kimi_openai._internal.flow import run_async, run_now
from kimi_openai.client.http_library import http_library
from kimi_openai.errors.redaction import redact_request

from .account import divided_url
from .events import event_bytes, event_bytes_async
from .exchange import exchange
from .kimi_clients import KimiClients
from .message import JSON, WireAnswer, WireRequest, request_headers, without_custom

__all__ = ["AdaptingTransport", "AsyncAdaptingTransport"]


class _Transport:
    def __init__(self, clients: KimiClients) -> None:
        self._clients = clients

    def _flow(self, request: Any) -> Any:
        """The exchange for a request whose body was read, `None` if it is for another API than OpenAI's."""
        url = divided_url(str(request.url))
        if url is None:
            return None
        base_url, path = url
        headers = without_custom(request.headers.items(), os.environ.get("OPENAI_CUSTOM_HEADERS", ""))
        key = next((value for name, value in headers if name.lower() == "authorization"), "").partition(" ")[2].strip()
        wire = WireRequest(
            request.method,
            path,
            request_headers(headers),
            request.content,
            request.headers.get("content-type", JSON),
            _timeout(request.extensions.get("timeout")),
        )
        return exchange(partial(self._clients.client_for, base_url, key), wire)


class AdaptingTransport(_Transport):
    """The transport of `adapting_http_client`."""

    def handle_request(self, request: Any) -> Any:
        """The response to a request of the HTTP library."""
        request.read()
        flow = self._flow(request)
        if flow is None:
            return self._clients.http.send(request, stream=True)
        try:
            answer: WireAnswer = run_now(flow)
        except openai.APIConnectionError as error:
            raise _library_error(error, request) from error.__cause__
        return _response(answer, request, _Events)

    def close(self) -> None:
        """Close the connections to Kimi."""
        self._clients.http.close()

    def __enter__(self) -> AdaptingTransport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncAdaptingTransport(_Transport):
    """The transport of `adapting_async_http_client`."""

    async def handle_async_request(self, request: Any) -> Any:
        """The response to a request of the HTTP library."""
        await request.aread()
        flow = self._flow(request)
        if flow is None:
            return await self._clients.http.send(request, stream=True)
        try:
            answer: WireAnswer = await run_async(flow)
        except openai.APIConnectionError as error:
            raise _library_error(error, request) from error.__cause__
        return _response(answer, request, _AsyncEvents)

    async def aclose(self) -> None:
        """Close the connections to Kimi."""
        await self._clients.http.aclose()

    async def __aenter__(self) -> AsyncAdaptingTransport:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _timeout(seconds: Any) -> Any:
    """The SDK's timeout for the HTTP library's four numbers, `None` if there are none."""
    return openai.Timeout(**seconds) if seconds else None


def _response(answer: WireAnswer, request: Any, events: type[_Events | _AsyncEvents]) -> Any:
    """The HTTP library's response with an answer in it."""
    if answer.status >= 400:
        redact_request(request)  # the SDK's exception will hold it; for another attempt it builds another one
    library = http_library()
    kind: Any = events
    body = library.ByteStream(answer.body) if isinstance(answer.body, bytes) else _for_library(kind)(answer.body)
    return library.Response(answer.status, headers=answer.headers, stream=body)


def _library_error(error: openai.APIConnectionError, request: Any) -> Exception:
    """The HTTP library's exception of which the SDK makes one of the same class again."""
    redact_request(request)
    library = http_library()
    kind = library.ReadTimeout if isinstance(error, openai.APITimeoutError) else library.ConnectError
    made: Exception = kind(str(error), request=request)
    return made


@lru_cache(maxsize=4)
def _for_library(events: Any) -> Any:
    """The class as the HTTP library accepts it for the body of a response."""
    library = http_library()
    base = library.SyncByteStream if issubclass(events, _Events) else library.AsyncByteStream
    return type(events.__name__, (events, base), {})


class _Events:
    """The body of a streamed answer."""

    def __init__(self, chunks: Any) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return event_bytes(self._chunks)

    def close(self) -> None:
        """Close the connection, whether the body was read or not."""
        self._chunks.close()


class _AsyncEvents:
    """The body of a streamed answer."""

    def __init__(self, chunks: Any) -> None:
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        return event_bytes_async(self._chunks)

    async def aclose(self) -> None:
        """Close the connection, whether the body was read or not."""
        await self._chunks.close()
