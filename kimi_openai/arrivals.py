"""Each response on its way in, before the SDK sees it.

A hook on the HTTP client, which may be the caller's own and shared with others: it touches only responses to requests
that `client.py` marked with their `Call`. Pure decisions live elsewhere; here they become headers that the SDK obeys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_origin

import openai

from .attempts import CALL, Call
from .errors import explain, refusal_of, stream_error
from .faults import NO_ANSWER

__all__ = ["arrived", "arrived_async", "check", "explained", "is_to_be_checked", "watch"]

REQUEST_ID_HEADERS = ("msh-request-id", "x-msh-trace-id", "x-trace-id")
"""Where Kimi names a request, best first; the SDK reads `x-request-id` (which is guaranteed is not documented)."""


def watch(http: Any, hook: Callable[[Any], Any]) -> None:
    """Have `hook` called for every response of an HTTP client, once however many clients share it."""
    hooks = http.event_hooks["response"]
    if hook not in hooks:
        hooks.append(hook)


def arrived(response: Any) -> None:
    """The hook of a synchronous HTTP client; redirects come through here one by one."""
    call = _call_of(response, "close")
    if call is not None and response.status_code >= 400:
        response.read()
        response.headers.update(call.refused(response))


async def arrived_async(response: Any) -> None:
    """The hook of an asynchronous HTTP client."""
    call = _call_of(response, "aclose")
    if call is not None and response.status_code >= 400:
        await response.aread()
        response.headers.update(call.refused(response))


def _call_of(response: Any, close: str) -> Call | None:
    call: Call | None = response.request.extensions.get(CALL)
    if call is not None:
        _name_request(response)
        _stay_at_origin(response)
        if not response.has_redirect_location:
            call.answered(response, close)
    return call


def _name_request(response: Any) -> None:
    headers = response.headers
    found = next((headers[name] for name in REQUEST_ID_HEADERS if name in headers), None)
    if found is not None:
        headers.setdefault("x-request-id", found)


def _stay_at_origin(response: Any) -> None:
    """A redirect to another origin would carry the prompt there; without its `location` it is an error instead."""
    if response.has_redirect_location:
        here, there = response.url, response.url.join(response.headers["location"])
        if (here.scheme, here.host, here.port) != (there.scheme, there.host, there.port):
            del response.headers["location"]


def is_to_be_checked(response: Any, cast_to: Any, stream: bool) -> bool:
    """Whether a response with a good status has to be looked at before the SDK makes a value of it: it is to become a
    model, or events while it says that it has none."""
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if response.request.headers.get("x-stainless-raw-response") == "stream" or response.status_code == 204:
        return False
    if stream:
        return media_type not in ("text/event-stream", "")
    kind = get_origin(cast_to) or cast_to
    if kind is object:
        return bool(media_type == "application/json")
    return isinstance(kind, type) and issubclass(kind, openai.BaseModel)


def check(response: Any, *, is_stream: bool) -> None:
    """Raise what a response with a good status is instead of an answer: empty, an error, a web page, plain JSON where a
    stream was asked for. It has been read."""
    content: bytes = response.content.strip()
    media_type = response.headers.get("content-type", "no content type").partition(";")[0]
    looks_whole = content[:1] in (b"{", b"[") and content[-1:] in (b"}", b"]")
    if looks_whole and content[:1] == b"{" and b'"error"' in content[:100]:
        body: Any = response.json()
        if body.get("error") and body.keys().isdisjoint(("id", "choices", "data")):
            raise stream_error(body, response)
    if not content:
        what = "with nothing in it"
    elif is_stream:
        what = f"with {media_type} instead of a stream"
    elif looks_whole:
        return
    else:
        what = f"with {media_type} that is not whole JSON: {content[:100]!r}"
    message = f"status {response.status_code} {what}; {NO_ANSWER.whose} side; {NO_ANSWER.advice} (not retried)"
    raise openai.APIResponseValidationError(response, response.text, message=message)


def explained(text: str, response: Any) -> str:
    """The SDK's text of a status error, and what the error means."""
    call: Call | None = response.request.extensions.get(CALL)
    content = response.content if response.is_stream_consumed else b""
    refusal = refusal_of(response.status_code, content, response.request.url.path)
    return f"{text} -- {explain(refusal, outcome=call.outcome() if call else 'not retried')}"
