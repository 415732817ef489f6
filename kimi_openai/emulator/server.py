"""The HTTP server: records each request, gets the response from the router, writes its frames.

It binds 127.0.0.1 only. Connections are really reset, dropped or left open when a frame says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from email.utils import formatdate
from math import inf
from typing import Any

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from .endpoints.routes import GENERATING
from .frames import Cut, Pause, Response
from .recorder import Records, Request, json_of
from .router import Router

__all__ = ["HOST", "Server"]

HOST = "127.0.0.1"
NAME = "kimi-openai-emulator"
BACKLOG = 4096
ACCEPT_STEPS = 3
"""How many turns of the event loop asyncio needs from an accepted connection to its protocol, and one more."""

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with 0 seconds: closing the socket sends RST."""


class Server:
    """An aiohttp server in front of a router. All methods belong to the thread of its event loop."""

    def __init__(
        self, router: Router, records: Records, *, token_delay: float, coalesce: int, latency: float = 0.0
    ) -> None:
        self.router, self.records = router, records
        self.token_delay, self.coalesce, self.latency = token_delay, coalesce, latency
        self._runner: web.ServerRunner | None = None
        self._listener: socket.socket | None = None

    async def open(self, port: int) -> int:
        """Listen on `port`, or on a free one if it is 0; returns the port. Raises OSError if it is taken."""
        handler = web.Server(self._handle, handler_cancellation=True, access_log=None, keepalive_timeout=3600)
        self._runner = web.ServerRunner(handler, shutdown_timeout=0.05)
        await self._runner.setup()
        self._listener = socket.create_server((HOST, port), backlog=BACKLOG)
        await web.SockSite(self._runner, self._listener, backlog=BACKLOG).start()
        return int(self._listener.getsockname()[1])

    async def close(self) -> None:
        """Stop listening and end all connections, also those with a response under way."""
        if self._listener:
            await _stop_accepting(self._listener)
        if self._runner:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        record = self.records.add(lambda number: self._record(request, body, number))
        response = self.router.respond(record)
        writer = _Writer(request, response, self._headers(response, record), self.token_delay, self.coalesce)
        disconnected = True
        try:
            if self.latency and response.status == 200 and record.path in GENERATING:
                await asyncio.sleep(self.latency)
            written = await writer.write()
            disconnected = False
            return written
        except ConnectionError:
            return web.Response()
        finally:
            self.router.ended(record)
            self.records.finish(
                record.number,
                status=response.status,
                chunks_sent=writer.chunks_sent,
                finished=writer.finished,
                disconnected=disconnected,
            )

    def _record(self, request: web.BaseRequest, body: bytes, number: int) -> Request:
        return Request(
            number,
            request.method,
            request.path,
            CIMultiDictProxy(CIMultiDict(request.query)),
            request.headers,
            request.raw_headers,
            body,
            json_of(body),
            self.router.state.clock(),
        )

    def _headers(self, response: Response, record: Request) -> CIMultiDict[str]:
        headers = CIMultiDict([("Server", NAME), ("Content-Type", response.content_type), *response.headers])
        state = self.router.state
        if state.behaviour.request_id_header:
            headers[state.behaviour.request_id_header] = state.id("request", record.number, 32)
        if state.behaviour.date_offset:
            headers["Date"] = formatdate(time.time() + state.behaviour.date_offset, usegmt=True)
        return headers


async def _stop_accepting(listener: socket.socket) -> None:
    """Accept nothing more, and let asyncio set up what it has accepted.

    If a server closes in between, asyncio logs an AssertionError and leaks the connection.
    """
    with contextlib.suppress(NotImplementedError):  # the event loop of Windows has no readers
        asyncio.get_running_loop().remove_reader(listener.fileno())
    for _ in range(ACCEPT_STEPS):
        await asyncio.sleep(0)


class _Writer:
    """Writes one response and counts its chunks.

    With `delay` it waits after each chunk; without, it writes up to `coalesce` chunks at once.
    """

    def __init__(
        self, request: web.BaseRequest, response: Response, headers: CIMultiDict[str], delay: float, coalesce: int
    ) -> None:
        self.request, self.response, self.headers = request, response, headers
        self.delay, self.at_once = delay, 1 if delay else max(1, coalesce)
        self.chunks_sent = 0
        self.finished = False

    async def write(self) -> web.StreamResponse:
        response = self.response
        if not response.streaming and len(response.frames) == 1 and isinstance(response.frames[0], bytes):
            self.chunks_sent, self.finished = 1, True
            return web.Response(body=response.frames[0], status=response.status, headers=self.headers)
        out = web.StreamResponse(status=response.status, headers=self.headers)
        if response.streaming:
            await out.prepare(self.request)
        else:
            out.content_length = len(response.body) if response.size is None else response.size
        await self._write_frames(out)
        return out

    async def _write_frames(self, out: web.StreamResponse) -> None:
        waiting: list[bytes] = []
        for frame in self.response.frames:
            if isinstance(frame, bytes):
                waiting.append(frame)
                if len(waiting) >= self.at_once:
                    await self._flush(out, waiting)
                continue
            await self._flush(out, waiting)
            if isinstance(frame, Cut):
                await self._cut(frame)
                return
            await _pause(frame)
        await self._flush(out, waiting)
        self.finished = True

    async def _flush(self, out: web.StreamResponse, waiting: list[bytes]) -> None:
        if not waiting:
            return
        if not out.prepared:
            await out.prepare(self.request)
        await out.write(b"".join(waiting))
        self.chunks_sent += len(waiting)
        waiting.clear()
        if self.delay:
            await asyncio.sleep(self.delay)

    async def _cut(self, cut: Cut) -> None:
        if cut.kind == "end" and self.response.streaming:
            return
        transport: Any = self.request.transport
        if transport is None:
            return
        while transport.get_write_buffer_size() and not transport.is_closing():
            await asyncio.sleep(0.001)
        if cut.kind == "reset":
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()


async def _pause(pause: Pause) -> None:
    if pause.seconds == inf:
        await asyncio.Event().wait()
    await asyncio.sleep(pause.seconds)
