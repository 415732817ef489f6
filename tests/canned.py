"""A transport for the SDK's HTTP client that answers from memory, in fixed pieces, and records the bodies sent."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import openai

LIBRARY: Any = next(
    sys.modules[name]
    for name in (base.__module__.partition(".")[0] for base in openai.DefaultHttpxClient.__mro__)
    if name != "openai"
)
"""The HTTP library of the installed SDK, httpx or httpx2."""

EVENTS = "text/event-stream"


class Pieces(LIBRARY.SyncByteStream, LIBRARY.AsyncByteStream):  # type: ignore[misc]
    """A response body that arrives in these pieces; `breaks`: the connection breaks after the last one."""

    def __init__(self, pieces: Sequence[bytes], breaks: bool) -> None:
        self.pieces, self.breaks = pieces, breaks

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces
        if self.breaks:
            raise LIBRARY.RemoteProtocolError("peer closed connection without sending complete message body")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


class Canned(LIBRARY.BaseTransport, LIBRARY.AsyncBaseTransport):  # type: ignore[misc]
    """Answers each request with the same pieces (see `Pieces`). `bodies` are the request bodies."""

    def __init__(self, *pieces: bytes, content_type: str = EVENTS, breaks: bool = False) -> None:
        self.pieces, self.content_type, self.breaks = pieces, content_type, breaks
        self.bodies: list[bytes] = []

    def handle_request(self, request: Any) -> Any:
        self.bodies.append(request.content)
        headers = {"content-type": self.content_type, "x-request-id": "req-1"}
        return LIBRARY.Response(200, headers=headers, stream=Pieces(self.pieces, self.breaks), request=request)

    async def handle_async_request(self, request: Any) -> Any:
        return self.handle_request(request)

    def client(self, is_async: bool = False) -> Any:
        """An HTTP client that uses this transport, for the SDK's `http_client=`."""
        return LIBRARY.AsyncClient(transport=self) if is_async else LIBRARY.Client(transport=self)


def answering(value: object) -> Canned:
    """A transport that answers each request with a JSON value."""
    return Canned(json.dumps(value).encode(), content_type="application/json; charset=utf-8")
