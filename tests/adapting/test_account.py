"""account.py: a key goes only where its owner sent it."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from kimi_openai import SettingsError
from kimi_openai.adapting.account import Account, account_for
from kimi_openai.emulator import Emulator
from tests.conftest import Mode

from .conftest import MakeBare

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hello"}]}

OPENAI, AI, GATEWAY, LOCAL = (
    "https://api.openai.com/v1",
    "https://api.moonshot.ai/v1",
    "https://gateway.example/v1",
    "http://127.0.0.1:9/v1",
)
THEIRS, MINE = "sk-proj-1", "sk-mine"


@pytest.mark.parametrize(
    ("base_url", "key", "own", "expected"),
    [
        (AI, "sk-1", Account(None, None), Account("sk-1", AI)),
        (GATEWAY, "sk-1", Account(None, None), Account("sk-1", GATEWAY)),
        (OPENAI, "sk-1", Account(None, None), Account("sk-1", None)),
        (OPENAI, THEIRS, Account(None, None), Account(None, None)),
        (OPENAI, "sk-1", Account(MINE, GATEWAY), Account(MINE, GATEWAY)),
        (AI, THEIRS, Account(None, None), Account(None, AI)),
        (AI, "", Account(None, None), Account(None, AI)),
        (LOCAL, THEIRS, Account(None, None), Account(None, LOCAL)),
        (AI, "sk-1", Account(MINE, None), Account(MINE, AI)),
        (GATEWAY, THEIRS, Account(MINE, GATEWAY + "/"), Account(MINE, GATEWAY)),
        (GATEWAY, "sk-1", Account(MINE, None), Account("sk-1", GATEWAY)),
    ],
)
def test_which_account(base_url: str, key: str, own: Account, expected: Account) -> None:
    """The program's own key and URL, or ours for those of OpenAI."""
    assert account_for(base_url, key, own, lambda: AI) == expected


@pytest.mark.parametrize("own", [Account(None, None), Account(MINE, None), Account(MINE, AI)])
def test_our_key_does_not_go_to_a_gateway_that_got_openais(own: Account) -> None:
    """Such a base URL may be that of OPENAI_BASE_URL."""
    with pytest.raises(SettingsError, match="not sent there"):
        account_for(GATEWAY, THEIRS, own, lambda: AI)


def test_a_gateway_that_the_environment_names_gets_our_key() -> None:
    """`MOONSHOT_BASE_URL` is where its owner sends it."""
    assert account_for(GATEWAY, THEIRS, Account(None, None), lambda: GATEWAY) == Account(None, GATEWAY)


def test_no_key_is_shown() -> None:
    """The `repr` of an account has none."""
    assert MINE not in repr(Account(MINE, AI))


@pytest.mark.filterwarnings("error")
def test_a_program_for_openai_reaches_kimi(
    mode: Mode, kimi: Emulator, bare: MakeBare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With OPENAI_API_KEY and the SDK's own base URL; Kimi's key and URL are in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-proj-theirs")
    monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)
    monkeypatch.setenv("MOONSHOT_BASE_URL", kimi.base_url)
    monkeypatch.setenv("KIMI_MODEL_ALIASES", "gpt-4o=kimi-k3")
    client = bare()
    assert mode.run(client.chat.completions.create(**{**ASK, "model": "gpt-4o"})).model == "kimi-k3"
    assert mode.run(client.models.list()).data
    assert {request.headers["authorization"] for request in kimi.requests} == {f"Bearer {kimi.api_key}"}


def test_custom_headers_for_openai_stay_here(
    mode: Mode, kimi: Emulator, bare: MakeBare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK adds them to each request of its client. A key among them is not used, and not sent."""
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer sk-custom\nX-Team: secret-team\nX-Title: a")
    monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)
    monkeypatch.setenv("MOONSHOT_BASE_URL", kimi.base_url)
    client = bare(api_key="sk-proj-theirs")
    mode.run(client.chat.completions.create(**ASK, extra_headers={"X-Title": "b"}))
    sent = kimi.requests[-1]
    assert (sent.headers["authorization"], sent.headers["x-title"]) == (f"Bearer {kimi.api_key}", "b")
    assert "sk-custom" not in str(sent.raw_headers)
    assert "secret-team" not in str(sent.raw_headers)


def test_without_a_key_it_is_an_error(mode: Mode, bare: MakeBare) -> None:
    """An `AuthenticationError`, as from the service, that says where a key is looked for."""
    with pytest.raises(openai.AuthenticationError, match="MOONSHOT_API_KEY"):
        mode.run(bare(api_key="sk-proj-1").chat.completions.create(**ASK))


def test_what_is_wrong_with_our_options_is_an_error_at_once(bare: MakeBare) -> None:
    """Before the first request."""
    with pytest.raises(SettingsError, match="/v1"):
        bare(api_key="sk-1", adapting={"api_key": "sk-2", "base_url": "https://api.moonshot.ai"})


def test_plain_http_to_another_host_is_refused(mode: Mode, bare: MakeBare) -> None:
    """The key would be readable on the way."""
    with pytest.raises(openai.BadRequestError, match="https"):
        mode.run(bare(api_key="sk-1", base_url="http://gateway.example/v1").chat.completions.create(**ASK))
