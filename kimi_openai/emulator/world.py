"""The state of one account's Kimi, shared by all endpoints; it belongs to the server's thread.

Only values and counters live here; the endpoints read and change them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .account import Account, PromptCache
from .batches import Batches
from .behaviour import Behaviour
from .files import Files
from .record import Request
from .script import Step
from .tokens import Chunking
from .wire import Envelope

__all__ = ["Script", "World"]

Script = str | Step | Iterable[Step]
"""A script: its text form, one step, or steps."""


@dataclass(slots=True)
class World:
    """Account, files, batches, cache, waiting scripts, and where ids and times come from."""

    behaviour: Behaviour
    account: Account
    seed: int
    clock: Callable[[], float]
    chunking: Chunking = "token"
    reply: Callable[[Request], Script | None] | None = None
    scripts: deque[list[Step]] = field(default_factory=deque[list[Step]])
    cache: PromptCache = field(default_factory=PromptCache)
    batches: Batches = field(default_factory=Batches)
    files: Files = field(init=False)

    def __post_init__(self) -> None:
        self.files = Files(self.behaviour)

    @property
    def now(self) -> int:
        """Seconds since the epoch."""
        return int(self.clock())

    def id(self, kind: str, number: int, length: int = 24) -> str:
        """A reproducible hexadecimal id, from the seed and the number of the request."""
        return hashlib.sha256(f"{self.seed}/{kind}/{number}".encode()).hexdigest()[:length]

    def envelope(self, model: str, number: int, *, kind: str = "chat") -> Envelope:
        """What the answer to request `number` carries around its choices."""
        return Envelope(f"chatcmpl-{self.id(kind, number)}", self.now, model, f"fpv0_{self.id('fingerprint', 0, 8)}")

    def signature(self, nonce: str, timestamp: int, model: str) -> str:
        """A signature of an answer. The platform's algorithm is not public; only its prefix is."""
        text = f"{nonce}\n{timestamp}\n{model}".encode()
        return "reqsigv1_" + hmac.new(f"signing {self.seed}".encode(), text, hashlib.sha256).hexdigest()
