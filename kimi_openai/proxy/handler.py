"""Answers one HTTP request of a program: checks its token, asks Kimi, and writes the answer as it comes.

What is asked and answered is decided in `kimi_openai.adapting`. Of the program's headers only a few go to Kimi, and its
token never.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import Any

import openai
from aiohttp import web

from kimi_openai._internal.decode import decode_json
from kimi_openai._internal.flow import run_async
from kimi_openai._internal.json_values import as_dict
from kimi_openai._internal.secrets import mask_keys
from kimi_openai._internal.warn import no_warnings
from kimi_openai.adapting.answer_errors import error_answer, plain_error
from kimi_openai.adapting.events import event_bytes_async
from kimi_openai.adapting.exchange import exchange
from kimi_openai.adapting.kimi_clients import KimiClients
from kimi_openai.adapting.message import JSON, WireAnswer, WireRequest, request_headers

from .access import is_allowed

__all__ = ["MAX_BODY", "Handler"]

log = logging.getLogger("kimi_openai.proxy")

MAX_BODY = 128 * 1024 * 1024
"""Bytes of a request. Kimi takes files and requests of up to 100 MB."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PREFIX = "/v1"
NAME = "kimi-openai-proxy"

FORWARDED = ("idempotency-key", "x-stainless-retry-count")
"""Headers of the program that go on, beside those that begin with `x-msh-`, Moonshot's own."""


class Handler:
    """`handle` is aiohttp's handler of every request."""

    def __init__(self, clients: KimiClients, token: str) -> None:
        self._clients, self._token = clients, token

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request. It is cancelled when the program closes the connection, and so is the request to Kimi."""
        start, outcome = time.monotonic(), "left by the program"
        try:
            with no_warnings():
                answer = self._refusal(request) or await self._answer(request)
                response = await _written(request, answer)
            outcome = _outcome(answer)
            return response
        except ConnectionError:  # the program has closed its connection
            return web.Response()
        finally:
            path = mask_keys(request.rel_url.raw_path)[:200]
            log.info("%s %s: %s, %.1f s", request.method, path, outcome, time.monotonic() - start)

    def _refusal(self, request: web.Request) -> WireAnswer | None:
        """The error answer to a request that is not for Kimi, `None` if it is."""
        if not is_allowed(self._token, request.headers):
            what = "this proxy lets in only who sends its token as the API key; it was printed when the proxy started"
            return plain_error(401, "authentication_error", what, {"www-authenticate": "Bearer"})
        if request.method not in METHODS:
            return plain_error(405, "invalid_request_error", "no such method", {"allow": ", ".join(METHODS)})
        path = request.rel_url.raw_path
        if not path.startswith(f"{PREFIX}/") or "/../" in f"{path}/":
            what = f"nothing is at {path[:100]!r}; the base URL of this proxy ends in {PREFIX}"
            return plain_error(404, "url.not_found", mask_keys(what))
        return None

    async def _answer(self, request: web.Request) -> WireAnswer:
        try:
            wire = await _wire_request(request)
            return await run_async(exchange(self._clients.own, wire))
        except web.HTTPRequestEntityTooLarge:
            what = f"the request is larger than {MAX_BODY // 1024 // 1024} MB"
            return plain_error(413, "invalid_request_error", what)
        except openai.OpenAIError as error:
            return error_answer(error)
        except Exception:
            log.exception("the request could not be answered")
            return plain_error(500, "proxy_error", "the proxy failed; its log says why")


def _outcome(answer: WireAnswer) -> str:
    """The status, and the message of an error, for the log."""
    if answer.status < 400 or not isinstance(answer.body, bytes):
        return str(answer.status)
    with suppress(ValueError):
        error: Any = as_dict(decode_json(answer.body)).get("error")
        return f"{answer.status} {mask_keys(str(as_dict(error).get('message')))}"
    return str(answer.status)


async def _wire_request(request: web.Request) -> WireRequest:
    url = request.rel_url
    query = f"?{url.raw_query_string}" if url.raw_query_string else ""
    return WireRequest(
        request.method,
        url.raw_path.removeprefix(PREFIX) + query,
        _forwarded(request.headers),
        await request.read(),
        request.headers.get("Content-Type", JSON),
    )


def _forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    passed = request_headers(headers.items())
    return {
        name: value for name, value in passed.items() if name.lower() in FORWARDED or name.lower().startswith("x-msh-")
    }


async def _written(request: web.Request, answer: WireAnswer) -> web.StreamResponse:
    """The response, of which a stream has been written: each event at once."""
    headers = {**answer.headers, "server": NAME}
    if isinstance(answer.body, bytes):
        return web.Response(body=answer.body, status=answer.status, headers=headers)
    response = web.StreamResponse(status=answer.status, headers={**headers, "cache-control": "no-cache"})
    try:
        await response.prepare(request)
        async with aclosing(event_bytes_async(answer.body)) as events:
            async for event in events:
                await response.write(event)
        await response.write_eof()
    except (asyncio.CancelledError, ConnectionError):
        await answer.body.close()  # the program does not read it any more
        raise
    return response
