"""clients.py, base.py, arguments.py, factories.py: the SDK's clients, which send nothing of OpenAI's."""

from __future__ import annotations

import asyncio
import warnings
from copy import deepcopy
from pathlib import Path
from typing import Any

import openai
import pytest

import kimi_openai
from kimi_openai import AsyncKimiOpenAI, KimiOpenAI, create_async_client, create_client, get_balance
from kimi_openai.emulator import Emulator
from kimi_openai.errors.exceptions import KimiCompatWarning, SettingsError
from tests.conftest import Mode

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]

OPENAI_ENVIRONMENT = {
    "OPENAI_API_KEY": "sk-openai-key",
    "OPENAI_ADMIN_KEY": "sk-admin-key",
    "OPENAI_ORG_ID": "org-openai",
    "OPENAI_PROJECT_ID": "proj-openai",
    "OPENAI_BASE_URL": "https://base.openai.example/v1",
    "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer sk-custom\nX-Custom: custom-value\nOpenAI-Organization: org-custom",
    "OPENAI_WEBHOOK_SECRET": "whsec-openai",
}
SECRETS = (
    *("sk-openai-key", "sk-admin-key", "org-openai", "proj-openai", "base.openai.example", "sk-custom"),
    *("custom-value", "org-custom", "whsec-openai", "openai-organization", "openai-project"),
)


def test_nothing_of_openais_reaches_the_wire(mode: Mode, kimi: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every OPENAI_ variable set, no value of them is in a request of a client, its copies, their copies or a
    helper."""
    for name, value in OPENAI_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    client = mode.client(kimi)
    copied = client.copy(max_retries=1).with_options(default_headers={"X-My": "1"})
    copies = [client, client.with_options(timeout=9), copied]
    for each in copies:
        mode.run(each.chat.completions.create(model="kimi-k3", messages=HELLO))
        mode.each(mode.run(each.chat.completions.create(model="kimi-k3", messages=HELLO, stream=True)))
        mode.run(each.models.list())
        mode.run(each.files.create(file=("a.txt", b"a"), purpose="file-extract"))
        mode.run(get_balance(each))
        mode.run(kimi_openai.estimate_tokens(each, model="kimi-k3", messages=HELLO))
        mode.run(kimi_openai.extract_text(each, b"text"))
    assert len(kimi.requests) == 9 * len(copies)
    for request in kimi.requests:
        sent = f"{request.method} {request.path} {request.query} {request.raw_headers} {request.body!r}".lower()
        assert [secret for secret in SECRETS if secret in sent] == []
        assert request.headers["authorization"] == f"Bearer {kimi.api_key}"
    assert kimi.requests[-1].headers["x-my"] == "1"
    assert client.webhook_secret is None


def test_no_openai_key_in_place_of_a_missing_one(mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Construction fails and names our variables, even if the environment has OpenAI keys."""
    for name, value in OPENAI_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="MOONSHOT_API_KEY, KIMI_API_KEY or MOONSHOTAI_API_KEY"):
        mode.client()
    with pytest.raises(SettingsError, match="is empty"):
        mode.client(api_key="")


def test_a_client_is_the_sdks(mode: Mode) -> None:
    """It and its copies are instances of the SDK's class, and their resources are of the SDK's types."""
    sdk, ours = (openai.AsyncOpenAI, AsyncKimiOpenAI) if mode.is_async else (openai.OpenAI, KimiOpenAI)
    client, bare = mode.client(api_key="sk-1"), sdk(api_key="sk-1")
    copy = client.with_options(timeout=1).copy()
    resources = ("chat", "beta", "files", "models", "batches", "with_raw_response", "with_streaming_response")
    for each in (client, copy):
        assert type(each) is ours
        assert isinstance(each, sdk)
        assert [name for name in resources if not isinstance(getattr(each, name), type(getattr(bare, name)))] == []


