"""Handles each response before the SDK reads it.

The response hook is added to the client's HTTP client, which may be the caller's own and shared with other clients: it
changes only responses to requests that carry a `Call`. It writes headers that the SDK's retry loop obeys. The rest of
this module writes the text of status errors.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from kimi_openai.errors.explanations import explain, refusal_of
from kimi_openai.errors.redaction import without_key
from kimi_openai.retry.deadline import Deadline

from .call import Call
from .http_library import http_library
from .limits import limit_body, limit_body_async

__all__ = ["install", "on_response", "on_response_async", "status_error_text"]

REQUEST_ID_HEADERS = ("msh-request-id", "x-msh-trace-id", "x-trace-id")
"""Headers in which Kimi sends the id of a request, best first. The documentation does not say which one is always
sent. The SDK reads `x-request-id`."""

CHARSET_PROBE = rb"\t{}" + bytes(range(128, 256))


def install(http: Any, hook: Callable[[Any], Any]) -> None:
    """Add a response hook to an HTTP client, once however many clients share it."""
    hooks = http.event_hooks["response"]
    if hook not in hooks:
        hooks.append(hook)


def on_response(response: Any) -> None:
    """The response hook of a synchronous HTTP client. It is called for each redirect too."""
    call = _begin_response(response, "close", limit_body)
    if call is not None and response.status_code >= 300:  # the SDK would read the body without looking for exceptions
        response.read()
        _steer(response, call)


async def on_response_async(response: Any) -> None:
    """The response hook of an asynchronous HTTP client."""
    call = _begin_response(response, "aclose", limit_body_async)
    if call is not None and response.status_code >= 300:
        await response.aread()
        _steer(response, call)


def _steer(response: Any, call: Call) -> None:
    if response.status_code >= 400:
        response.headers.update(call.retry_headers(response))


def _begin_response(response: Any, close_method: str, limit: Callable[[Any, Deadline], None]) -> Call | None:
    """The call that a response belongs to, `None` for requests of other clients."""
    call = Call.of(response)
    if call is not None:
        limit(response, call.deadline)
        _set_request_id(response)
        _set_charset(response)
        _block_redirect_to_other_origin(response)
        if not response.has_redirect_location:
            call.take_response(response, close_method)
    return call


def _set_request_id(response: Any) -> None:
    headers = response.headers
    found = next((headers[name] for name in REQUEST_ID_HEADERS if name in headers), None)
    if found is not None:
        headers.setdefault("x-request-id", found)


def _set_charset(response: Any) -> None:
    """Read text as UTF-8 if the declared charset cannot be used. The text of an error is read without care."""
    media_type = response.headers.get("content-type", "").lower()
    if "charset" in media_type and "utf-8" not in media_type and not _is_usable_charset(response.charset_encoding):
        response.encoding = "utf-8"


@lru_cache(maxsize=32)
def _is_usable_charset(charset: str | None) -> bool:
    """Whether any bytes can be decoded, and ASCII is among them. UTF-16 is not: it may need a mark at the beginning."""
    try:
        decoder = codecs.getincrementaldecoder(charset or "")(errors="replace")
        return decoder.decode(CHARSET_PROBE, True).startswith(CHARSET_PROBE[:4].decode())
    except Exception:  # codecs raise anything
        return False


def _block_redirect_to_other_origin(response: Any) -> None:
    """A redirect to another origin would send the prompt there. Without `location` the SDK raises an error."""
    if response.has_redirect_location:
        here = response.url
        try:
            there = here.join(response.headers["location"])
        except (http_library().InvalidURL, ValueError):
            there = None
        if there is None or (here.scheme, here.host, here.port) != (there.scheme, there.host, there.port):
            del response.headers["location"]


def status_error_text(sdk_text: str, response: Any) -> str:
    """The message of a status error: the SDK's text, then what the error means and how often it was retried."""
    call = Call.of(response)
    content = response.content if response.is_stream_consumed else b""
    refusal = refusal_of(response.status_code, content, response.request.url.path)
    text = f"{sdk_text} -- {explain(refusal, outcome=call.outcome() if call else 'not retried')}"
    return without_key(text, response.request)
