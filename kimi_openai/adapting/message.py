"""A request and an answer as they are on the wire, without the HTTP library, and which headers are passed on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from kimi_openai._internal.decode import decode_json
from kimi_openai._internal.json_values import is_dict

__all__ = ["EVENT_STREAM", "JSON", "WireAnswer", "WireRequest", "answer_headers", "request_headers", "without_custom"]

JSON = "application/json"
EVENT_STREAM = "text/event-stream; charset=utf-8"

RETRY_COUNT = "x-stainless-retry-count"
"""The SDK's header that says how often the call was retried. It decides the next wait."""

HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers of one connection. RFC 9110, section 7.6.1."""

OF_THE_CLIENT = frozenset(
    (
        "accept",
        "accept-encoding",
        "api-key",
        "authorization",
        "content-length",
        "content-type",
        "cookie",
        "host",
        "user-agent",
        "x-api-key",
    )
)
"""Headers that our client writes itself, and those with keys."""

OF_THE_BODY = frozenset(("content-encoding", "content-length", "content-type", "date", "server", "set-cookie"))
"""Headers of an answer that do not fit the body any more, or are not for the caller."""


@dataclass(frozen=True)
class WireRequest:
    """A request as it came. `path` begins below the base URL. It has the query. `timeout` is one for the SDK, `None`:
    the client's own. `key` is what the `Authorization` header had."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(default=b"", repr=False)
    content_type: str = JSON
    timeout: Any = None

    @cached_property
    def body(self) -> dict[str, Any] | None:
        """The JSON object in the body, `None` if there is none."""
        if not self.content or self.content_type.partition(";")[0].strip().lower() != JSON:
            return None
        try:
            value = decode_json(self.content)
        except ValueError:
            return None
        return value if is_dict(value) else None

    @cached_property
    def endpoint(self) -> tuple[str, dict[str, str]]:
        """The path, and the names and values of its query. A query that repeats a name stays in the path.

        >>> WireRequest("GET", "/files?limit=2", {}).endpoint, WireRequest("GET", "/files?a=1&a=2", {}).endpoint
        (('/files', {'limit': '2'}), ('/files?a=1&a=2', {}))
        """
        path, _, query = self.path.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        parameters = dict(pairs)
        return (path, parameters) if len(parameters) == len(pairs) else (self.path, {})


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """An answer as it is passed on. `body` is whole, or the SDK's stream of chunks."""

    status: int
    headers: Mapping[str, str]
    body: Any


def without_custom(headers: Iterable[tuple[str, str]], custom: str) -> list[tuple[str, str]]:
    r"""The headers without those that the SDK adds from `OPENAI_CUSTOM_HEADERS`: they are for OpenAI. `custom` is the
    value of the variable, one `name: value` a line.

    >>> without_custom([("X-Team", "a"), ("X-Title", "b")], "x-team: a\nX-Title: c")
    [('X-Title', 'b')]
    """
    lines = (line.partition(":") for line in custom.split("\n"))
    added = {(name.strip().lower(), value.strip()) for name, colon, value in lines if colon}
    return [(name, value) for name, value in headers if (name.lower(), value.strip()) not in added]


def request_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers of another client's request that are sent to Kimi: not the SDK's own, OpenAI's and keys.

    >>> request_headers([("Authorization", "Bearer x"), ("OpenAI-Organization", "org-1"), ("X-Title", "a")])
    {'X-Title': 'a'}
    """
    return {name: value for name, value in _end_to_end(headers) if not _is_of_client(name.lower())}


def _is_of_client(name: str) -> bool:
    if name == RETRY_COUNT:
        return False
    return name in OF_THE_CLIENT or name.startswith(("x-stainless-", "openai-"))


def answer_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers of Kimi's answer that are passed on with a body that was written anew.

    >>> answer_headers([("Content-Length", "12"), ("x-request-id", "req-1")])
    {'x-request-id': 'req-1'}
    """
    return {name: value for name, value in _end_to_end(headers) if name.lower() not in OF_THE_BODY}


def _end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers that are not of one connection. `Connection` may name more of those."""
    headers = list(headers)
    named = {
        word.strip().lower() for name, value in headers if name.lower() == "connection" for word in value.split(",")
    }
    return [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP | named]
