"""`track`: what a client's answers cost, counted while they come in.

Kept in memory only. The clients tell it (see `observed`); prices come from `costs.py` or from the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .client import AsyncKimiOpenAI, KimiOpenAI
from .costs import PriceList, Tokens, price_list, tokens_of
from .rendering import money
from .tables import Table

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Ledger", "LedgerRow", "track"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One model's sums: `calls` answered, of them `uncounted` ones that ended before their usage came (they may be
    billed all the same), the `tokens`, and the `cost`, `None` where the model has no price."""

    model: str
    calls: int
    uncounted: int
    tokens: Tokens
    cost: Decimal | None


class Ledger:
    """What was used since `track`. Shows itself as a table; `plot()` draws it. Ends with `stop()` or its `with`."""

    def __init__(self, observers: list[Any], prices: PriceList) -> None:
        self.prices = prices
        """The price list in use."""
        self._entries: list[tuple[str, Tokens | None]] = []
        self._observers = observers
        observers.append(self._add)

    def _add(self, model: str, usage: Any) -> None:
        self._entries.append((model, None if usage is None else tokens_of(usage)))

    @property
    def rows(self) -> tuple[LedgerRow, ...]:
        """The sums by model, in order of first use."""
        entries = list(self._entries)
        return tuple(self._row(model, entries) for model in dict.fromkeys(model for model, _ in entries))

    def _row(self, model: str, entries: list[tuple[str, Tokens | None]]) -> LedgerRow:
        counts = [tokens for name, tokens in entries if name == model]
        tokens = sum((each for each in counts if each is not None), Tokens())
        cost = self.prices.cost(model, tokens)
        return LedgerRow(model=model, calls=len(counts), uncounted=counts.count(None), tokens=tokens, cost=cost)

    @property
    def calls(self) -> int:
        """How many answers came."""
        return len(self._entries)

    @property
    def tokens(self) -> Tokens:
        """All tokens."""
        return sum((row.tokens for row in self.rows), Tokens())

    @property
    def cost(self) -> Decimal:
        """What they cost together, as far as the models have prices."""
        return sum((row.cost for row in self.rows if row.cost is not None), Decimal(0))

    def stop(self) -> None:
        """Count no more; what was counted stays."""
        if self._add in self._observers:
            self._observers.remove(self._add)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self.stop()

    def plot(self, axes: Any = None) -> Any:
        """Bars of tokens by model (cached and fresh prompt, reasoning, answer), with the cost; the matplotlib axes.

        Needs matplotlib (extra `notebook`).
        """
        if axes is None:
            from matplotlib import pyplot

            _, axes = pyplot.subplots(figsize=(7, 0.9 + 0.6 * max(1, len(self.rows))), layout="constrained")
        rows = self.rows
        names, starts = [row.model for row in rows], [0] * len(rows)
        for part, colour in PARTS.items():
            sizes = [_parts(row.tokens)[part] for row in rows]
            axes.barh(names, sizes, left=starts, label=part, color=colour)
            starts = [start + size for start, size in zip(starts, sizes, strict=True)]
        for row, end in zip(rows, starts, strict=True):
            axes.annotate(f" {self._money(row.cost)}", (end, row.model), va="center")
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel("tokens")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(PARTS), frameon=False)
        return axes

    def _money(self, cost: Decimal | None) -> str:
        return money(cost, self.prices.currency) if cost is not None else "no price"

    def table(self) -> Table:
        """As a table."""
        rows = tuple(
            (
                row.model,
                f"{row.calls}" + (f" ({row.uncounted} without usage)" if row.uncounted else ""),
                f"{row.tokens.prompt:,}",
                f"{row.tokens.cached_share:.0%}",
                f"{row.tokens.output:,}",
                self._money(row.cost),
            )
            for row in self.rows
        )
        total = f"{self.calls} calls, {self._money(self.cost)} (prices of {self.prices.date})"
        return Table(rows, ("model", "calls", "tokens in", "cached", "out", "cost"), total)

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


PARTS: Mapping[str, str] = {"cached": "#9ecae1", "prompt": "#3182bd", "reasoning": "#fdae6b", "answer": "#e6550d"}


def _parts(tokens: Tokens) -> dict[str, int]:
    return {
        "cached": tokens.cached,
        "prompt": tokens.prompt - tokens.cached,
        "reasoning": tokens.reasoning,
        "answer": tokens.output - tokens.reasoning,
    }


def track(client: KimiOpenAI | AsyncKimiOpenAI, *, prices: PriceList | None = None) -> Ledger:
    """A `Ledger` that counts the chat answers of `client` and of all its copies from now on, streams at their end.

        with track(client) as ledger:
            ...
        print(ledger.cost)

    In a notebook `ledger = track(client)` goes on over cells until `ledger.stop()`. Answers that nobody parses
    (`with_raw_response` without `.parse()`) and other endpoints are not counted. `prices`: else those of the
    client's region that this release knows, in USD or CNY (of platform.kimi.com without the K3.1 models).
    Raises `TypeError` for a client that is not one of `create_client`.
    """
    options: Any = getattr(client, "kimi_options", None)
    if options is None:
        raise TypeError(f"track watches the clients of create_client, not {type(client).__name__}")
    return Ledger(options.observers, prices or price_list(client))
