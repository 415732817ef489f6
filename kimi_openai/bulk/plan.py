"""The check before a bulk run: every line is read, what is wrong is collected, and size, cost and time are estimated.

Nothing is sent. A request that is done already is compared with what was asked then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from kimi_openai._internal.json_values import is_array, is_dict
from kimi_openai.compat.batch_lines import batch_models, takes_batches
from kimi_openai.compat.body_checks import body_refusals
from kimi_openai.compat.pipeline import shape
from kimi_openai.compat.valid_json import valid_json
from kimi_openai.limits.prompt_size import Reservation
from kimi_openai.limits.rates import Rates
from kimi_openai.usage.costs import PriceList

from .copies import Copies
from .errors import InputError, OutputError
from .estimate import Estimate, cost_at_most, reserved
from .index import Index, fingerprint, hash_of
from .requests import Request, Requests

__all__ = ["Planner", "adapter", "body_problems"]

MOST_PROBLEMS = 20
DAY = 1440
"""Minutes."""


@dataclass(slots=True)
class Planner:
    """Checks the requests of one run.

    `done` has the fingerprints of those that are answered or failed, by id, `failed` of the latter alone, and
    `in_batches` of those that are in batches which have not ended.
    """

    done: Index
    prices: PriceList
    rates: Rates = field(default_factory=Rates)
    aliases: Mapping[str, str] | None = None
    is_adapted: bool = True
    engine: str = "live"
    in_batches: Index = field(default_factory=Index)
    failed: Index = field(default_factory=Index)
    copies: Copies | None = None
    _counts: Counter[str] = field(default_factory=Counter[str])
    _changed: list[str] = field(default_factory=list[str])
    _problems: list[str] = field(default_factory=list[str])
    _ids: Index = field(default_factory=Index)
    _models: dict[str, str] = field(default_factory=dict[str, str])
    _tokens: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def check(self, requests: Requests) -> Estimate:
        """The estimate. Raises `InputError` for lines that cannot be sent, `OutputError` for changed ones."""
        for place, request in enumerate(requests):
            if request.problem:
                self._report(f"{requests.place} {request.number}: {request.problem}")
                continue
            self._ids.add(hash_of(request.custom_id), request.number)
            name = f"{requests.place} {request.number} ({request.custom_id})"
            if not self._is_known(request, name):
                self._counts["left"] += 1
                self._count(request, place, self._checked(request, name))
        self._check_ids(requests)
        self._check_models()
        if self._problems:
            raise InputError(self._problems)
        if self._changed:
            raise OutputError(_changed(self._changed))
        return self._estimate()

    def _is_known(self, request: Request, name: str) -> bool:
        """Whether the line is done or in a batch; if it was another request then, that is noted."""
        for index, count in ((self.done, "done"), (self.in_batches, "in batches")):
            known = index.get(hash_of(request.custom_id))
            if known is not None:
                self._counts[count] += 1
                self._counts["failed"] += self.failed.get(hash_of(request.custom_id)) is not None
                if known != int(fingerprint(request.body), 16):
                    self._changed.append(name)
                return True
        return False

    def _estimate(self) -> Estimate:
        counts = self._counts
        prompt, output = (sum(tokens) for tokens in zip((0, 0), *self._tokens.values(), strict=True))
        minutes = max(
            (counts["left"] - counts["copies"]) / self.rates.rpm if self.rates.rpm else 0.0,
            (prompt + output) / self.rates.tpm if self.rates.tpm else 0.0,
            DAY * ((prompt + output) / self.rates.tpd - 1) if self.rates.tpd else 0.0,  # the first day's come at once
        )
        costs = {"live": self._cost(is_batch=False), "batch": self._cost(is_batch=True)}
        if not all(map(takes_batches, self._models)):
            costs["batch"] = None
        return Estimate(
            total=counts["left"] + counts["done"] + counts["in batches"],
            left=counts["left"],
            prompt_tokens=prompt,
            output_tokens=output,
            cost=costs[self.engine],
            minutes=0.0 if self.engine == "batch" else minutes,
            currency=self.prices.currency,
            models=tuple(self._models),
            copies=counts["copies"],
            in_batches=counts["in batches"],
            failed=counts["failed"],
            engine=self.engine,
            live_cost=costs["live"],
            batch_cost=costs["batch"],
        )

    def _cost(self, *, is_batch: bool) -> Decimal | None:
        """What all lines cost at most, `None` if a model has no price."""
        cost = Decimal(0)
        for model in self._models:
            price = self.prices.price(model, is_batch=is_batch)
            if price is None:
                return None
            prompt, output = self._tokens.get(model, (0, 0))
            cost += cost_at_most(Reservation(prompt, output), price)
        return cost

    def _report(self, problem: str) -> None:
        self._problems.append(problem)
        if len(self._problems) >= MOST_PROBLEMS:
            raise InputError([*self._problems, "... the rest was not read"])

    def _checked(self, request: Request, name: str) -> Reservation:
        """What the line reserves. Notes what Kimi would refuse in the body, and what the limits never admit."""
        for problem in body_problems(request.body, self.aliases, is_adapted=self.is_adapted):
            self._report(f"{name}: {problem}")
        one = reserved(request, self.aliases)
        for limit in ("tpm", "tpd") if self.engine == "live" else ():
            most = getattr(self.rates, limit)
            if most and one.tokens > most:
                self._report(f"{name}: {_too_large(one, request.body, limit, most)}")
                break
        self._models.setdefault(one.model, name)
        return one

    def _count(self, request: Request, place: int, one: Reservation) -> None:
        """Add up what the line reserves, unless it is a copy."""
        if self.copies is not None and self.copies.is_copy(place, request):
            self._counts["copies"] += 1
            return
        prompt, output = self._tokens.get(one.model, (0, 0))
        self._tokens[one.model] = prompt + one.prompt, output + one.output

    def _check_models(self) -> None:
        """Which models are not offered by the batch engine."""
        for model, name in self._models.items() if self.engine == "batch" else ():
            if not takes_batches(model):
                self._report(
                    f"{name}: {model} is not listed for batches ({batch_models()}); choose one of these "
                    'with model=... (--model), or leave out engine="batch" to ask the lines one by one'
                )

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


def adapter(aliases: Mapping[str, str] | None, *, is_adapted: bool) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """What makes the body that is sent of that of a line, for `Copies`; one that cannot be sent stays as it is."""

    def adapted(body: Mapping[str, Any]) -> Mapping[str, Any]:
        if not is_adapted or _basic_problem(body):
            return body
        valid, _ = valid_json(body)
        return shape(valid, aliases=aliases).body

    return adapted


def body_problems(body: Mapping[str, Any], aliases: Mapping[str, str] | None, *, is_adapted: bool) -> Iterable[str]:
    """What Kimi would refuse in the body of a request."""
    problem = _basic_problem(body)
    return [problem] if problem else _refused(body, aliases, is_adapted=is_adapted)


def _basic_problem(body: Mapping[str, Any]) -> str:
    """What keeps a body from being adapted; "" if nothing does."""
    if not isinstance(body.get("model"), str) or not body["model"]:
        return "the model is missing; pass model=... (--model)"
    messages = body.get("messages")
    if not is_array(messages) or not messages or not all(map(is_dict, messages)):
        return "messages is not a list of messages"
    if body.get("n") not in (None, 1):
        return "n must be 1: Kimi gives one answer for each request"
    return ""


def _refused(body: Mapping[str, Any], aliases: Mapping[str, str] | None, *, is_adapted: bool) -> Iterable[str]:
    sent, notes = valid_json(body)
    if is_adapted and not any(note.fatal for note in notes):
        shaped = shape(sent, aliases=aliases)
        sent, notes = shaped.body, (*notes, *shaped.notes)
    fatal = [note for note in notes if note.fatal]
    return (f"body.{note.where}: {note.why}; {note.fix}" for note in fatal or body_refusals(sent))


def _too_large(one: Reservation, body: Mapping[str, Any], limit: str, most: int) -> str:
    if not one.is_capped:
        fix = f"set max_completion_tokens (--max-tokens), without which {one.output:,} are reserved"
    else:
        cap = next((name for name in ("max_completion_tokens", "max_tokens") if body.get(name) is not None), one.cap)
        fix = f"set a smaller {cap}"
    return f"it reserves {one.tokens:,} tokens, and the account's {limit} is {most:,}; {fix}, or shorten the messages"


def _changed(names: list[str]) -> str:
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return (
        f"the output has answers to other requests with the same custom_id: {', '.join(names[:5])}{more}; choose "
        "another output, or restore the input (messages, model and parameters); with "
        "retry_failed (--retry-failed), lines that failed may have changed"
    )
