"""`track`: counts the tokens and the cost of a client's answers.

The counts are in memory only. The client reports each answer through `normalize.notify_observers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from kimi_openai._internal.table import Table

from .costs import CacheTtl, PriceList, Tokens, money, price_list, tokens_of
from .normalize import BatchUse, Observer
from .prefixes import PrefixWatch

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Ledger", "LedgerRow", "ObservableClient", "track"]


class HasObservers(Protocol):
    """The part of a Kimi client's options that a ledger uses."""

    @property
    def observers(self) -> list[Observer]:
        """The list of observers, which a client shares with its copies."""
        ...


class ObservableClient(Protocol):
    """A client of `create_client` or `create_async_client`, unlike one of the bare SDK."""

    @property
    def kimi_options(self) -> HasObservers:
        """The options of the client."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """The totals of one model, or of one official tool, which has its URI as `model` and no tokens.

    `calls` is the number of answers. `uncounted` of them ended before their usage arrived; they may be billed all the
    same. `cost` and `saved`, what the prompt cache saved, are None if the model has no price. The answers of batches
    have a row of their own (`is_batch`), at the prices of batches.
    """

    model: str
    calls: int
    uncounted: int
    tokens: Tokens
    cost: Decimal | None
    saved: Decimal | None = None
    is_batch: bool = False


class Ledger:
    """The answers since `track`, shown as a table. Counting ends with `stop()` or at the end of a `with` block."""

    def __init__(self, observers: list[Observer], prices: PriceList, watch: PrefixWatch | None = None) -> None:
        self.prices = prices
        self._entries: list[tuple[str, Tokens | None]] = []
        self._batches: dict[tuple[str, str], BatchUse] = {}
        self._watch = watch
        self._observers = observers
        observers.append(self._add)

    def _add(self, model: str, usage: Any, cache_ttl: CacheTtl, sent: bytes) -> None:
        if isinstance(usage, BatchUse):
            before = self._batches.get((model, usage.batch_id))
            if before is None or before.calls < usage.calls:  # it was read again, or only in part before
                self._batches[model, usage.batch_id] = usage
            return
        tokens = None if usage is None else tokens_of(usage, cache_ttl=cache_ttl)
        self._entries.append((model, tokens))
        if self._watch is not None and tokens is not None:
            self._watch.see(model, sent, tokens)

    @property
    def rows(self) -> tuple[LedgerRow, ...]:
        """The totals by model, in order of first use, those of batches last."""
        entries = list(self._entries)
        chats = (self._row(model, entries) for model in dict.fromkeys(model for model, _ in entries))
        uses = list(self._batches.items())
        return (*chats, *(self._batch_row(model, uses) for model in dict.fromkeys(model for (model, _), _ in uses)))

    def _row(self, model: str, entries: list[tuple[str, Tokens | None]]) -> LedgerRow:
        counts = [tokens for name, tokens in entries if name == model]
        tokens = sum((each for each in counts if each is not None), Tokens())
        if "/" in model and model not in self.prices.prices:
            return self._tool_row(model, len(counts), counts.count(None))
        return self._priced(model, len(counts), counts.count(None), tokens)

    def _tool_row(self, uri: str, calls: int, uncounted: int) -> LedgerRow:
        cost = self.prices.cost_of_calls(uri, calls - uncounted)
        return LedgerRow(model=uri, calls=calls, uncounted=uncounted, tokens=Tokens(), cost=cost)

    def _batch_row(self, model: str, uses: list[tuple[tuple[str, str], BatchUse]]) -> LedgerRow:
        own = [use for (name, _), use in uses if name == model]
        tokens = sum((use.tokens for use in own), Tokens())
        calls, uncounted = sum(use.calls for use in own), sum(use.uncounted for use in own)
        return self._priced(model, calls, uncounted, tokens, is_batch=True)

    def _priced(self, model: str, calls: int, uncounted: int, tokens: Tokens, *, is_batch: bool = False) -> LedgerRow:
        return LedgerRow(
            model=model,
            calls=calls,
            uncounted=uncounted,
            tokens=tokens,
            cost=self.prices.cost(model, tokens, is_batch=is_batch),
            saved=self.prices.saved(model, tokens, is_batch=is_batch),
            is_batch=is_batch,
        )

    @property
    def calls(self) -> int:
        """The number of answers, and of calls of official tools."""
        return len(self._entries) + sum(use.calls for use in list(self._batches.values()))

    @property
    def tokens(self) -> Tokens:
        """The tokens of all models."""
        return sum((row.tokens for row in self.rows), Tokens())

    @property
    def cost(self) -> Decimal:
        """The cost of all models that have a price."""
        return sum((row.cost for row in self.rows if row.cost is not None), Decimal(0))

    @property
    def saved(self) -> Decimal:
        """What the prompt cache saved, of all models that have a price. Negative if writing cost more than it saved."""
        return sum((row.saved for row in self.rows if row.saved is not None), Decimal(0))

    def stop(self) -> None:
        """Stop counting. The counts stay."""
        if self._add in self._observers:
            self._observers.remove(self._add)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self.stop()

    def plot(self, axes: Any = None) -> Any:
        """The matplotlib axes, with one bar per model: cached and other prompt tokens, reasoning and answer; the cost.

        Draws on `axes` if given. Needs matplotlib (extra `notebook`).
        """
        if axes is None:
            from matplotlib import pyplot

            _, axes = pyplot.subplots(figsize=(7, 0.9 + 0.6 * max(1, len(self.rows))), layout="constrained")
        rows = self.rows
        names, starts = [_name(row) for row in rows], [0] * len(rows)
        for part, colour in PARTS.items():
            sizes = [_parts(row.tokens)[part] for row in rows]
            axes.barh(names, sizes, left=starts, label=part, color=colour)
            starts = [start + size for start, size in zip(starts, sizes, strict=True)]
        for row, end in zip(rows, starts, strict=True):
            axes.annotate(f" {self._money(row.cost)}", (end, _name(row)), va="center")
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel("tokens")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(PARTS), frameon=False)
        return axes

    def _money(self, cost: Decimal | None) -> str:
        return money(cost, self.prices.currency) if cost is not None else "no price"

    def table(self) -> Table:
        """One row per model, and a line with the totals."""
        rows = tuple(
            (
                _name(row),
                f"{row.calls}" + (f" ({row.uncounted} without usage)" if row.uncounted else ""),
                f"{row.tokens.prompt:,}",
                f"{row.tokens.cached_share:.0%}",
                f"{row.tokens.cached:,}",
                f"{row.tokens.written:,}",
                f"{row.tokens.output:,}",
                self._money(row.cost),
                self._money(row.saved),
            )
            for row in self.rows
        )
        total = f"{self.calls} calls, {self._money(self.cost)} (prices of {self.prices.date})"
        return Table(rows, ("model", "calls", "tokens in", "cached", "read", "written", "out", "cost", "saved"), total)

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def _name(row: LedgerRow) -> str:
    return f"{row.model} (batch)" if row.is_batch else row.model


PARTS: Mapping[str, str] = {"cached": "#9ecae1", "prompt": "#3182bd", "reasoning": "#fdae6b", "answer": "#e6550d"}


def _parts(tokens: Tokens) -> dict[str, int]:
    return {
        "cached": tokens.cached,
        "prompt": tokens.prompt - tokens.cached,
        "reasoning": tokens.reasoning,
        "answer": tokens.output - tokens.reasoning,
    }


def track(client: ObservableClient, *, prices: PriceList | None = None, warn_on_broken_prefix: bool = False) -> Ledger:
    """A `Ledger` that counts the chat answers of `client` and its copies from now on, streams at their end, and the
    calls of official tools (`formula_tools`).

        with track(client) as ledger:
            ...
        print(ledger.cost, ledger.saved)

    Without `with`, for example over the cells of a notebook, it counts until `ledger.stop()`. Writes to the prompt
    cache are priced by the lifetime that their request asked for. The answers of a batch are counted when its results
    are read, at the prices of batches. Answers that are never parsed (`with_raw_response` without `.parse()`) and
    other endpoints are not counted. The default of `prices` is the list of the client's region, in USD or CNY; the CNY
    list has no K3.1 models.

    `warn_on_broken_prefix`: warn (`KimiCompatWarning`) when a conversation goes on, but with something changed in a
    part that was cached, so that it is paid again; the warning names the first message that differs.

    Raises `TypeError` for a client that does not come from `create_client` or `create_async_client`.
    """
    options: HasObservers | None = getattr(client, "kimi_options", None)
    if options is None:
        raise TypeError(f"track takes a client of create_client, not {type(client).__name__}")
    watch = PrefixWatch() if warn_on_broken_prefix else None
    return Ledger(options.observers, prices or price_list(client), watch)
