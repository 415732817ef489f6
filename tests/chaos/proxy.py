"""The TCP proxy, in a thread of its own, with one port for each run.

It passes a request on to the server behind it, reads the whole answer, and then does what the plan of the run says. The
server of `shapes` listens in the same thread.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from types import TracebackType
from typing import Any

from .faults import CONNECTION_FAULTS, HARMLESS, REQUEST_FAULTS, steps_of
from .plans import NO_FAULT, Plan
from .shapes import answer_to
from .steps import Drip, End, Pause, Repeat, Step, seconds_of
from .wire import Answer, BadMessage, Request, read_answer, read_request, read_request_head

__all__ = ["Passage", "Proxy"]

HOST = "127.0.0.1"
LIMIT = 2**20
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class Passage:
    """What passes between client and server in one run. `answers` are the true ones, `done` the names of the faults,
    `seconds` how long they took, `trouble` a fault of this harness."""

    plan: Plan
    upstream: int
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    steps: list[list[Step]] = field(default_factory=list)
    seconds: float = 0.0
    trouble: str = ""
    is_closed: bool = False
    _faults: list[tuple[str, int]] = field(default_factory=list)
    _listening: asyncio.Server | None = None
    _socket: socket.socket | None = None
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def is_harmless(self) -> bool:
        """Whether nothing has come in the way of an answer, not even a timeout that this machine may miss."""
        return not self.plan.refused_for and self.plan.timeout is None and HARMLESS.issuperset(self.done)

    async def open(self) -> None:
        """Take a port, and listen on it: now, later or never, as the plan refuses connections."""
        self._faults = list(self.plan.faults)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        self._socket.bind((HOST, 0))
        self.port = self._socket.getsockname()[1]
        if not self.plan.refused_for:
            await self._listen()
        elif self.plan.refused_for != inf:
            self._start(self._listen(self.plan.refused_for))

    async def _listen(self, delay: float = 0.0) -> None:
        await asyncio.sleep(delay)
        self._listening = await asyncio.start_server(self._serve, sock=self._socket, limit=LIMIT)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def cut(self) -> None:
        """Reset all connections, which is the only way to end a synchronous client that hangs."""
        for writer in self._writers:
            _reset(writer)

    async def close(self) -> None:
        """End all of it."""
        self.is_closed = True
        if self._listening is not None and self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            await asyncio.sleep(0)  # else asyncio leaks a connection that it has just accepted
            self._listening.close()
        elif self._socket is not None:
            self._socket.close()
        for task in tuple(self._tasks):
            task.cancel()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_closed:
            writer.transport.abort()
            return
        self._writers.add(writer)
        self._start(self._connection(reader, writer))

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, EOFError):  # the client has left
            pass
        except Exception as error:
            self.trouble = f"the proxy: {error!r}"
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer. Returns whether the connection is kept."""
        if self._next()[0] in CONNECTION_FAULTS:
            return await self._do(name := self._faults.pop(0)[0], CONNECTION_FAULTS[name], writer)
        if self._next()[0] in REQUEST_FAULTS:
            await read_request_head(reader)
            return await self._do(name := self._faults.pop(0)[0], REQUEST_FAULTS[name], writer)
        request = await read_request(reader)
        self.requests.append(request)
        answer = await _asked(self.upstream, request)
        self.answers.append(answer)
        name, seed = self._faults.pop(0) if self._faults else NO_FAULT
        name, steps = steps_of(name, seed, answer)
        return await self._do(name, steps, writer)

    def _next(self) -> tuple[str, int]:
        return self._faults[0] if self._faults else NO_FAULT

    async def _do(self, name: str, steps: Any, writer: asyncio.StreamWriter) -> bool:
        self.done.append(name)
        self.steps.append(list(steps))
        self.seconds += seconds_of(list(steps))
        for step in steps:
            await _perform(step, writer)
        return not any(isinstance(step, End) for step in steps)


async def _perform(step: Step, writer: asyncio.StreamWriter) -> None:
    if isinstance(step, bytes):
        await _write(step, writer)
    elif isinstance(step, Pause):
        await (asyncio.sleep(step.seconds) if step.seconds != inf else asyncio.get_running_loop().create_future())
    elif isinstance(step, Drip):
        for at in range(len(step.data)):
            await _write(step.data[at : at + 1], writer)
            await asyncio.sleep(step.pause)
    elif isinstance(step, Repeat):
        while True:
            await _write(step.data, writer)
            await asyncio.sleep(step.pause)
    elif step.kind == "reset":
        _reset(writer)
    else:
        writer.close()


async def _write(data: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(data)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()


async def _asked(port: int, request: Request) -> Answer:
    """The answer of the server behind the proxy."""
    reader, writer = await asyncio.open_connection(HOST, port, limit=LIMIT)
    try:
        await _write(request.raw, writer)
        return await read_answer(reader, request.path)
    except (OSError, EOFError) as error:
        raise BadMessage(f"the server behind the proxy: {error!r}") from error
    finally:
        writer.transport.abort()


class Proxy:
    """The thread with its event loop, as a context manager. `emulator` is the port of the emulator."""

    def __init__(self, emulator: int, plan_of: Callable[[int], Plan]) -> None:
        self._upstreams = {"emulator": emulator}
        self._plan_of = plan_of
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chaos-proxy", daemon=True)
        self._shapes: asyncio.Server | None = None

    async def open(self, plan: Plan) -> Passage:
        """A port for a run."""
        passage = Passage(plan, self._upstreams[plan.upstream])
        await self.run(passage.open())
        return passage

    async def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something in the thread, and wait for it."""
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _start(self) -> None:
        self._shapes = await asyncio.start_server(self._answer, HOST, 0, limit=LIMIT)
        self._upstreams["shapes"] = self._shapes.sockets[0].getsockname()[1]

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            request = await read_request(reader)
            data, _ = answer_to(self._plan_of(request.run), request)
            await _write(data, writer)
        writer.close()

    async def _stop(self) -> None:
        if self._shapes is not None:
            self._shapes.close()
        await asyncio.sleep(0.05)
        self._loop.stop()

    def __enter__(self) -> Proxy:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop)
        self._thread.join()
        self._loop.close()
