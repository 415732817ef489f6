"""What the functions of `kimi_openai.endpoints` have in common: answers of another shape, clients of the bare SDK."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from kimi_openai import UnexpectedAnswerError, estimate_tokens, get_balance, list_models, upload_media
from kimi_openai.emulator import Emulator
from tests.conftest import Mode
from tests.servers import MakeAnswering

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
ASK: dict[str, Any] = {
    "the balance": get_balance,
    "the token estimate": lambda client: estimate_tokens(client, model="kimi-k3", messages=HELLO),
    "the model list": list_models,
}
WRONG: dict[str, Any] = {
    "no data": {"code": 0, "status": True},
    "a list": [],
    "field missing": {"data": {"available_balance": 1}},
    "no numbers": {"data": {"available_balance": None, "voucher_balance": "a", "cash_balance": 1, "total_tokens": "5"}},
    "odd numbers": {
        "data": {"available_balance": "NaN", "voucher_balance": 1, "cash_balance": 1, "total_tokens": True}
    },
    "numbers without end": {
        "data": {"available_balance": 1, "voucher_balance": "Infinity", "cash_balance": 1, "total_tokens": 1.5}
    },
    "text for data": {"data": "none"},
    "a list of texts": {"data": ["kimi-k3"]},
    "entries without a name": {"data": [{"id": "kimi-k3"}, {"id": ["kimi-k3"]}]},
}


@pytest.mark.parametrize("what", ASK)
@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_an_answer_of_another_shape_is_an_error(mode: Mode, answering: MakeAnswering, what: str, answer: Any) -> None:
    """The error says what was expected, and `body` is the answer."""
    client = mode.client(api_key="sk-1", base_url=answering(200, answer).base_url)
    with pytest.raises(UnexpectedAnswerError, match=what) as caught:
        mode.run(ASK[what](client))
    assert caught.value.body == answer


NO_ANSWER: dict[str, tuple[Any, dict[str, str]]] = {
    "null": (None, {}),
    "error": ({"error": {"message": "no", "type": "server_error"}}, {}),
    "web page": (b"<html>login</html>", {"Content-Type": "text/html"}),
}


@pytest.mark.parametrize("what", ASK)
@pytest.mark.parametrize(("answer", "headers"), NO_ANSWER.values(), ids=NO_ANSWER)
def test_a_200_without_an_answer_is_an_error(
    mode: Mode, answering: MakeAnswering, what: str, answer: Any, headers: dict[str, str]
) -> None:
    """Raises one of the SDK's errors."""
    client = mode.client(api_key="sk-1", base_url=answering(200, answer, headers).base_url)
    with pytest.raises(openai.OpenAIError):
        mode.run(ASK[what](client))


def test_a_client_of_the_bare_sdk_is_accepted(kimi: Emulator) -> None:
    """Any `openai` client that points at Kimi can be used; its region is not known."""
    with openai.OpenAI(base_url=kimi.base_url, api_key=kimi.api_key) as client:
        assert get_balance(client).currency is None
        assert estimate_tokens(client, model="kimi-k3", messages=HELLO) > 0
        assert list_models(client)


BROKEN: dict[str, bytes] = {"broken": b'{"a" 1}', "not UTF-8": b'{"a": "\xff"}', "nested": b"[" * 3000 + b"]" * 3000}
ASK_ANY = {**ASK, "the id of the uploaded file": lambda client: upload_media(client, b"\x89PNG\r\n\x1a\n")}


@pytest.mark.parametrize("what", ASK_ANY)
@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_the_bare_sdks_exceptions_are_ours(mode: Mode, answering: MakeAnswering, what: str, answer: bytes) -> None:
    """Its client decodes answers without looking for exceptions. Those of the caller pass."""
    kind: Any = openai.AsyncOpenAI if mode.is_async else openai.OpenAI
    client = kind(api_key="sk-1", base_url=answering(200, answer).base_url)
    with pytest.raises(UnexpectedAnswerError, match=what):
        mode.run(ASK_ANY[what](client))
    mode.run(client.close())

    async def fail_async() -> str:
        return fail()

    def fail() -> str:
        raise KeyError("the caller's own")

    client = kind(api_key=fail_async if mode.is_async else fail)
    with pytest.raises(KeyError, match="the caller's own"):
        mode.run(ASK_ANY[what](client))
    mode.run(client.close())
