"""What a request reserves and may cost, and the `Estimate` of a whole run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from kimi_openai.compat.model import model_name
from kimi_openai.limits.prompt_size import Estimator, Reservation, reservation_of
from kimi_openai.models.prices import Price
from kimi_openai.usage.costs import Tokens, money

from .requests import URL, Request

__all__ = ["Estimate", "cost_at_most", "reserved", "sent_model"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What will be sent. Of `total` lines `left` are neither done nor in a batch, and `copies` of these get the answer
    of another line.

    `prompt_tokens` and `output_tokens` of those that are to be asked, the output at most. `cost` at most, of the
    `engine` that is used; `live_cost` and `batch_cost` are those of both, `None` if a model has no price or takes no
    batches. `minutes` at least, by the limits. `failed` lines of those that are done have failed.
    """

    total: int
    left: int
    prompt_tokens: int
    output_tokens: int
    cost: Decimal | None
    minutes: float
    currency: str = "USD"
    models: tuple[str, ...] = ()
    copies: int = 0
    in_batches: int = 0
    failed: int = 0
    engine: str = "live"
    live_cost: Decimal | None = None
    batch_cost: Decimal | None = None

    def __str__(self) -> str:
        copies = f", of which {self.copies:,} are copies of others" if self.copies else ""
        waiting = f"; {self.in_batches:,} more wait for their batches" if self.in_batches else ""
        return (
            f"{self.left:,} of {self.total:,} lines to send ({', '.join(self.models)}){copies}: about "
            f"{self.prompt_tokens:,} tokens in, at most {self.output_tokens:,} out, {self._costs()}; {self._time()}"
            f"{waiting}"
        )

    def _costs(self) -> str:
        if self.cost is None:
            return "an unknown price"
        at_most = f"at most {money(self.cost, self.currency)}"
        if self.engine == "batch":
            live = "" if self.live_cost is None else f" ({money(self.live_cost, self.currency)} if asked at once)"
            return f"{at_most} as a batch{live}"
        return at_most + ("" if self.batch_cost is None else f" ({money(self.batch_cost, self.currency)} as a batch)")

    def _time(self) -> str:
        if self.engine == "batch":
            return "answered within the batch's completion window"
        if not self.minutes:
            return "no limits are given"
        return (
            f"at least {self.minutes:.0f} minutes" if self.minutes >= 1 else "less than a minute"
        ) + " by the limits"


def sent_model(model: str, aliases: Mapping[str, str] | None) -> str:
    """The id that is sent for a model: that of an alias, or the successor of a retired one."""
    changes = model_name({"model": model}, aliases or {})
    return model if changes is None else str(changes.fields["model"])


def reserved(request: Request, aliases: Mapping[str, str] | None = None) -> Reservation:
    """The estimated tokens of a request: its prompt and its output at most."""
    model = sent_model(str(request.body.get("model") or ""), aliases)
    body = request.body if model == request.body.get("model") else {**request.body, "model": model}
    return replace(reservation_of(URL, body, Estimator()), model=model)


def cost_at_most(one: Reservation, price: Price, parts: int = 1) -> Decimal:
    """The cost of an answer that uses its whole output limit, in so many parts, and finds nothing in the cache."""
    prompts = parts * one.prompt + one.output * parts * (parts - 1) // 2  # each part is asked with those before it
    return Tokens(prompt=prompts, written=prompts, output=parts * one.output).cost(price)
