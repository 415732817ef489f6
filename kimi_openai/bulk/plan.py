"""The check before a bulk run: every line is read, what is wrong is collected, and size, cost and time are estimated.

Nothing is sent. A request that is done already is compared with what was asked then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from kimi_openai._internal.json_values import is_array, is_dict
from kimi_openai.compat.pipeline import shape
from kimi_openai.compat.valid_json import valid_json
from kimi_openai.limits.prompt_size import Estimator, Reservation, reservation_of
from kimi_openai.limits.rates import Rates
from kimi_openai.models.prices import Price
from kimi_openai.usage.costs import PriceList, Tokens, money

from .errors import InputError, OutputError
from .index import Index, fingerprint, hash_of
from .requests import URL, Request, Requests

__all__ = ["Estimate", "Planner", "body_problems", "cost_at_most", "reserved"]

MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is to be sent: of `total` lines `left` are not done. `prompt_tokens` and `output_tokens` of those that are
    left, the output at most; `cost` at most, `None` if a model has no price; `minutes` at least, by the limits."""

    total: int
    left: int
    prompt_tokens: int
    output_tokens: int
    cost: Decimal | None
    minutes: float
    currency: str = "USD"
    models: tuple[str, ...] = ()

    def __str__(self) -> str:
        cost = "an unknown price" if self.cost is None else f"at most {money(self.cost, self.currency)}"
        return (
            f"{self.left:,} of {self.total:,} lines to send ({', '.join(self.models)}): about {self.prompt_tokens:,} "
            f"tokens in, at most {self.output_tokens:,} out, {cost}; at least {self.minutes:.0f} minutes by the limits"
        )


@dataclass(slots=True)
class Planner:
    """Checks the requests of one run. `done` has the fingerprints of those that are answered or failed, by id."""

    done: Index
    prices: PriceList
    rates: Rates = field(default_factory=Rates)
    aliases: Mapping[str, str] | None = None
    is_adapted: bool = True
    resumed: int = 0
    _problems: list[str] = field(default_factory=list[str])
    _ids: Index = field(default_factory=Index)
    _reserved: Counter[str] = field(default_factory=Counter[str])

    def check(self, requests: Requests) -> Estimate:
        """The estimate. Raises `InputError` for lines that cannot be sent, `OutputError` for changed ones."""
        left, changed, cost = 0, list[str](), Decimal(0)
        for request in self._readable(requests):
            known = self.done.get(hash_of(request.custom_id))
            if known is not None:
                self.resumed += 1
                if known != int(fingerprint(request.body), 16):
                    changed.append(f"{requests.place} {request.number} ({request.custom_id})")
                continue
            left += 1
            self._check(request, requests.place)
            one = reserved(request)
            self._count(request, one, requests.place)
            price = self.prices.prices.get(one.model)
            cost += cost_at_most(one, price) if price else 0
        self._check_ids(requests)
        if self._problems:
            raise InputError(self._problems)
        if changed:
            raise OutputError(
                f"the output has answers to other requests with the same custom_id: {', '.join(changed[:5])}"
                f"{f' and {len(changed) - 5:,} more' if len(changed) > 5 else ''}; choose another output, or restore "
                "the input (messages, model and parameters)"
            )
        return self._estimate(left, cost)

    def _estimate(self, left: int, cost: Decimal) -> Estimate:
        models = tuple(name.removeprefix("model ") for name in self._reserved if name.startswith("model "))
        prompt, output = self._reserved["prompt"], self._reserved["output"]
        minutes = max(
            left / self.rates.rpm if self.rates.rpm else 0.0,
            (prompt + output) / self.rates.tpm if self.rates.tpm else 0.0,
        )
        has_price = all(model in self.prices.prices for model in models)
        total = left + self.resumed
        return Estimate(total, left, prompt, output, cost if has_price else None, minutes, self.prices.currency, models)

    def _readable(self, requests: Requests) -> Iterator[Request]:
        for request in requests:
            if request.problem:
                self._report(f"{requests.place} {request.number}: {request.problem}")
            else:
                self._ids.add(hash_of(request.custom_id), request.number)
                yield request

    def _report(self, problem: str) -> None:
        self._problems.append(problem)
        if len(self._problems) >= MOST_PROBLEMS:
            raise InputError([*self._problems, "... the rest was not read"])

    def _check(self, request: Request, place: str) -> None:
        """What Kimi would refuse in the body."""
        for problem in body_problems(request.body, self.aliases, is_adapted=self.is_adapted):
            self._report(f"{place} {request.number} ({request.custom_id}): {problem}")

    def _count(self, request: Request, one: Reservation, place: str) -> None:
        if self.rates.tpm and one.tokens > self.rates.tpm:
            self._report(
                f"{place} {request.number} ({request.custom_id}): it reserves {one.tokens:,} tokens, and the account's "
                f"tpm is {self.rates.tpm:,}; set a smaller max_completion_tokens or shorten the messages"
            )
        self._reserved.update({"prompt": one.prompt, "output": one.output, f"model {one.model}": 1})

    def _check_ids(self, requests: Requests) -> None:
        self._ids.sort()
        hashes = set(self._ids.repeated())
        if hashes:
            self._report_repeated(requests, hashes)

    def _report_repeated(self, requests: Requests, hashes: set[int]) -> None:
        """Compare the ids with the same hash as text."""
        first: dict[str, int] = {}
        for request in requests:
            if hash_of(request.custom_id) in hashes and not request.problem:
                number = first.setdefault(request.custom_id, request.number)
                if number != request.number:
                    self._report(
                        f"{requests.place} {request.number}: custom_id {request.custom_id!r} is that of "
                        f"{requests.place} {number} too"
                    )


def body_problems(body: dict[str, Any], aliases: Mapping[str, str] | None, *, is_adapted: bool) -> Iterable[str]:
    """What Kimi would refuse in the body of a request."""
    if not isinstance(body.get("model"), str) or not body["model"]:
        return ["the model is missing; pass model=... (--model)"]
    messages = body.get("messages")
    if not is_array(messages) or not messages or not all(map(is_dict, messages)):
        return ["messages is not a list of messages"]
    if body.get("n") not in (None, 1):
        return ["n must be 1: Kimi gives one answer for each request"]
    if not is_adapted:
        return []
    valid, notes = valid_json(body)
    notes = (*notes, *shape(valid, aliases=aliases).notes) if not any(note.fatal for note in notes) else notes
    return [f"body.{note.where}: {note.why}; {note.fix}" for note in notes if note.fatal]


def reserved(request: Request) -> Reservation:
    """The estimated tokens of a request: its prompt and its output at most."""
    return reservation_of(URL, request.body, Estimator())


def cost_at_most(one: Reservation, price: Price, parts: int = 1) -> Decimal:
    """The cost of an answer that uses its whole output limit, in so many parts, and finds nothing in the cache."""
    prompts = parts * one.prompt + one.output * parts * (parts - 1) // 2  # each part is asked with those before it
    return Tokens(prompt=prompts, written=prompts, output=parts * one.output).cost(price)
