"""client.py: genuine OpenAI clients that send nothing of OpenAI's and keep what they were told."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import openai
import pytest

import kimi_openai
from kimi_openai import AsyncKimiOpenAI, KimiOpenAI, create_async_client, create_client, get_balance
from kimi_openai.emulator import Emulator
from kimi_openai.errors import KimiCompatWarning, SettingsError

from .conftest import Mode

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
    """With every OPENAI_ variable set, no request of a client, its copies, their copies or a helper carries any of
    it."""
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
    """Construction fails and names the variables, whatever OpenAI keys the environment has."""
    for name, value in OPENAI_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="MOONSHOT_API_KEY, KIMI_API_KEY or MOONSHOTAI_API_KEY"):
        mode.client()
    with pytest.raises(openai.OpenAIError):
        mode.client(api_key="")


def test_the_clients_are_genuine() -> None:
    """`isinstance` holds, and so it does for every copy."""
    client, async_client = create_client(api_key="sk-1"), create_async_client(api_key="sk-1")
    assert isinstance(client, openai.OpenAI)
    assert isinstance(client.with_options(timeout=1).copy(), KimiOpenAI)
    assert isinstance(async_client, openai.AsyncOpenAI)
    assert isinstance(async_client.with_options(timeout=1).copy(), AsyncKimiOpenAI)


def test_every_argument_of_the_sdk_is_accepted(mode: Mode) -> None:
    """A constructor call written for OpenAI works; what only OpenAI has is left out aloud, other logins are refused."""
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
    """Headers and queries of the caller are sent, by copies too; a misspelt option is the SDK's TypeError."""
    client = mode.client(kimi, default_headers={"X-A": "1"}, default_query={"q": "1"}).with_options(timeout=5)
    mode.run(client.models.list())
    assert (kimi.requests[-1].headers["x-a"], dict(kimi.requests[-1].query)["q"]) == ("1", "1")
    with pytest.raises(TypeError, match="time_out"):
        mode.client(kimi, time_out=5)


def test_copies_keep_our_settings(mode: Mode) -> None:
    """Region and permission for plain http survive; a new region brings its base URL along."""
    client = mode.client(api_key="sk-1", base_url="http://gateway/v1", region="cn", allow_http=True)
    copy = client.with_options(timeout=1).copy(max_retries=0)
    assert (copy.region, str(copy.base_url)) == ("cn", "http://gateway/v1/")
    moved = mode.client(api_key="sk-1").with_options(region="cn", api_key="sk-2")
    assert (moved.region, str(moved.base_url), moved.api_key) == ("cn", "https://api.moonshot.cn/v1/", "sk-2")
    assert mode.client(api_key="sk-1").with_options(base_url="https://api.moonshot.cn/v1").region == "cn"


def test_repr_shows_region_and_base_url_and_no_key(mode: Mode) -> None:
    """What a notebook prints of a client has no key in it."""
    client = mode.client(api_key="sk-secret", region="cn")
    assert repr(client).endswith("KimiOpenAI(region='cn', base_url='https://api.moonshot.cn/v1')")
    assert "sk-secret" not in repr(client) + repr(client.kimi_options)


def test_a_rotating_key_is_asked_for_each_request(mode: Mode, kimi: Emulator) -> None:
    """A callable key works as in the SDK, copies included; a bad value is said in words before anything is sent."""
    asked: list[int] = []

    def key() -> str:
        asked.append(1)
        return kimi.api_key

    async def async_key() -> str:
        return key()

    client = mode.client(kimi, api_key=async_key if mode.is_async else key)
    mode.run(client.models.list())
    mode.run(client.with_options(timeout=3).models.list())
    assert len(asked) == 2
    bad = mode.client(kimi, api_key=lambda: "sk-secret\n", max_retries=0)
    with pytest.raises(SettingsError, match=r"api_key callable.*newline") as caught:
        mode.run(bad.models.list())
    assert "sk-secret" not in str(caught.value)
    assert len(kimi.requests) == 2


def test_a_drop_in_import(kimi: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """`from kimi_openai import KimiOpenAI as OpenAI` is the whole change: settings come from the environment."""
    monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)
    monkeypatch.setenv("MOONSHOT_BASE_URL", kimi.base_url)
    with KimiOpenAI() as client:
        assert client.chat.completions.create(model="kimi-k3", messages=HELLO).choices[0].message.content


