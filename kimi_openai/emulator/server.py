"""The sockets: records what arrives, asks the service, writes the frames. Nothing is decided here.

Only 127.0.0.1 is ever bound. Connections are really reset, dropped or left hanging when a frame says so.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from math import inf
from typing import Any

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from .record import Records, Request, parsed
from .service import Service
from .wire import Answer, Cut, Pause

__all__ = ["Server"]

HOST = "127.0.0.1"
NAME = "kimi-openai-emulator"
BACKLOG = 4096
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Server:
    """An aiohttp server in front of a service. All methods belong to the thread of its event loop."""

    def __init__(self, service: Service, records: Records, *, token_delay: float, coalesce: int) -> None:
        self.service, self.records = service, records
        self.token_delay, self.coalesce = token_delay, max(1, coalesce)
        self._runner: web.ServerRunner | None = None

    async def open(self, port: int) -> int:
        """Listen; gives the port."""
        handler = web.Server(self._handle, handler_cancellation=True, access_log=None, keepalive_timeout=3600)
        self._runner = web.ServerRunner(handler, shutdown_timeout=0.05)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port, backlog=BACKLOG)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening and end what is under way."""
        if self._runner:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        record = self.records.add(lambda number: self._record(request, body, number))
        answer = self.service.respond(record)
        writer = _Writer(request, answer, self._headers(answer, record))
        writer.delay, writer.coalesce = self.token_delay, self.coalesce
        gone = True
        try:
            response = await writer.write()
            gone = False
            return response
        except ConnectionError:
            return web.Response()
        finally:
            self.records.settle(
                record.number,
                status=answer.status,
                chunks_sent=writer.sent,
                finished=writer.finished,
                disconnected=gone,
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
            parsed(body),
            self.service.world.clock(),
        )

    def _headers(self, answer: Answer, record: Request) -> CIMultiDict[str]:
        headers = CIMultiDict([("Server", NAME), ("Content-Type", answer.content_type), *answer.headers])
        world = self.service.world
        if world.behaviour.request_id_header:
            headers[world.behaviour.request_id_header] = world.id("request", record.number, 32)
        return headers


class _Writer:
    """Writes one answer and counts its chunks."""

    delay = 0.0
    coalesce = 1

    def __init__(self, request: web.BaseRequest, answer: Answer, headers: CIMultiDict[str]) -> None:
        self.request, self.answer, self.headers = request, answer, headers
        self.sent = 0
        self.finished = False

    async def write(self) -> web.StreamResponse:
        frames = self.answer.frames
        if not self.answer.streaming and len(frames) == 1 and isinstance(frames[0], bytes):
            self.sent, self.finished = 1, True
            return web.Response(body=frames[0], status=self.answer.status, headers=self.headers)
        response = web.StreamResponse(status=self.answer.status, headers=self.headers)
        if not self.answer.streaming:
            size = self.answer.size
            response.content_length = len(self.answer.body) if size is None else size
        else:
            await response.prepare(self.request)
        await self._frames(response)
        return response

    async def _frames(self, response: web.StreamResponse) -> None:
        waiting: list[bytes] = []
        size = 1 if self.delay else self.coalesce
        for frame in self.answer.frames:
            if isinstance(frame, bytes):
                waiting.append(frame)
                if len(waiting) >= size:
                    await self._flush(response, waiting)
                continue
            await self._flush(response, waiting)
            if isinstance(frame, Cut):
                await self._cut(frame)
                return
            await _pause(frame)
        await self._flush(response, waiting)
        self.finished = True

    async def _flush(self, response: web.StreamResponse, waiting: list[bytes]) -> None:
        if not waiting:
            return
        if not response.prepared:
            await response.prepare(self.request)
        await response.write(b"".join(waiting))
        self.sent += len(waiting)
        waiting.clear()
        if self.delay:
            await asyncio.sleep(self.delay)

    async def _cut(self, cut: Cut) -> None:
        if cut.kind == "end" and self.answer.streaming:
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
