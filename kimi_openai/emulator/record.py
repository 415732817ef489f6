"""What arrived, for assertions: frozen records, which the server writes and users read from other threads."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from multidict import CIMultiDictProxy

__all__ = ["Records", "Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `query` and `headers` are multidicts (`headers` ignores case), `json` the parsed body or `None`.

    `raw_headers` are the header lines as sent. `time` is the emulator's clock. `status`, `chunks_sent`, `finished` and
    `disconnected` (the client left early) are known once the answer is over; read `kimi.requests` again for them.
    """

    number: int
    method: str
    path: str
    query: CIMultiDictProxy[str]
    headers: CIMultiDictProxy[str]
    raw_headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    json: Any
    time: float
    status: int | None = None
    chunks_sent: int = 0
    finished: bool = False
    disconnected: bool = False


def parsed(body: bytes) -> Any:
    """The JSON value of a body, or `None`."""
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


class Records:
    """Requests by number. Safe to read while the server writes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._kept: dict[int, Request] = {}

    def add(self, make: Callable[[int], Request]) -> Request:
        """Keep the record that `make` builds from its number."""
        with self._lock:
            self._count += 1
            request = self._kept[self._count] = make(self._count)
            return request

    def settle(self, number: int, *, status: int, chunks_sent: int, finished: bool, disconnected: bool) -> None:
        """Write down how the answer ended, unless the record was cleared in the meantime."""
        with self._lock:
            if number in self._kept:
                self._kept[number] = replace(
                    self._kept[number],
                    status=status,
                    chunks_sent=chunks_sent,
                    finished=finished,
                    disconnected=disconnected,
                )

    def all(self) -> list[Request]:
        """The records, oldest first."""
        with self._lock:
            return list(self._kept.values())

    def clear(self) -> None:
        """Forget them; numbers go on."""
        with self._lock:
            self._kept.clear()
