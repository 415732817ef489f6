"""account.py: balance, token estimate and models, through any client."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import openai
import pytest

from kimi_openai import (
    Balance,
    KimiModel,
    UnexpectedAnswerError,
    create_client,
    estimate_tokens,
    get_balance,
    list_models,
)
from kimi_openai.account import ModelList
from kimi_openai.emulator import Emulator

from .conftest import Mode
from .harmless import checked
from .servers import MakeAnswering

HELLO: list[Any] = [{"role": "user", "content": "Hello, my name is Li Lei, what is 1+1?"}]

# as the platform's balance page shows it
BALANCE = {
    "code": 0,
    "data": {"available_balance": 49.58894, "voucher_balance": 46.58893, "cash_balance": 3.00001},
    "scode": "0x0",
    "status": True,
}


@pytest.mark.parametrize(("region", "currency"), [("ai", "USD"), ("cn", "CNY"), (None, None)])
def test_a_balance_is_exact_and_in_its_regions_currency(
    mode: Mode, answering: MakeAnswering, region: str | None, currency: str | None
) -> None:
    """The JSON numbers become decimals digit for digit; the currency is the region's."""
    server = answering(200, BALANCE)
    client = mode.client(api_key="sk-1", base_url=server.base_url, region=region)
    balance = mode.run(get_balance(client))
    assert balance == Balance(Decimal("49.58894"), Decimal("46.58893"), Decimal("3.00001"), currency)
    assert server.requests == [("GET", "/v1/users/me/balance", b"")]
    assert not balance.is_exhausted


def test_an_exhausted_balance() -> None:
    """With nothing available requests are refused; cash may be negative."""
    assert Balance(Decimal(0), Decimal(0), Decimal("-0.5"), "USD").is_exhausted
    assert not Balance(Decimal("0.01"), Decimal("0.01"), Decimal(-3), "USD").is_exhausted


def test_the_balance_goes_down_with_use(mode: Mode, kimi: Emulator) -> None:
    """A call costs something."""
    client = mode.client(kimi)
    before = mode.run(get_balance(client))
    mode.run(client.chat.completions.create(model="kimi-k3", messages=HELLO))
    assert mode.run(get_balance(client)).available < before.available


WRONG = {
    "no data": {"code": 0, "status": True},
    "error in a 200": {"error": {"message": "no", "type": "server_error"}},
    "null": None,
    "a list": [],
    "field missing": {"data": {"available_balance": 1}},
    "no numbers": {"data": {"available_balance": None, "voucher_balance": "a", "cash_balance": 1, "total_tokens": "5"}},
    "text for data": {"data": "none"},
    "html": (b"<html>login</html>", {"Content-Type": "text/html"}),
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_an_answer_of_another_shape_is_an_error(mode: Mode, answering: MakeAnswering, answer: Any) -> None:
    """Never a balance of nothing, never an estimate of zero."""
    answer, headers = answer if isinstance(answer, tuple) else (answer, {})
    client = mode.client(api_key="sk-1", base_url=answering(200, answer, headers).base_url)
    with pytest.raises(openai.OpenAIError):
        mode.run(get_balance(client))
    with pytest.raises(openai.OpenAIError):
        mode.run(estimate_tokens(client, model="kimi-k3", messages=HELLO))
    with pytest.raises(openai.OpenAIError):
        mode.run(list_models(client))


def test_the_error_shows_what_came_instead(mode: Mode, answering: MakeAnswering) -> None:
    """`body` is the answer, the message says what was looked for."""
    client = mode.client(api_key="sk-1", base_url=answering(200, {"data": {}}).base_url)
    with pytest.raises(UnexpectedAnswerError, match="does not have the balance in it") as caught:
        mode.run(get_balance(client))
    assert caught.value.body == {"data": {}}


def test_an_estimate_is_a_number_for_what_was_sent(mode: Mode, answering: MakeAnswering) -> None:
    """The body holds model and messages, message objects as dicts; the answer is the total."""
    import json

    server = answering(200, {"data": {"total_tokens": 80}})
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    answer = openai.types.chat.ChatCompletionMessage(role="assistant", content="2")
    assert mode.run(estimate_tokens(client, model="kimi-k3", messages=[*HELLO, answer])) == 80
    ((method, path, body),) = server.requests
    assert (method, path) == ("POST", "/v1/tokenizers/estimate-token-count")
    assert json.loads(body) == {"model": "kimi-k3", "messages": [*HELLO, {"role": "assistant", "content": "2"}]}


def test_nothing_to_estimate_is_an_error_before_sending(mode: Mode, kimi: Emulator) -> None:
    """An empty list is the caller's mistake."""
    with pytest.raises(ValueError, match="messages is empty"):
        estimate_tokens(mode.client(kimi), model="kimi-k3", messages=[])
    assert kimi.requests == []


def test_models_have_their_abilities(mode: Mode, kimi: Emulator) -> None:
    """Entries are the SDK's models with Kimi's fields."""
    models = {model.id: model for model in mode.run(list_models(mode.client(kimi)))}
    k3 = models["kimi-k3"]
    assert isinstance(k3, KimiModel)
    assert isinstance(k3, openai.types.Model)
    assert (k3.context_length, k3.supports_image_in, k3.supports_video_in, k3.supports_reasoning) == (
        1048576,
        *[True] * 3,
    )
    assert k3.model_extra
    assert k3.model_extra["supports_thinking_type"] == "only"


def test_what_a_model_entry_lacks_is_none(mode: Mode, answering: MakeAnswering) -> None:
    """Absent is not false."""
    entry = {"id": "kimi-new", "object": "model", "created": 1, "owned_by": "moonshot"}
    client = mode.client(api_key="sk-1", base_url=answering(200, {"object": "list", "data": [entry]}).base_url)
    (model,) = mode.run(list_models(client))
    assert (model.id, model.context_length, model.supports_image_in) == ("kimi-new", None, None)


def test_the_helpers_take_a_bare_sdk_client(kimi: Emulator) -> None:
    """Any `openai` client that points at Kimi will do."""
    with openai.OpenAI(base_url=kimi.base_url, api_key=kimi.api_key) as client:
        assert get_balance(client).currency is None
        assert estimate_tokens(client, model="kimi-k3", messages=HELLO) > 0
        assert list_models(client)


def test_balance_and_models_show_themselves_as_tables(kimi: Emulator) -> None:
    """In a notebook; what the platform sent is escaped."""
    client = create_client(base_url=kimi.base_url, api_key=kimi.api_key, region="ai")
    assert "49.58894 USD" in checked(get_balance(client)._repr_html_()).texts
    models = list_models(client)
    assert isinstance(models, ModelList)
    assert checked(models._repr_html_()).texts[5:10] == ["kimi-k3", "1,048,576", "yes", "yes", "yes"]
    hostile = KimiModel.construct(id="<script>", context_length=None)
    assert checked(ModelList([hostile])._repr_html_()).texts[5:] == ["<script>", "0", "?", "?", "?"]
