"""The emulator as its users hold it: start, script, break, look. Threads meet here and nowhere else."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any

from .account import Account
from .behaviour import Behaviour
from .faults import Fault
from .record import Records, Request
from .script import steps_of
from .server import HOST, Server
from .service import Service
from .tokens import Chunking
from .world import Script, World

__all__ = ["Emulator"]

DEFAULT_KEY = "sk-emulator"


class Emulator:
    """A local Kimi on 127.0.0.1, in a thread of its own, as a context manager (also `async with`).

    `port=0` takes a free one. `balance` is cash; by default the account has the docs' example of cash and voucher.
    `seed` and a fixed `clock` (a number or a function) make ids, times and bodies reproducible. `chance` gives faults a
    probability each. `token_delay` waits after every chunk. `chunking` cuts text by "token", "word" or so many
    characters; `coalesce` writes so many chunks at once when there is no delay.
    """

    def __init__(
        self,
        port: int = 0,
        api_key: str = DEFAULT_KEY,
        *,
        behaviour: Behaviour | None = None,
        balance: Decimal | float | str | None = None,
        seed: int = 0,
        clock: float | Callable[[], float] | None = None,
        chance: Mapping[Fault, float] | None = None,
        token_delay: float = 0.0,
        chunking: Chunking = "token",
        coalesce: int = 1,
    ) -> None:
        if not 0 <= port <= 65535:
            raise ValueError(f"port is {port}; there are 1 to 65535, and 0 for a free one")
        account = Account() if balance is None else Account(cash=Decimal(str(balance)), voucher=Decimal(0))
        self._wanted_port = port
        self._port: int | None = None
        world = World(behaviour or Behaviour(), account, seed, _clock(clock), chunking)
        self._world, self._service = world, Service(api_key, world, dict(chance or {}))
        self._records = Records()
        self._delays: dict[str, Any] = {"token_delay": token_delay, "coalesce": coalesce}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port; an error before `start`."""
        if self._port is None:
            raise RuntimeError("the emulator is not running: use `with Emulator() as kimi:` or kimi.start()")
        return self._port

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT/v1`."""
        return f"http://{HOST}:{self.port}/v1"

    @property
    def api_key(self) -> str:
        """The key that is accepted."""
        return self._service.api_key

    @property
    def balance(self) -> Decimal:
        """What is left on the account, cash and voucher; may be set (as cash), for the next requests."""
        return self._world.account.available

    @balance.setter
    def balance(self, amount: Decimal | float | str) -> None:
        self._world.account.cash, self._world.account.voucher = Decimal(str(amount)), Decimal(0)

    def script(self, *steps: Script) -> None:
        """Queue one answer for the next chat request that breaks no rule: steps, or their text form."""
        self._world.scripts.append([step for part in steps for step in steps_of(part)])

    def fail(self, *faults: Fault, path: str | None = None) -> None:
        """Queue faults, one for each of the next requests (whose path ends with `path`); then it is normal again.

        A request may also choose its own: header `X-Emulator-Fault: reset_after=3` (see `parse_fault`).
        """
        self._service.faults.extend((fault, path) for fault in faults)

    @property
    def reply(self) -> Callable[[Request], Script | None] | None:
        """A function from request to script for when no script is queued; `None` from it means the default answer."""
        return self._world.reply

    @reply.setter
    def reply(self, function: Callable[[Request], Script | None] | None) -> None:
        self._world.reply = function

    @property
    def requests(self) -> list[Request]:
        """All requests so far, oldest first."""
        return self._records.all()

    @property
    def chats(self) -> list[Any]:
        """The JSON bodies of the chat completion requests."""
        return [request.json for request in self.requests if request.path == "/v1/chat/completions"]

    def clear(self) -> None:
        """Forget requests, queued scripts and faults, and `reply`; files, balance and cache stay."""
        self._records.clear()
        self._world.scripts.clear()
        self._service.faults.clear()
        self._world.reply = None

    def start(self) -> Emulator:
        """Start listening; OSError if the port is taken."""
        if self._thread:
            raise RuntimeError("the emulator is already running")
        loop = self._loop = asyncio.new_event_loop()
        self._server = Server(self._service, self._records, **self._delays)
        self._thread = threading.Thread(target=loop.run_forever, name="kimi-emulator", daemon=True)
        self._thread.start()
        try:
            self._port = asyncio.run_coroutine_threadsafe(self._server.open(self._wanted_port), loop).result()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End all connections and the thread. Records stay readable."""
        loop, thread, server = self._loop, self._thread, self._server
        if not (loop and thread and server):
            return
        asyncio.run_coroutine_threadsafe(server.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        self._loop = self._thread = self._server = self._port = None

    def wait(self) -> None:
        """Block until interrupted (Ctrl-C) or stopped from another thread."""
        thread = self._thread
        try:
            while thread and thread.is_alive():
                time.sleep(0.2)  # not join: interrupted, it takes the thread for dead (CPython 3.11)
        except KeyboardInterrupt:
            self.stop()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Emulator:
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def __repr__(self) -> str:
        return f"<Emulator {self.base_url if self._port else 'stopped'}>"


def _clock(clock: float | Callable[[], float] | None) -> Callable[[], float]:
    if clock is None:
        return time.time
    return clock if callable(clock) else lambda: float(clock)