def test_every_argument_of_the_sdk_is_accepted(mode: Mode) -> None:
    """A constructor call written for OpenAI works; OpenAI's accounts are left out with a warning, its other logins are
    refused."""
    options = {"timeout": 3.0, "max_retries": 7, "default_headers": {"X-A": "1"}, "default_query": {"q": "1"}}
    client = mode.client(api_key="sk-1", webhook_secret="whsec-mine", websocket_base_url=None, **options)
    assert (client.timeout, client.max_retries, client.webhook_secret) == (3.0, 7, "whsec-mine")
    with pytest.warns(KimiCompatWarning) as caught:
        client = mode.client(api_key="sk-1", organization="org-1", project="proj-1")
    assert ["organization" in str(caught[0].message), "project" in str(caught[1].message)] == [True, True]
    assert caught[0].filename.endswith("conftest.py")
    assert (client.organization, client.project) == (None, None)
    with pytest.raises(SettingsError, match="workload_identity is a way to log in to OpenAI"):
        mode.client(api_key="sk-1", workload_identity={"provider": {}})


def test_an_sdk_option_acts_and_survives_a_copy(mode: Mode, kimi: Emulator) -> None:
    """Headers and queries of the caller are sent, by copies too, and a copy can add to them."""
    client = mode.client(kimi, default_headers={"X-A": "1"}, default_query={"q": "1"}).with_options(timeout=5)
    mode.run(client.models.list())
    assert (kimi.requests[-1].headers["x-a"], dict(kimi.requests[-1].query)["q"]) == ("1", "1")
    only = client.copy(set_default_headers={"X-B": "2"}, set_default_query={"p": "2"})
    mode.run(only.models.list())
    assert (kimi.requests[-1].headers["x-b"], "x-a" in kimi.requests[-1].headers) == ("2", False)
    assert dict(kimi.requests[-1].query) == {"p": "2"}


def test_an_unknown_option_is_a_type_error(mode: Mode) -> None:
    """A misspelt option is named, by the factory, the constructor and copies."""
    client = mode.client(api_key="sk-1")
    for make in (mode.client, type(client), client.copy, client.with_options):
        with pytest.raises(TypeError, match=r"unexpected keyword argument 'timeot'"):
            make(api_key="sk-1", timeot=3)


def test_what_is_not_given_has_its_default(mode: Mode) -> None:
    """The SDK's marker `NOT_GIVEN` counts as not passed for every option, ours too."""
    options = dict.fromkeys(("timeout", "max_retries", "base_url", "patience", "compat"), openai.NOT_GIVEN)
    client, bare = mode.client(api_key="sk-1", **options), mode.client(api_key="sk-1")
    assert (client.timeout, client.max_retries, client.base_url) == (bare.timeout, bare.max_retries, bare.base_url)
    assert client.kimi_options == bare.kimi_options
    copy = mode.client(api_key="sk-1", patience=3, max_retries=9).copy(**options)
    assert (copy.kimi_options.patience, copy.max_retries) == (3, 9)


