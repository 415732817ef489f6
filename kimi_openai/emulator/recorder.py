"""The requests that arrived, as frozen records. The server writes them, users read them from other threads."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from multidict import CIMultiDictProxy

__all__ = ["Records", "Request", "json_of"]

KEPT = 10_000
"""How many requests are kept if the user names no number."""

MAX_BYTES = 256 * 1024 * 1024
"""How many bytes of bodies are kept."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `query` and `headers` are multidicts (`headers` ignores case), `json` is the parsed body or None.

    `raw_headers` are the header lines as sent, `time` is the emulator's clock. `status`, `chunks_sent`, `finished` and
    `disconnected` (the client left early) are set when the response has ended; read `kimi.requests` again for them.
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


def json_of(body: bytes) -> Any:
    """The JSON value of a body, or None."""
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


class Records:
    """The last `keep` requests by number, oldest first. All methods may be called from any thread.

    Older ones are dropped, also if the bodies together have more than `MAX_BYTES`, so that memory stays bounded.
    """

    def __init__(self, keep: int = KEPT) -> None:
        self._lock = Lock()
        self._keep = max(1, keep)
        self._count = self._bytes = 0
        self._kept: OrderedDict[int, Request] = OrderedDict()

    @property
    def count(self) -> int:
        """How many requests there were in all."""
        return self._count

    def add(self, make: Callable[[int], Request]) -> Request:
        """Store the record that `make` builds from its number."""
        with self._lock:
            self._count += 1
            request = self._kept[self._count] = make(self._count)
            self._bytes += len(request.body)
            while len(self._kept) > self._keep or (self._bytes > MAX_BYTES and len(self._kept) > 1):
                self._bytes -= len(self._kept.popitem(last=False)[1].body)
            return request

    def finish(self, number: int, *, status: int, chunks_sent: int, finished: bool, disconnected: bool) -> None:
        """Add how the response ended, unless the record was dropped before."""
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
        """Forget all records; the numbers go on."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0
