"""A thread with an event loop that runs the server until it is stopped. `Emulator` starts and stops it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Future, InvalidStateError

from .server import Server

__all__ = ["ServerThread"]


class ServerThread:
    """Runs one server. `asyncio.run` cancels what is left in the event loop at the end, and closes the loop."""

    def __init__(self, server: Server, port: int) -> None:
        self._server, self._wanted_port = server, port
        self._port: Future[int] = Future()
        self._stop_request: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="kimi-emulator", daemon=True)

    def start(self) -> int:
        """Start listening; returns the port. Raises OSError if the port is taken; then no thread is left."""
        self._thread.start()
        try:
            return self._port.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all connections and the thread. May be called from any thread, and more than once."""
        with contextlib.suppress(InvalidStateError):
            self._stop_request.set_result(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as problem:
            if self._port.done():
                raise
            self._port.set_exception(problem)

    async def _serve(self) -> None:
        try:
            self._port.set_result(await self._server.open(self._wanted_port))
            await asyncio.wrap_future(self._stop_request)
        finally:
            await self._server.close()
