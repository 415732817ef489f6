"""Kimi without sockets: a request record goes in, an answer of frames comes out.

Which fault is due, whether the key is right, which endpoint is meant: decided here, in this order.
"""

from __future__ import annotations

import hmac
import random
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from .completions import answer
from .damage import Damage, damaged
from .endpoints import ROUTES
from .faults import Fault, parse_fault
from .record import Request
from .wire import BAD_KEY, NO_KEY, Answer, Frame, Problem, url_not_found
from .world import World

__all__ = ["Service"]

FAULT_HEADER = "X-Emulator-Fault"


class Service:
    """One account's Kimi, and what is to go wrong with it."""

    def __init__(self, api_key: str, world: World, chance: Mapping[Fault, float]) -> None:
        self.api_key, self.world, self.chance = api_key, world, chance
        self.faults: deque[tuple[Fault, str | None]] = deque()
        self._random = random.Random(world.seed)

    def respond(self, request: Request) -> Answer:
        """The answer to a request, with the fault that was due for it."""
        try:
            fault = self._fault_for(request)
        except (TypeError, ValueError) as reason:
            return Problem(f"emulator: {FAULT_HEADER}: {reason}").answer()
        if isinstance(fault, Answer):
            return self._without_retry_after(fault)
        if fault and fault.chunks == -1:
            return Answer(fault.insert)
        whole = self._refused(request) or self._routed(request, as_json=bool(fault and fault.as_json))
        return _damaged(whole, fault) if fault else whole

    def _fault_for(self, request: Request) -> Fault | None:
        asked = request.headers.get(FAULT_HEADER)
        if asked:
            return parse_fault(asked)
        for place, (fault, path) in enumerate(self.faults):
            if request.path.endswith(path or ""):
                del self.faults[place]
                return fault
        return next((fault for fault, chance in self.chance.items() if self._random.random() < chance), None)

    def _without_retry_after(self, answer: Answer) -> Answer:
        if self.world.behaviour.retry_after:
            return answer
        return replace(answer, headers=tuple(h for h in answer.headers if "retry-after" not in h[0].lower()))

    def _refused(self, request: Request) -> Answer | None:
        """Authentication, which comes before routing (not known of the platform)."""
        key = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not key:
            return NO_KEY.answer()
        right = self.world.behaviour.any_key or hmac.compare_digest(key.encode(), self.api_key.encode())
        return None if right else BAD_KEY.answer()

    def _routed(self, request: Request, *, as_json: bool) -> Answer:
        if (request.method, request.path) == ("POST", "/v1/chat/completions"):
            return answer(self.world, request, as_json=as_json)
        for method, pattern, respond in ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                return respond(self.world, request, *found.groups())
        return url_not_found(request.method, request.path, request.headers.get("User-Agent", ""))


def _damaged(answer: Answer, damage: Damage) -> Answer:
    """Error answers pass unharmed: a fault waits for something to break."""
    if answer.status != 200:
        return answer
    frames = answer.frames if answer.streaming else _halves(answer.frames)
    if not answer.streaming and isinstance(damage.chunks, int):
        damage = replace(damage, chunks=min(damage.chunks, 1))
    return replace(answer, frames=tuple(damaged(frames, damage)), size=len(answer.body))


def _halves(frames: tuple[Frame, ...]) -> list[Frame]:
    """A non-streaming body in two writes, so that damage can fall between them."""
    halves: list[Frame] = []
    for frame in frames:
        if isinstance(frame, bytes):
            halves += [frame[: len(frame) // 2], frame[len(frame) // 2 :]]
        else:
            halves.append(frame)
    return halves
