"""What Kimi's bodies and chunks look like, byte for byte.

No rule and no state lives here: values come in, bytes go out to the server. Key order is the order that was measured
on the platform (live receipts of 2026-09-03), since transcripts are compared with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

__all__ = ["DONE", "Answer", "Cut", "Envelope", "Frame", "Json", "Pause", "Problem", "encode", "event", "json_answer"]

Json = dict[str, Any]

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""JSON text as the platform writes it: no spaces, UTF-8 as it is."""

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html"
EVENT_STREAM = "text/event-stream"
DONE = b"data: [DONE]\n\n"


def is_object(value: object) -> TypeGuard[Json]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


@dataclass(frozen=True, slots=True)
class Pause:
    """A wait of so many seconds; `inf` waits until the client leaves."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """The end of the connection: "reset" (RST), "drop" (closed in mid-body), "end" (a clean end of the body)."""

    kind: Literal["reset", "drop", "end"] = "reset"


Frame = bytes | Pause | Cut
"""One thing the server does after another: write, wait, end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer. A streaming one sends its headers before the first frame, another with it.

    `size` is the Content-Length that is announced; the body's own if `None`.
    """

    frames: tuple[Frame, ...] = ()
    status: int = 200
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    streaming: bool = False
    size: int | None = None

    @property
    def body(self) -> bytes:
        """What is written when nothing breaks."""
        return b"".join(frame for frame in self.frames if isinstance(frame, bytes))


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as Kimi tells it: message, `error.type`, HTTP status. There is no `code` and no `param`."""

    message: str
    type: str = "invalid_request_error"
    status: int = 400

    @property
    def body(self) -> bytes:
        """`{"error":{"message":...,"type":...}}`."""
        return encode({"error": {"message": self.message, "type": self.type}}).encode()

    def answer(self, *headers: tuple[str, str]) -> Answer:
        """The HTTP answer with this body."""
        return Answer((self.body,), self.status, headers=headers)


NO_KEY = Problem("Incorrect API key provided", "incorrect_api_key_error", 401)
BAD_KEY = Problem("Invalid Authentication", "invalid_authentication_error", 401)
CLOSED_API = Problem("The API you are accessing is not open", "permission_denied_error", 403)


def not_found(what: str) -> Problem:
    """404 of an object. The platform's text for files and batches is not captured; the type is inferred."""
    return Problem(f"Not found the {what} or Permission denied", "resource_not_found_error", 404)


def url_not_found(method: str, url: str, agent: str) -> Answer:
    """404 of an unknown path or a wrong method: another dialect, in which `error` is a string."""
    body = {
        "code": 5,
        "error": "url.not_found",
        "message": "没找到对象",
        "method": method,
        "scode": "0x5",
        "status": False,
        "ua": agent,
        "url": url,
    }
    return json_answer(body, 404)


def json_answer(body: object, status: int = 200, *headers: tuple[str, str]) -> Answer:
    """A JSON answer."""
    return Answer((encode(body).encode(),), status, headers=headers)


def event(data: str) -> bytes:
    """One server-sent event: a `data:` line and a blank line; Kimi sends no `event:` and no `id:` lines.

    >>> event('{"a":1}')
    b'data: {"a":1}\\n\\n'
    """
    return f"data: {data}\n\n".encode()


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all chunks of one answer share."""

    id: str
    created: int
    model: str
    fingerprint: str

    @property
    def _head(self) -> str:
        return f'"created":{self.created},"model":{encode(self.model)},"choices":'

    def chunks(self, deltas: Sequence[str]) -> list[bytes]:
        """One event for each delta (JSON text)."""
        before = f'data: {{"id":"{self.id}","object":"chat.completion.chunk",{self._head}[{{"index":0,"delta":'
        after = f',"finish_reason":null}}],"system_fingerprint":"{self.fingerprint}"}}\n\n'
        return [f"{before}{delta}{after}".encode() for delta in deltas]

    def finish(self, reason: str, usage: Mapping[str, Any]) -> bytes:
        """The finish chunk: an empty delta, and the usage inside `choices[0]`."""
        choice: Json = {"index": 0, "delta": {}, "finish_reason": reason, "usage": usage}
        text = f'{{"id":"{self.id}","object":"chat.completion.chunk",{self._head}[{encode(choice)}]'
        return event(f'{text},"system_fingerprint":"{self.fingerprint}"}}')

    def usage(self, usage: Mapping[str, Any]) -> bytes:
        """The extra chunk of `include_usage`: no choices and no fingerprint."""
        return event(f'{{"id":"{self.id}","object":"chat.completion.chunk",{self._head}[],"usage":{encode(usage)}}}')

    def completion(self, message: Json, reason: str, usage: Mapping[str, Any]) -> Json:
        """The non-streaming body, which has no fingerprint."""
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": usage,
        }
