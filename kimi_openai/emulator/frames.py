"""An HTTP response as a value: status, headers, and frames that the server writes one after another.

Endpoints and faults build responses, `faults.damage` changes their frames, `server` writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .json_values import encode

__all__ = ["DONE", "EVENT_STREAM", "Cut", "Frame", "Pause", "Response", "event", "json_response"]

JSON_TYPE = "application/json; charset=utf-8"
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Pause:
    """A wait of so many seconds; `inf` waits until the client leaves."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """The end of the connection: "reset" (RST), "drop" (closed in mid-body), "end" (a clean end of the body)."""

    kind: Literal["reset", "drop", "end"] = "reset"


Frame = bytes | Pause | Cut
"""One action of the server: write, wait, or end."""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole HTTP response. With `streaming`, the headers are sent before the first frame, else together with it.

    `size` is the Content-Length that is announced; `None` means the size of the body.
    """

    frames: tuple[Frame, ...] = ()
    status: int = 200
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    streaming: bool = False
    size: int | None = None

    @property
    def body(self) -> bytes:
        """All bytes of the frames."""
        return b"".join(frame for frame in self.frames if isinstance(frame, bytes))


def json_response(body: object, status: int = 200, *headers: tuple[str, str]) -> Response:
    """A response with a JSON body."""
    return Response((encode(body).encode(),), status, headers=headers)


def event(data: str) -> bytes:
    """One server-sent event: a `data:` line and a blank line. Kimi sends no `event:` and no `id:` lines.

    >>> event('{"a":1}')
    b'data: {"a":1}\\n\\n'
    """
    return f"data: {data}\n\n".encode()


DONE = event("[DONE]")
"""The last event of a stream."""