def test_plain_http_is_refused_unless_allowed(mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    """By clients and copies, wherever the URL comes from; `allow_http=True` permits it."""
    http = {"base_url": "http://gateway/v1"}
    with pytest.raises(SettingsError, match="pass allow_http=True"):
        mode.client(api_key="sk-1", **http)
    with pytest.raises(SettingsError, match="pass allow_http=True"):
        mode.client(api_key="sk-1").with_options(**http)
    assert str(mode.client(api_key="sk-1").copy(allow_http=True, **http).base_url) == "http://gateway/v1/"
    monkeypatch.setenv("MOONSHOT_BASE_URL", "http://gateway/v1")
    with pytest.raises(SettingsError, match="pass allow_http=True"):
        mode.client(api_key="sk-1")
    assert str(mode.client(api_key="sk-1", allow_http=True).base_url) == "http://gateway/v1/"


def test_a_client_reads_its_env_file(mode: Mode, tmp_path: Path) -> None:
    """By default `.env` of the working directory, else the file that is named, no file for `None`."""
    (tmp_path / ".env").write_text("MOONSHOT_API_KEY=sk-env\n")
    (tmp_path / "kimi.txt").write_text("MOONSHOT_API_KEY=sk-txt\nMOONSHOT_REGION=cn\n")
    assert mode.client().api_key == "sk-env"
    named = mode.client(env_file=tmp_path / "kimi.txt")
    assert (named.api_key, named.region) == ("sk-txt", "cn")
    with pytest.raises(SettingsError, match="no Kimi API key"):
        mode.client(env_file=None)


def test_copies_keep_our_settings(mode: Mode) -> None:
    """Region and permission for plain http stay; a new region has its own base URL."""
    client = mode.client(api_key="sk-1", base_url="http://gateway/v1", region="cn", allow_http=True)
    copy = client.with_options(timeout=1).copy(max_retries=0)
    assert (copy.region, str(copy.base_url)) == ("cn", "http://gateway/v1/")
    moved = mode.client(api_key="sk-1").with_options(region="cn", api_key="sk-2")
    assert (moved.region, str(moved.base_url), moved.api_key) == ("cn", "https://api.moonshot.cn/v1/", "sk-2")
    assert mode.client(api_key="sk-1").with_options(base_url="https://api.moonshot.cn/v1").region == "cn"


def test_repr_shows_region_and_base_url_and_no_key(mode: Mode) -> None:
    """A notebook shows a client without its key."""
    client = mode.client(api_key="sk-secret", region="cn")
    assert repr(client).endswith("KimiOpenAI(region='cn', base_url='https://api.moonshot.cn/v1')")
    assert "sk-secret" not in repr(client) + repr(client.kimi_options)


def test_a_callable_key_is_called_for_each_request(mode: Mode, kimi: Emulator) -> None:
    """It works as in the SDK, in copies too; a bad value is a clear error before anything is sent."""
    calls: list[int] = []

    def key() -> str:
        calls.append(1)
        return kimi.api_key

    async def async_key() -> str:
        return key()

    client = mode.client(kimi, api_key=async_key if mode.is_async else key)
    mode.run(client.models.list())
    mode.run(client.with_options(timeout=3).models.list())
    assert len(calls) == 2
    bad = mode.client(kimi, api_key=lambda: "sk-secret\n", max_retries=0)
    with pytest.raises(SettingsError, match=r"api_key callable.*newline") as caught:
        mode.run(bad.models.list())
    assert "sk-secret" not in str(caught.value)
    assert len(kimi.requests) == 2


def test_a_drop_in_import(kimi: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """`from kimi_openai import KimiOpenAI as OpenAI` is enough: settings come from the environment."""
    monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)
    monkeypatch.setenv("MOONSHOT_BASE_URL", kimi.base_url)
    with KimiOpenAI() as client:
        assert client.chat.completions.create(model="kimi-k3", messages=HELLO).choices[0].message.content


def test_the_private_names_are_still_the_sdks() -> None:
    """The installed SDK has what the clients override, call or set; if this fails, look at what the new SDK changed."""
    for base in (openai.OpenAI, openai.AsyncOpenAI):
        names = ("_prepare_request", "_prepare_url", "_process_response", "_process_response_data")
        for name in (*names, "_calculate_retry_timeout"):
            assert callable(getattr(base, name))
        assert callable(base._make_status_error)
        assert callable(base._make_status_error_from_response)
        assert "_extra_kwargs" in base.copy.__code__.co_varnames
        assert "_custom_headers" in vars(base(api_key="sk-1"))


def test_making_a_client_warns_about_nothing() -> None:
    """Clients are made and dropped without a warning of any kind."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        create_client(api_key="sk-1")
        asyncio.run(_make_and_drop())


async def _make_and_drop() -> None:
    create_async_client(api_key="sk-1")


def test_a_deep_copy_of_what_holds_a_client_has_the_client(mode: Mode, kimi: Emulator) -> None:
    """dspy copies each of its requests with all that is in them; connections cannot be copied."""
    client = mode.client(kimi)
    copied = deepcopy({"client": client, "completions": client.chat.completions})
    assert copied["client"] is client
    answer = mode.run(copied["completions"].create(model="kimi-k3", messages=HELLO))
    assert answer.model == "kimi-k3"


def test_a_new_base_url_counts_at_once(mode: Mode, kimi: Emulator, answering: MakeAnswering) -> None:
    """What the client joined for the request before is not used."""
    server = answering(200, {"object": "list", "data": []})
    client = mode.client(kimi)
    mode.run(client.models.list())
    client.base_url = server.base_url
    mode.run(client.models.list())
    mode.run(client.with_options(base_url=kimi.base_url).models.list())
    assert len(server.ports) == 1
    assert [request.path for request in kimi.requests] == ["/v1/models"] * 2
