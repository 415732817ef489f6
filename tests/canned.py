"""An HTTP client for the SDK that never leaves the process: a fixed answer in fixed pieces, and what was sent."""

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
"""The SDK's HTTP library, httpx or httpx2."""

EVENTS = "text/event-stream"


class Pieces(LIBRARY.SyncByteStream, LIBRARY.AsyncByteStream):  # type: ignore[misc]
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
    """Answers every request with the pieces; `bodies` are the bodies sent. `breaks`: the answer ends in an error."""

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
        """The HTTP client to hand to the SDK."""
        return LIBRARY.AsyncClient(transport=self) if is_async else LIBRARY.Client(transport=self)


def answering(value: object) -> Canned:
    """Answers with a JSON value."""
    return Canned(json.dumps(value).encode(), content_type="application/json; charset=utf-8")
