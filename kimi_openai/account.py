"""What only Kimi has besides chat: the balance, the token estimate, and models with their abilities.

Each function takes any `openai` client that points at Kimi; with an asynchronous one its result is awaited.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, overload

import openai
from openai.types import Model

from .errors import UnexpectedAnswerError
from .flows import AnyClient, Flow, run
from .messages import MessageLike, replay_message
from .settings import Region, region_of
from .tables import Table

__all__ = ["Balance", "KimiModel", "estimate_tokens", "get_balance", "list_models"]

Currency = Literal["USD", "CNY"]
CURRENCIES: Mapping[Region, Currency] = {"ai": "USD", "cn": "CNY"}


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has left: `available` is `voucher` plus `cash`, which can be negative (then `voucher` is all).

    `currency` follows from the region of the client: "USD" on platform.kimi.ai, "CNY" on platform.kimi.com, `None`
    elsewhere.
    """

    available: Decimal
    voucher: Decimal
    cash: Decimal
    currency: Currency | None

    @property
    def is_exhausted(self) -> bool:
        """Whether requests are refused now: 429 `exceeded_current_quota_error` once nothing is available."""
        return self.available <= 0

    def _repr_html_(self) -> str:
        amounts = tuple(f"{amount} {self.currency or ''}" for amount in (self.available, self.voucher, self.cash))
        return Table((amounts,), ("available", "voucher", "cash")).html()


class KimiModel(Model):
    """An entry of the model list: the SDK's `Model` with Kimi's fields, `None` where the platform did not send one.

    `context_length` is in tokens; other fields the platform sends are in `model_extra`.
    """

    context_length: int | None = None
    supports_image_in: bool | None = None
    supports_video_in: bool | None = None
    supports_reasoning: bool | None = None


class ModelList(list[KimiModel]):
    """A list of models that shows itself as a table in a notebook, and in IPython's terminal."""

    def table(self) -> Table:
        """What is known of each."""
        rows = tuple((each.id, f"{each.context_length or 0:,}", *map(_known, _abilities(each))) for each in self)
        return Table(rows, ("model", "context", "images", "videos", "thinks"))

    def _repr_html_(self) -> str:
        return self.table().html()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - IPython's signature
        printer.text(self.table().text())


def _abilities(model: KimiModel) -> tuple[bool | None, ...]:
    return model.supports_image_in, model.supports_video_in, model.supports_reasoning


def _known(ability: bool | None) -> str:
    return "?" if ability is None else "yes" if ability else "no"


@overload
def get_balance(client: openai.OpenAI) -> Balance: ...
@overload
def get_balance(client: openai.AsyncOpenAI) -> Coroutine[Any, Any, Balance]: ...
def get_balance(client: AnyClient) -> Balance | Coroutine[Any, Any, Balance]:
    """The account's `Balance`.

    Raises the SDK's errors (401 for a key of another region), `UnexpectedAnswerError` for an answer of another shape.
    Source: platform docs, balance page (GET /v1/users/me/balance).
    """
    return run(client, _balance(client))


@overload
def estimate_tokens(client: openai.OpenAI, *, model: str, messages: Iterable[MessageLike]) -> int: ...
@overload
def estimate_tokens(
    client: openai.AsyncOpenAI, *, model: str, messages: Iterable[MessageLike]
) -> Coroutine[Any, Any, int]: ...
def estimate_tokens(
    client: AnyClient, *, model: str, messages: Iterable[MessageLike]
) -> int | Coroutine[Any, Any, int]:
    """How many tokens `messages` would cost as a prompt of `model`, images and videos included.

    Whether tools and the thinking preamble are counted is not documented; a chat's own `usage.prompt_tokens` can be
    higher. Raises `ValueError` for an empty list, the SDK's errors, `UnexpectedAnswerError` for an answer of another
    shape. Source: platform docs, estimate page (POST /v1/tokenizers/estimate-token-count).
    """
    body = {"model": model, "messages": [replay_message(message) for message in messages]}
    if not body["messages"]:
        raise ValueError("messages is empty; pass at least one message to be counted")
    return run(client, _estimate(client, body))


@overload
def list_models(client: openai.OpenAI) -> list[KimiModel]: ...
@overload
def list_models(client: openai.AsyncOpenAI) -> Coroutine[Any, Any, list[KimiModel]]: ...
def list_models(client: AnyClient) -> list[KimiModel] | Coroutine[Any, Any, list[KimiModel]]:
    """The models that this key may use, with context length and abilities.

    Source: platform docs, model list page (GET /v1/models); the docs' own way to see what a key is entitled to.
    """
    return run(client, _models(client))


def _balance(client: AnyClient) -> Flow[Balance]:
    answer = yield client.get("/users/me/balance", cast_to=object)
    region: Region | None = getattr(client, "region", None) or region_of(str(client.base_url))
    match answer:
        case {"data": {"available_balance": available, "voucher_balance": voucher, "cash_balance": cash}}:
            # str() first: the shortest decimal that the JSON number stands for, not its binary neighbour
            with suppress(InvalidOperation):
                amounts = [Decimal(str(amount)) for amount in (available, voucher, cash)]
                return Balance(amounts[0], amounts[1], amounts[2], CURRENCIES[region] if region else None)
        case _:
            pass
    raise UnexpectedAnswerError("the balance", answer)


def _estimate(client: AnyClient, body: dict[str, Any]) -> Flow[int]:
    answer = yield client.post("/tokenizers/estimate-token-count", body=body, cast_to=object)
    match answer:
        case {"data": {"total_tokens": int(total)}}:
            return total
        case _:
            raise UnexpectedAnswerError("the token estimate", answer)


def _models(client: AnyClient) -> Flow[list[KimiModel]]:
    answer = yield client.get("/models", cast_to=object)
    match answer:
        case {"data": [*entries]} if all(isinstance(entry, dict) for entry in entries):
            return ModelList(KimiModel.construct(**entry) for entry in entries)
        case _:
            raise UnexpectedAnswerError("the model list", answer)
