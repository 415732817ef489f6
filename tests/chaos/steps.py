"""What the proxy does on a connection, one step after the other, as values."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

__all__ = ["CLOSE", "FOREVER", "RESET", "Drip", "End", "Pause", "Repeat", "Step", "seconds_of"]


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Drip:
    """Bytes one by one, with a pause after each."""

    data: bytes
    pause: float


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same bytes again and again, with a pause after each, until the client leaves."""

    data: bytes
    pause: float


@dataclass(frozen=True, slots=True)
class End:
    """The end of the connection: reset (RST) or closed (FIN)."""

    kind: Literal["reset", "close"]


Step = bytes | Pause | Drip | Repeat | End

FOREVER = Pause(inf)
RESET, CLOSE = End("reset"), End("close")


def seconds_of(steps: list[Step]) -> float:
    """How long the steps take, a step without an end not counted."""
    pauses = [step.seconds for step in steps if isinstance(step, Pause) and step.seconds != inf]
    return sum(pauses) + sum(len(step.data) * step.pause for step in steps if isinstance(step, Drip))
