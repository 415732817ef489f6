"""What one seed stands for: a way of asking, an answer, and faults between them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf
from random import Random
from typing import Any, Literal

from .faults import ANSWER_FAULTS, CONNECTION_FAULTS, REQUEST_FAULTS

__all__ = ["KEY", "NO_FAULT", "TOOL_RESULTS", "UNIT", "Meant", "Plan", "plan_of"]

KEY = "sk-chaos-0123456789abcdef0123456789abcdef"

UNIT = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
"""The usage of every answer, so that a sum of them can be told from anything else."""

CALLS = (("add", '{"a": 1, "b": 2}'), ("shout", '{"word": "über"}'))
TOOL_RESULTS = ("3", "ÜBER!")

NO_FAULT = ("nothing", 0)

WORDS = (
    "sky",
    "über",
    "Fluss",
    "你好",
    "世界。",
    "😀",
    "`code`",
    "data:",
    '"quoted"',
    "\\",
    "\n\n- item",
    "\n",
    "{",
    "}",
    "[DONE]",
)
"""A number behind each makes them differ: of a text that repeats itself, the rest after a cut is not clear."""

Transport = Literal["default", "httpx", "aiohttp"]
SHARES = {
    "create": 3,
    "create(stream)": 3,
    "stream": 3,
    "complete": 3,
    "run_tools": 3,
    "get_balance": 1,
    "list_models": 1,
    "estimate_tokens": 1,
    "extract_text": 2,
}
"""How often each way of asking is taken, of 20 times."""


@dataclass(frozen=True)
class Meant:
    """What the server means to answer."""

    text: str
    reasoning: str
    calls: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Plan:
    """One run. `faults`: a name and a seed for each request in turn; after them nothing breaks. `asks`: how often the
    same client asks, one time after the other."""

    seed: int
    way: str = "create"
    is_async: bool = False
    transport: Transport = "default"
    upstream: Literal["emulator", "shapes"] = "emulator"
    patience: float = 2.0
    timeout: float | None = None
    max_retries: int = 2
    refused_for: float = 0.0
    faults: tuple[tuple[str, int], ...] = ()
    asks: int = 1
    asks_for_usage: bool = False
    document: bytes = b"The meeting is on Tuesday.\r\n\r\n0\r\n\r\nOr \xc3\xbcbermorgen."
    meant: Meant = field(default_factory=lambda: Meant("hello", "hm"))

    @property
    def options(self) -> dict[str, Any]:
        """The options of the client."""
        options: dict[str, Any] = {"patience": self.patience, "max_retries": self.max_retries, "api_key": KEY}
        return options if self.timeout is None else {**options, "timeout": self.timeout}

    def __str__(self) -> str:
        names = [name for name, _ in self.faults]
        mode = f"async, {self.transport}" if self.is_async else f"sync, {self.transport}"
        refused = f", refused for {self.refused_for:g} s" if self.refused_for else ""
        return (
            f"seed {self.seed}: {self.way} ({mode}) of {self.upstream}, patience {self.patience:g}, "
            f"timeout {self.timeout}, max_retries {self.max_retries}{refused}, faults {names}"
            + f", asks {self.asks} times"
            * (self.asks > 1)
        )


ALL_FAULTS = (*ANSWER_FAULTS, *CONNECTION_FAULTS, *REQUEST_FAULTS)
REFUSES = 0.06
"""The share of the runs in which the port refuses connections at first, or for ever."""


@lru_cache(maxsize=10_000)
def plan_of(seed: int) -> Plan:
    """The plan of a seed, always the same one."""
    random = Random(seed)
    way = random.choices(list(SHARES), list(SHARES.values()))[0]
    is_async = random.random() < 0.65
    faults = tuple(_fault(random) for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3))))
    if way in ("run_tools", "extract_text"):  # which ask several times
        faults = (NO_FAULT,) * random.randrange(3) + faults
    plan = Plan(
        seed,
        way,
        is_async,
        random.choice(("default", "httpx", "aiohttp") if is_async else ("default", "default", "httpx")),
        random.choice(("emulator", "shapes")),
        patience=random.choice((1.0, 1.5, 2.0, 3.0)),
        timeout=random.choice((None, None, 0.4, 1.0)),
        max_retries=random.choice((0, 2, 2, 5)),
        refused_for=random.choice((0.2, 0.8, inf)) if random.random() < REFUSES else 0.0,
        faults=faults,
        asks=random.choice((1, 1, 2)),  # again: on a connection that may have been left in disorder
        asks_for_usage=random.random() < 0.5,
        meant=_meant(random, has_calls=way == "run_tools" or random.random() < 0.15),
    )
    is_upload = way == "extract_text" and any(name in REQUEST_FAULTS for name, _ in faults)
    return replace(plan, document=b"long\r\n" * 700_000, upstream="shapes") if is_upload else plan


def _fault(random: Random) -> tuple[str, int]:
    return random.choice(ALL_FAULTS), random.randrange(2**32)


def _meant(random: Random, *, has_calls: bool) -> Meant:
    text = " ".join(f"{random.choice(WORDS)}{number}" for number in range(random.randint(1, 40)))
    reasoning = " ".join(f"{random.choice(WORDS)}{number}" for number in range(random.randint(1, 8)))
    return Meant(text, reasoning, CALLS[: random.randint(1, 2)] if has_calls else ())
