"""The state of one emulated service: what all endpoints share. It belongs to the server's thread.

It also makes ids, times and signatures, which follow from the seed and the clock.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.generation.chunks import Envelope
from kimi_openai.emulator.generation.script import Script, Step
from kimi_openai.emulator.json_values import Json
from kimi_openai.emulator.limits.limiter import Limiter
from kimi_openai.emulator.recorder import Request
from kimi_openai.emulator.tokens import Chunking

from .account import Account
from .batches import Batches
from .files import Files
from .prompt_cache import PromptCache

__all__ = ["ServiceState"]

KEPT_FIBERS = 10_000


@dataclass(slots=True)
class ServiceState:
    """Account, limits, files, batches, official tools, prompt cache, queued scripts, seed and clock of one service."""

    behaviour: Behaviour
    account: Account
    seed: int
    clock: Callable[[], float]
    limiter: Limiter
    chunking: Chunking = "token"
    reply: Callable[[Request], Script | None] | None = None
    scripts: deque[list[Step]] = field(default_factory=deque[list[Step]])
    cache: PromptCache = field(default_factory=PromptCache)
    batches: Batches = field(default_factory=Batches)
    files: Files = field(init=False)
    fibers: deque[Json] = field(default_factory=lambda: deque[Json](maxlen=KEPT_FIBERS))
    fiber_reply: Callable[[Request], Any] | None = None
    memory: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self.files = Files(self.behaviour.file_status)

    @property
    def now(self) -> int:
        """Seconds since the epoch."""
        return int(self.clock())

    def id(self, kind: str, number: int, length: int = 24) -> str:
        """A reproducible hexadecimal id, from the seed and the number of the request."""
        return hashlib.sha256(f"{self.seed}/{kind}/{number}".encode()).hexdigest()[:length]

    def envelope(self, model: str, number: int, *, kind: str = "chat") -> Envelope:
        """Id, time and fingerprint of the answer to request `number`."""
        return Envelope(f"chatcmpl-{self.id(kind, number)}", self.now, model, f"fpv0_{self.id('fingerprint', 0, 8)}")

    def signature(self, nonce: str, timestamp: str, model: str) -> str:
        """A signature of an answer. The platform's algorithm is not public; only the prefix is known."""
        text = f"{nonce}\n{timestamp}\n{model}".encode()
        return "reqsigv1_" + hmac.new(f"signing {self.seed}".encode(), text, hashlib.sha256).hexdigest()