@pytest.mark.parametrize("header", ["Msh-Request-Id", "x-msh-trace-id", "x-trace-id"])
def test_kimis_request_id_is_the_sdks(mode: Mode, header: str, answering: Any) -> None:
    """`_request_id` and `err.request_id` carry whichever header Kimi names the request with."""
    good = answering(200, {"object": "list", "data": []}, {header: "req-1"})
    assert mode.run(mode.client(api_key="sk-1", base_url=good.base_url).models.list())._request_id == "req-1"
    bad = answering(400, {"error": {"message": "no", "type": "invalid_request_error"}}, {header: "req-2"})
    with pytest.raises(openai.BadRequestError) as caught:
        mode.run(mode.client(api_key="sk-1", base_url=bad.base_url).models.list())
    assert caught.value.request_id == "req-2"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_to_another_origin_are_not_followed(mode: Mode, status: int, answering: Any) -> None:
    """A redirect elsewhere is an error and nothing arrives there; one within the origin is followed as before."""
    elsewhere = answering(200, {"stolen": True})
    here = answering(status, {}, {"Location": f"{elsewhere.base_url}/chat/completions"})
    client = mode.client(api_key="sk-1", base_url=here.base_url, max_retries=0)
    with pytest.raises(openai.APIStatusError) as caught:
        mode.run(client.chat.completions.create(model="kimi-k3", messages=HELLO))
    assert (caught.value.status_code, elsewhere.requests) == (status, [])
    within = answering(status, {}, {"Location": "/moved"}, then={"object": "list", "data": []})
    mode.run(mode.client(api_key="sk-1", base_url=within.base_url).models.list())
    assert [path for _, path, _ in within.requests] == ["/v1/models", "/moved"]


def test_a_callers_http_client_is_watched_once_and_shared_politely(mode: Mode, answering: Any) -> None:
    """Our hook is on it once however many clients share it, and leaves a bare SDK client's responses alone."""
    server = answering(200, {"object": "list", "data": []}, {"Msh-Request-Id": "req-1"})
    http = openai.DefaultAsyncHttpxClient() if mode.is_async else openai.DefaultHttpxClient()
    client = mode.client(api_key="sk-1", base_url=server.base_url, http_client=http)
    assert mode.run(client.with_options(timeout=4).models.list())._request_id == "req-1"
    mode.client(api_key="sk-1", base_url=server.base_url, http_client=http)
    assert len(http.event_hooks["response"]) == 1
    bare = openai.AsyncOpenAI if mode.is_async else openai.OpenAI
    assert mode.run(bare(api_key="sk-1", base_url=server.base_url, http_client=http).models.list())._request_id is None


@pytest.mark.parametrize("ignores_after", [True, False], ids=["ignores after", "honours after"])
def test_listing_files_ends(mode: Mode, answering: Any, ignores_after: bool) -> None:
    """`for f in client.files.list()` gives each file once, on a server without `has_more`, whether or not it pages."""
    entry = {"object": "file", "bytes": 1, "created_at": 1, "filename": "a", "purpose": "batch"}
    rows = [{"id": f"file_{n}", **entry} for n in range(5)]

    def page(query: dict[str, str]) -> Any:
        if ignores_after:
            return {"object": "list", "data": rows}
        start = int(query["after"].removeprefix("file_")) + 1 if "after" in query else 0
        return {"object": "list", "data": rows[start : start + 2]}

    client = mode.client(api_key="sk-1", base_url=answering(200, page).base_url)
    files = client.files.list()
    assert [file.id for file in mode.each(files)] == [f"file_{n}" for n in range(5)]
    assert [file.id for file in mode.run(client.files.list()).data][:2] == ["file_0", "file_1"]


def test_the_emulators_file_list_ends_too(mode: Mode, kimi: Emulator) -> None:
    """The platform as documented: no `has_more`, no `after`."""
    client = mode.client(kimi)
    for name in ("a.txt", "b.txt"):
        mode.run(client.files.create(file=(name, b"a"), purpose="file-extract"))
    assert len(mode.each(client.files.list())) == 2


def test_the_private_names_are_still_the_sdks() -> None:
    """What `client.py` overrides or sets exists in the installed SDK; if this fails, a new SDK needs a new look."""
    for base in (openai.OpenAI, openai.AsyncOpenAI):
        assert callable(base._prepare_request)
        assert "_extra_kwargs" in base.copy.__code__.co_varnames
        assert "_custom_headers" in vars(base(api_key="sk-1"))


def test_the_hook_is_told_which_call_a_response_belongs_to(mode: Mode, kimi: Emulator) -> None:
    """`_prepare_request` marks requests: the SDK still calls it for every attempt."""
    seen: list[Any] = []
    http = openai.DefaultAsyncHttpxClient() if mode.is_async else openai.DefaultHttpxClient()

    async def look_async(request: Any) -> None:
        look(request)

    def look(request: Any) -> None:
        seen.append(request.extensions.get("kimi_openai"))

    http.event_hooks["request"].append(look_async if mode.is_async else look)
    client = mode.client(kimi, http_client=http)
    mode.run(client.models.list())
    assert seen[0].options is client.kimi_options


def test_importing_the_package_warns_of_nothing() -> None:
    """Clients are made and dropped without a warning of any kind."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        create_client(api_key="sk-1")
        asyncio.run(_make_and_drop())


async def _make_and_drop() -> None:
    create_async_client(api_key="sk-1")


@pytest.mark.parametrize(
    "option",
    [{"patience": 0}, {"patience": "a minute"}, {"max_concurrency": 0}, {"max_concurrency": 1.5}, {"compat": "loose"}],
    ids=str,
)
def test_options_that_mean_nothing_are_errors_at_construction(mode: Mode, option: dict[str, Any]) -> None:
    """In words, and for copies too."""
    with pytest.raises(SettingsError, match=next(iter(option))):
        mode.client(api_key="sk-1", **option)
    with pytest.raises(SettingsError, match=next(iter(option))):
        mode.client(api_key="sk-1").with_options(**option)
