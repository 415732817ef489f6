"""How runs ended, and what was wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .plans import Plan
from .proxy import Passage

__all__ = ["KINDS", "Chaos", "Result"]

KINDS = ("hang", "foreign", "untrue", "needless", "key", "socket", "thread", "task", "noise", "harness")
"""What can be wrong. `needless`: an error although nothing broke. `key`: the key is in the text of an exception.
`noise`: warnings (unclosed, never retrieved), an event loop that stood still. `harness`: a fault of this harness."""


@dataclass
class Result:
    """How a run ended: "answer", the name of an exception, or "hang". `findings`: a kind of `KINDS` and what it is.
    `late` is the heartbeat at its start."""

    plan: Plan
    passage: Passage
    ends: list[str] = field(default_factory=list)
    seconds: float = 0.0
    findings: list[tuple[str, str]] = field(default_factory=list)
    trace: str = ""
    late: float = 0.0

    def find(self, kind: str, text: str) -> None:
        """Write down what is wrong."""
        self.findings.append((kind, text))


@dataclass
class Chaos:
    """All runs. `leaks` are what is left at the end beside what single runs left."""

    results: list[Result]
    leaks: list[tuple[str, str]]
    seconds: float

    @property
    def counts(self) -> Counter[str]:
        """How often each kind was found."""
        found = Counter(kind for result in self.results for kind, _ in result.findings)
        found.update(kind for kind, _ in self.leaks)
        return found
