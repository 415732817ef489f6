"""Which fault a request gets: the one that it names in a header, the next queued one, or one by chance."""

from __future__ import annotations

import random
from collections.abc import Mapping
from threading import Lock
from typing import Any

from kimi_openai.emulator.recorder import Request

from .catalogue import Fault, parse_fault

__all__ = ["FAULT_HEADER", "FaultQueue"]

FAULT_HEADER = "X-Emulator-Fault"


class FaultQueue:
    """Queued faults, and the probability of others. Users add from their threads while the server takes."""

    def __init__(self, chance: Mapping[Fault, float], seed: int) -> None:
        self._chance = dict(chance)
        self._random = random.Random(seed)
        self._lock = Lock()
        self._queued: list[tuple[Fault | None, str]] = []

    def add(self, *faults: Fault | None, path: str) -> None:
        """Queue faults for requests whose path ends with `path`; `None` lets one succeed. Raises `TypeError` for what
        is no fault."""
        given: tuple[Any, ...] = faults
        for fault in given:
            if fault is not None and not isinstance(fault, Fault):
                raise TypeError(f"a {type(fault).__name__} is no fault; script() takes the steps of an answer")
        with self._lock:
            self._queued += [(fault, path) for fault in faults]

    def clear(self) -> None:
        """Drop the queued faults."""
        with self._lock:
            self._queued.clear()

    def take(self, request: Request) -> Fault | None:
        """The fault of this request, or None. Raises ValueError or TypeError if its header names no fault."""
        named = request.headers.get(FAULT_HEADER)
        if named:
            return parse_fault(named)
        with self._lock:
            for index, (_, path) in enumerate(self._queued):
                if request.path.endswith(path):
                    return self._queued.pop(index)[0]
        return next((fault for fault, chance in self._chance.items() if self._random.random() < chance), None)
