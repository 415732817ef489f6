"""What a bulk run has done: the numbers while it runs (`Progress`) and at its end (`BulkReport`)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from kimi_openai.usage.costs import Tokens, money

__all__ = ["BulkReport", "Progress"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The state of a run.

    `total` lines, of which `resumed` were done by earlier runs (`resumed_failures` of them have failed), and `answered`
    and `failed` by this one; `open` are being answered or wait in a batch, where `ready` of them have their answers
    already. `tokens` and `cost` are those
    of all runs with this output, in `currency`; `refused` counts the 429 and `retries` all requests that were sent
    again. `seconds` is the time of this run. `advice` says, after the first 100 answers, what a smaller
    `max_completion_tokens` would bring, if it would bring much.
    """

    total: int = 0
    resumed: int = 0
    resumed_failures: int = 0
    answered: int = 0
    failed: int = 0
    open: int = 0
    ready: int = 0
    tokens: Tokens = Tokens()  # noqa: RUF009 - frozen
    cost: Decimal = Decimal(0)
    currency: str = "USD"
    refused: int = 0
    retries: int = 0
    seconds: float = 0.0
    advice: str = ""

    @property
    def done(self) -> int:
        """The lines that are answered or failed, by whichever run."""
        return self.resumed + self.answered + self.failed

    @property
    def left(self) -> int:
        """The lines that are neither answered nor failed."""
        return max(self.total - self.done, 0)

    @property
    def rate(self) -> float:
        """Lines a minute, of this run."""
        return 60 * (self.answered + self.failed) / self.seconds if self.seconds else 0.0

    @property
    def eta(self) -> float | None:
        """The seconds until the end at this rate; `None` while nothing is known."""
        return 60 * self.left / self.rate if self.rate else None

    def prometheus(self) -> str:
        """The counters in the text format of Prometheus, for a file that a collector reads.

        >>> Progress(total=3, answered=2).prometheus().splitlines()[2]
        'kimi_bulk_lines_answered_total 2'
        """
        values = {
            "lines": self.total,
            "lines_resumed": self.resumed,
            "lines_answered_total": self.answered,
            "lines_failed_total": self.failed,
            "requests_open": self.open,
            "requests_ready": self.ready,
            "requests_refused_total": self.refused,
            "requests_retried_total": self.retries,
            "prompt_tokens_total": self.tokens.prompt,
            "output_tokens_total": self.tokens.output,
            f"cost_{self.currency.lower()}_total": self.cost,
        }
        return "".join(f"kimi_bulk_{name} {value}\n" for name, value in values.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkReport(Progress):
    """What a run has done. `output` and `errors` are its files; `stopped` says why it ended before the last line."""

    output: str = ""
    errors: str = ""
    stopped: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The numbers as JSON values."""
        numbers = asdict(self)
        return {**numbers, "cost": str(self.cost), "done": self.done, "left": self.left, "rate": round(self.rate, 2)}

    def to_json(self) -> str:
        """The numbers as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    def __str__(self) -> str:
        lines = [
            f"{self.answered:,} answered, {self.failed:,} failed"
            + (f", {self.resumed:,} from before{self._old_failures()}" if self.resumed else "")
            + (f", {self.left:,} left" if self.left else ""),
            f"{self.tokens.prompt:,} tokens in, {self.tokens.output:,} out, {money(self.cost, self.currency)}; "
            f"{self.seconds:.0f} s, {self.rate:,.0f} lines a minute; {self.refused:,} refused (429)",
            f"answers: {self.output}"
            + (f"; failed lines: {self.errors}" if self.failed or self.resumed_failures else ""),
        ]
        return "\n".join([*lines, *filter(None, [self.advice, self.stopped and f"stopped: {self.stopped}"])])

    def _old_failures(self) -> str:
        again = "retry_failed (--retry-failed) asks them again"
        return f" ({self.resumed_failures:,} of them failed; {again})" if self.resumed_failures else ""
