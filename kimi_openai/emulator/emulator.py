"""The emulator as its users hold it: start it, script answers, queue faults, read what was sent.

The service itself is in `router` and `state`; `server_thread` runs it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any

from .behaviour import Behaviour
from .endpoints.routes import CHAT, RESPONSES
from .faults.catalogue import Fault
from .faults.fault_queue import FaultQueue
from .generation.script import Script, steps_of
from .limits.account_limits import AccountLimits, limits_of
from .limits.limiter import Limiter
from .limits.report import LimitReport
from .recorder import Records, Request
from .router import Router
from .server import HOST, Server
from .server_thread import ServerThread
from .state.account import Account
from .state.service_state import ServiceState
from .tokens import Chunking

__all__ = ["Emulator"]

DEFAULT_KEY = "sk-emulator"


class Emulator:
    """A local Kimi on 127.0.0.1 in its own thread, as a context manager (also `async with`).

    `port=0` takes a free port. `balance` is cash; by default the account has the cash and the voucher of the docs'
    example. `seed` and a fixed `clock` (a number or a function) make ids, times and bodies reproducible. `chance` gives
    each fault a probability. `token_delay` waits so many seconds after every chunk. `chunking` splits text by "token",
    by "word" or every so many characters; `coalesce` writes so many chunks at once when there is no delay. `latency`
    lets each answer wait so many seconds before its first byte.

    `limits` are the organization's: the name of a tier ("tier0" to "tier5") or `AccountLimits`; by default there are
    none. They follow `clock`, and `minute` is how many seconds a minute of them lasts: with `minute=0.6` a run is over
    in a hundredth of its time (a day has 1,440 minutes, and the advised wait of a 429 is scaled as well).

    `requests` has the last `keep` requests, so that memory stays flat over a long run.

    Raises ValueError for an impossible port or an unknown tier.
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
        latency: float = 0.0,
        limits: AccountLimits | str | None = None,
        minute: float = 60.0,
        keep: int = 10_000,
    ) -> None:
        if not 0 <= port <= 65535:
            raise ValueError(f"port is {port}; it must be 1 to 65535, or 0 for a free port")
        account = Account() if balance is None else Account(cash=Decimal(str(balance)), voucher=Decimal(0))
        behaviour, now = behaviour or Behaviour(), _clock(clock)
        limiter = Limiter(limits_of(limits), behaviour, now, minute)
        self._state = ServiceState(behaviour, account, seed, now, limiter, chunking)
        self._router = Router(api_key, self._state, FaultQueue(chance or {}, seed))
        self._records = Records(keep)
        self._server = Server(self._router, self._records, token_delay=token_delay, coalesce=coalesce, latency=latency)
        self._wanted_port = port
        self._port: int | None = None
        self._thread: ServerThread | None = None

    @property
    def port(self) -> int:
        """The port. Raises RuntimeError if the emulator does not run."""
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
        return self._router.api_key

    @property
    def balance(self) -> Decimal:
        """What is left on the account, cash and voucher. Setting it sets the cash and removes the voucher."""
        return self._state.account.available

    @balance.setter
    def balance(self, amount: Decimal | float | str) -> None:
        self._state.account.cash, self._state.account.voucher = Decimal(str(amount)), Decimal(0)

    @property
    def limits(self) -> LimitReport:
        """What was used of the limits, and which of them refused how many requests."""
        return self._state.limiter.report()

    def set_limits(self, limits: AccountLimits | str | None) -> None:
        """Set other limits while it runs, as Kimi may under load. Raises ValueError for an unknown tier."""
        self._state.limiter.change(limits_of(limits))

    def script(self, *steps: Script) -> None:
        """Queue one answer, as steps or in their text form. The next chat request that is not refused gets it."""
        self._state.scripts.append([step for part in steps for step in steps_of(part)])

    def fail(self, *faults: Fault | None, path: str | None = None) -> None:
        """Queue faults. Each of the next requests (whose path ends with `path`) gets one, later requests get none.

        `None` lets a request succeed. Raises `TypeError` for what is no fault.

        A request can also choose its fault with the header `X-Emulator-Fault: reset_after=3` (see `parse_fault`).
        """
        self._router.faults.add(*faults, path=path or "")

    @property
    def reply(self) -> Callable[[Request], Script | None] | None:
        """A function that returns a script for a request when none is queued, or None for the default answer."""
        return self._state.reply

    @reply.setter
    def reply(self, function: Callable[[Request], Script | None] | None) -> None:
        self._state.reply = function

    @property
    def fiber_reply(self) -> Callable[[Request], Any] | None:
        """A function that returns the output of a run of an official tool, or None for the emulator's own output.

        What it raises is the error of a failed run.
        """
        return self._state.fiber_reply

    @fiber_reply.setter
    def fiber_reply(self, function: Callable[[Request], Any] | None) -> None:
        self._state.fiber_reply = function

    @property
    def fibers(self) -> list[Any]:
        """The runs of official tools so far, as they were answered: the last 10,000, oldest first."""
        return list(self._state.fibers)

    @property
    def requests(self) -> list[Request]:
        """The last requests (10,000 unless `keep` says otherwise), oldest first."""
        return self._records.all()

    @property
    def chats(self) -> list[Any]:
        """The JSON bodies of the chat completion requests."""
        return [request.json for request in self.requests if request.path == CHAT]

    @property
    def responses(self) -> list[Any]:
        """The JSON bodies of the requests to `/v1/responses`."""
        return [request.json for request in self.requests if request.path == RESPONSES]

    def clear(self) -> None:
        """Remove requests, fibers, queued scripts and faults, `reply`, `fiber_reply`, and what the limits counted.

        Files, balance, the memory tool and prompt cache stay.
        """
        self._state.limiter.clear()
        self._records.clear()
        self._state.scripts.clear()
        self._router.faults.clear()
        self._state.reply = self._state.fiber_reply = None
        self._state.fibers.clear()

    def start(self) -> Emulator:
        """Start listening. Raises OSError if the port is taken, RuntimeError if the emulator already runs."""
        if self._thread:
            raise RuntimeError("the emulator is already running")
        thread = ServerThread(self._server, self._wanted_port)
        self._port = thread.start()
        self._thread = thread
        return self

    def stop(self) -> None:
        """End all connections and the thread; does nothing if the emulator does not run. Records stay readable."""
        thread, self._thread, self._port = self._thread, None, None
        if thread:
            thread.stop()

    def wait(self) -> None:
        """Block until the emulator is interrupted (Ctrl-C) or another thread stops it."""
        thread = self._thread
        try:
            while thread and thread.is_alive:
                time.sleep(0.2)  # not join: after an interrupt it takes the thread for dead (CPython 3.11)
        except KeyboardInterrupt:
            self.stop()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Emulator:
        return await asyncio.to_thread(self.start)

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
