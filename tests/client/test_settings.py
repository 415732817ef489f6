"""settings.py: where key, base URL and region are found, and which of them belong together."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import openai
import pytest

from kimi_openai.client.settings import KEY_NAMES, resolve
from kimi_openai.emulator import Emulator
from kimi_openai.errors.exceptions import KimiCompatWarning, SettingsError
from tests.conftest import Mode

KEY = "sk-a-secret-that-must-not-show"


@pytest.mark.parametrize("missing", range(len(KEY_NAMES)))
def test_key_names_are_read_in_their_order(missing: int) -> None:
    """The key is the value of the first of the three variables that is set."""
    environ = {name: name.lower() for name in KEY_NAMES[missing:]}
    assert resolve(environ=environ).api_key == KEY_NAMES[missing].lower()


def test_argument_beats_environment_beats_env_file(tmp_path: Path) -> None:
    """Key: argument, then any of the three in the environment, then the same in the file."""
    (tmp_path / ".env").write_text("MOONSHOT_API_KEY=from-file\n")
    assert resolve(api_key="given", environ={"KIMI_API_KEY": "from-env"}).api_key == "given"
    assert resolve(environ={"MOONSHOTAI_API_KEY": "from-env"}).api_key == "from-env"
    assert resolve(environ={}).api_key == "from-file"


def test_env_file_is_found_upwards_and_not_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.env` of a parent folder is read, and `os.environ` is not changed."""
    (tmp_path / ".env").write_text('KIMI_API_KEY="from-file"\nMOONSHOT_REGION=cn\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    before = dict(os.environ)
    settings = resolve()
    assert (settings.api_key, settings.region, settings.base_url) == ("from-file", "cn", "https://api.moonshot.cn/v1")
    assert dict(os.environ) == before
    with pytest.raises(SettingsError, match="no Kimi API key"):
        resolve(env_file=None)


def test_env_file_may_be_a_path_and_must_then_exist(tmp_path: Path) -> None:
    """A named file is read; if it does not exist, that is an error."""
    (tmp_path / "kimi.txt").write_text("MOONSHOT_API_KEY=k\n")
    assert resolve(env_file=tmp_path / "kimi.txt").api_key == "k"
    assert resolve(env_file="kimi.txt").api_key == "k"
    with pytest.raises(SettingsError, match="there is no file"):
        resolve(env_file=tmp_path / "other")


def test_an_env_file_that_cannot_be_read_is_a_clear_error(tmp_path: Path) -> None:
    """For example one in UTF-16. No file is read if all settings are arguments."""
    (tmp_path / ".env").write_text("MOONSHOT_API_KEY=k\n", encoding="utf-16")
    with pytest.raises(SettingsError, match=r"\.env cannot be read .*env_file=None"):
        resolve(environ={"MOONSHOT_API_KEY": "k"})
    assert resolve(api_key="k", region="ai").api_key == "k"


BASE_URLS = {
    "argument first": ({"base_url": "https://proxy.example/v1", "region": "cn"}, {}, "https://proxy.example/v1", "cn"),
    "then region": ({"region": "cn"}, {"MOONSHOT_BASE_URL": "https://p/v1"}, "https://api.moonshot.cn/v1", "cn"),
    "then MOONSHOT_BASE_URL": (
        {},
        {"MOONSHOT_BASE_URL": "https://m/v1", "KIMI_BASE_URL": "https://k/v1"},
        "https://m/v1",
        None,
    ),
    "then KIMI_BASE_URL": ({}, {"KIMI_BASE_URL": "https://k/v1/", "MOONSHOT_REGION": "cn"}, "https://k/v1", None),
    "then MOONSHOT_REGION": ({}, {"MOONSHOT_REGION": " CN "}, "https://api.moonshot.cn/v1", "cn"),
    "else international": ({}, {"OPENAI_BASE_URL": "https://api.openai.com/v1"}, "https://api.moonshot.ai/v1", "ai"),
    "region of the host": ({"base_url": "https://api.moonshot.cn/v1"}, {}, "https://api.moonshot.cn/v1", "cn"),
}


@pytest.mark.parametrize(("arguments", "environ", "url", "region"), BASE_URLS.values(), ids=BASE_URLS)
def test_base_url_and_region(arguments: dict[str, Any], environ: dict[str, str], url: str, region: str | None) -> None:
    """The base URL comes from the first source that has one, and the region is the one of that URL."""
    settings = resolve(api_key=KEY, environ=environ, **arguments)
    assert (settings.base_url, settings.region) == (url, region)


def test_a_bad_key_in_the_environment_names_its_variable() -> None:
    """The message says which variable is wrong. An empty one counts as not set and is mentioned."""
    with pytest.raises(SettingsError, match=r"KIMI_API_KEY in environment.*newline"):
        resolve(environ={"KIMI_API_KEY": f"{KEY}\n"})
    with pytest.raises(SettingsError, match="KIMI_API_KEY is set but empty"):
        resolve(environ={"KIMI_API_KEY": ""})


def test_a_missing_key_names_the_variables_and_takes_no_openai_key() -> None:
    """An OpenAI key is never used in its place."""
    with pytest.raises(SettingsError) as caught:
        resolve(environ={"OPENAI_API_KEY": "sk-openai"})
    assert all(name in str(caught.value) for name in KEY_NAMES)


def test_an_unknown_region_is_an_error() -> None:
    """The message names both regions and where the wrong one was found."""
    with pytest.raises(SettingsError, match="the region argument is 'us'; write 'ai'"):
        resolve(api_key=KEY, region="us")
    with pytest.raises(SettingsError, match="MOONSHOT_REGION in environment is 'us'"):
        resolve(api_key=KEY, environ={"MOONSHOT_REGION": "us"})


# Which key goes to which URL -----------------------------------------------------------------------------------------

ELSEWHERE = "https://gateway.example/v1"
FROM_FILE = (
    r"https://gateway\.example/v1.*MOONSHOT_BASE_URL in .*\.env.*%s.*base_url=.*MOONSHOT_BASE_URL in the environment"
)


def test_a_base_url_of_a_file_is_not_for_a_key_from_elsewhere(
    mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file may have come with somebody's repository. The error names both places and how to mean it."""
    (tmp_path / ".env").write_text(f"MOONSHOT_BASE_URL={ELSEWHERE}\n")
    for key in (KEY, lambda: KEY):
        with pytest.raises(SettingsError, match=FROM_FILE % "the api_key argument"):
            mode.client(api_key=key)
    monkeypatch.setenv("KIMI_API_KEY", KEY)
    with pytest.raises(SettingsError, match=FROM_FILE % "KIMI_API_KEY in environment"):
        mode.client()
    monkeypatch.setenv("MOONSHOT_BASE_URL", ELSEWHERE)
    assert mode.client().base_url == f"{ELSEWHERE}/"
    monkeypatch.delenv("MOONSHOT_BASE_URL")
    assert mode.client(base_url=ELSEWHERE).base_url == f"{ELSEWHERE}/"


def test_a_base_url_of_a_file_is_for_the_keys_of_the_file(mode: Mode, tmp_path: Path) -> None:
    """Also if the same key is found elsewhere first. A copy with another key needs another base URL."""
    (tmp_path / ".env").write_text(f"KIMI_BASE_URL={ELSEWHERE}\nKIMI_API_KEY={KEY}\n")
    client = mode.client()
    assert (client.api_key, client.base_url) == (KEY, f"{ELSEWHERE}/")
    assert mode.client(api_key=KEY).with_options(api_key=KEY).base_url == f"{ELSEWHERE}/"
    for copy in (client, client.with_options(timeout=3)):
        with pytest.raises(SettingsError, match=r"KIMI_BASE_URL in .*\.env.*the api_key argument"):
            copy.with_options(api_key="sk-another")
        moved = copy.with_options(api_key="sk-another", base_url="https://mine.example/v1")
        assert (moved.api_key, moved.base_url) == ("sk-another", "https://mine.example/v1/")
        assert moved.with_options(api_key="sk-third").base_url == "https://mine.example/v1/"
        assert copy.with_options(api_key="sk-another", region="cn").base_url == "https://api.moonshot.cn/v1/"


HARMLESS = {
    "Moonshot's": "MOONSHOT_BASE_URL=https://api.moonshot.cn/v1",
    "Moonshot's, with a slash": "KIMI_BASE_URL=https://api.moonshot.ai/v1/",
    "a region": "MOONSHOT_REGION=cn",
    "loopback": "MOONSHOT_BASE_URL=http://127.0.0.1:8765/v1",
    "loopback by name": "MOONSHOT_BASE_URL=http://localhost:8765/v1",
}


@pytest.mark.parametrize("line", HARMLESS.values(), ids=HARMLESS)
def test_a_harmless_base_url_of_a_file_is_for_every_key(tmp_path: Path, line: str) -> None:
    """One of Moonshot's two, or this machine."""
    (tmp_path / ".env").write_text(f"{line}\n")
    settings = resolve(environ={"MOONSHOT_API_KEY": KEY})
    assert settings.url_source == f"{line.partition('=')[0]} in {tmp_path / '.env'}"


@pytest.mark.parametrize(
    "url", ["https://api.moonshot.ai.example/v1", "https://127.0.0.1.example/v1", "http://127.0.0.1:8765/v1"]
)
def test_a_base_url_of_a_file_further_up_must_be_moonshots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """A loopback one counts in the working directory and at a path only: a file further up is easily overlooked."""
    (tmp_path / ".env").write_text(f"MOONSHOT_BASE_URL={url}\n")
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    with pytest.raises(SettingsError, match=r"a \.env file decides only where its own key goes"):
        resolve(environ={"MOONSHOT_API_KEY": KEY})
    if "//127.0.0.1:" in url:
        assert resolve(environ={"MOONSHOT_API_KEY": KEY}, env_file=tmp_path / ".env").base_url == url


def test_a_key_of_a_file_goes_where_the_environment_says(tmp_path: Path) -> None:
    """The environment is the owner's."""
    (tmp_path / ".env").write_text(f"MOONSHOT_API_KEY={KEY}\n")
    settings = resolve(environ={"MOONSHOT_BASE_URL": ELSEWHERE})
    assert (settings.api_key, settings.base_url) == (KEY, ELSEWHERE)


# Keys and URLs of OpenAI ---------------------------------------------------------------------------------------------

OPENAI_KEYS = {
    "of a project": ("sk-proj-openai", ""),
    "of a service account": ("sk-svcacct-openai", ""),
    "of an administrator": ("sk-admin-openai", ""),
    "of the old form": ("sk-openai", "sk-openai"),
    "with white space": ("sk-openai", "sk-openai\n"),
}


@pytest.mark.parametrize(("key", "variable"), OPENAI_KEYS.values(), ids=OPENAI_KEYS)
def test_an_openai_key_is_replaced_or_refused(
    mode: Mode, kimi: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str, variable: str
) -> None:
    """`OpenAI(api_key=os.getenv("OPENAI_API_KEY"))` with only the import line changed: the Moonshot key is used, with a
    warning; without one it is an error. Copies and callables do the same."""
    monkeypatch.setenv("OPENAI_API_KEY", variable)
    plain = mode.client(api_key=KEY)
    lazy = mode.client(base_url=kimi.base_url, api_key=lambda: key, max_retries=0)
    for make in (mode.client, plain.with_options, plain.copy):
        with pytest.raises(
            SettingsError, match=r"api_key argument is a key of OpenAI .*set MOONSHOT_API_KEY"
        ) as caught:
            make(api_key=key)
        assert key not in str(caught.value)
    with pytest.raises(SettingsError, match="from the api_key callable is a key of OpenAI"):
        mode.run(lazy.models.list())
    assert kimi.requests == []
    (tmp_path / ".env").write_text(f"MOONSHOT_API_KEY={kimi.api_key}\n")
    for make in (mode.client, plain.with_options):
        with pytest.warns(KimiCompatWarning, match=r"is a key of OpenAI .*; MOONSHOT_API_KEY in .*\.env is used"):
            client = make(api_key=key, base_url=kimi.base_url)
        mode.run(client.with_options(timeout=9).models.list())
    with pytest.warns(KimiCompatWarning, match="callable is a key of OpenAI"):
        mode.run(lazy.models.list())
    assert {request.headers["authorization"] for request in kimi.requests} == {f"Bearer {kimi.api_key}"}
    assert len(kimi.requests) == 3


@pytest.mark.filterwarnings("error")
def test_a_moonshot_key_in_openais_variable_is_no_openai_key(mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after `kimi-openai env`, or if it is set after the client was made."""
    client = mode.client(api_key=KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert client.with_options(timeout=3).api_key == KEY
    monkeypatch.setenv("MOONSHOT_API_KEY", KEY)
    assert type(client)(api_key=KEY).api_key == KEY  # here and not in the fixture, which warns once at its own line


def test_an_openai_key_in_our_variable_is_an_error() -> None:
    """By its form; it is not sent because it stands in the wrong place."""
    with pytest.raises(SettingsError, match=r"MOONSHOT_API_KEY in environment\) has the form of a key of OpenAI"):
        resolve(environ={"MOONSHOT_API_KEY": "sk-proj-openai"})


@pytest.mark.parametrize("key", ["sk-proj-openai", "sk-older-openai"], ids=["by its form", "by the variable"])
def test_no_request_carries_an_openai_key(
    mode: Mode, kimi: Emulator, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Wherever it was put: a header of the client or of one call, or the attribute."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-older-openai")
    wrong = {"Authorization": f"Bearer {key}"}
    client = mode.client(kimi)
    clients = [client.with_options(default_headers=wrong), client.copy()]
    clients[1].api_key = key
    for each in clients:
        with pytest.raises(SettingsError, match="key of OpenAI"):
            mode.run(each.models.list())
    with pytest.raises(SettingsError, match="key of OpenAI"):
        mode.run(client.models.list(extra_headers=wrong))
    assert kimi.requests == []


def test_a_key_for_kimi_is_sent_although_openais_variable_has_it(
    mode: Mode, kimi: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that a client or a copy was made with, and one of our variables that is set as the attribute."""
    client = mode.client(kimi)
    copied = mode.client(base_url=kimi.base_url, api_key="sk-1").with_options(api_key=kimi.api_key)
    monkeypatch.setenv("OPENAI_API_KEY", kimi.api_key)
    for each in (client, client.with_options(timeout=3), copied):
        assert mode.run(each.models.list()).data
    monkeypatch.setenv("OPENAI_API_KEY", "sk-2")
    client.api_key = "sk-2"
    with pytest.raises(SettingsError, match="key of OpenAI"):
        mode.run(client.models.list())
    monkeypatch.setenv("KIMI_API_KEY", "sk-2")
    with pytest.raises(openai.AuthenticationError):  # it is sent, and the emulator has another one
        mode.run(client.models.list())


@pytest.mark.parametrize(
    ("url", "words"), [("https://api.openai.com/v1", "for OpenAI's API"), ("http://gateway.example/v1", "in the clear")]
)
def test_no_request_leaves_for_a_forbidden_place(mode: Mode, url: str, words: str) -> None:
    """Although the base URL was set after construction, or the URL was given for one call."""
    client = mode.client(api_key=KEY, max_retries=0)
    with pytest.raises(SettingsError, match=words):
        mode.run(client.get(f"{url}/models", cast_to=object))
    client.base_url = url
    with pytest.raises(SettingsError, match=words):
        mode.run(client.models.list())


@pytest.mark.parametrize(
    "url",
    ["https://api.openai.com/v1", "http://api.openai.com:80", "api.openai.com/v1", "https://eu.api.openai.com/v1"],
)
def test_a_base_url_of_openai_is_replaced(mode: Mode, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """By the next one that is found, with a warning, by clients and copies; a copy keeps the client's."""
    with pytest.warns(
        KimiCompatWarning, match=r"base_url is .*openai.com.*; the base URL is 'https://api.moonshot.ai/v1'"
    ):
        client = mode.client(api_key=KEY, base_url=url)
    assert (client.base_url, client.region) == ("https://api.moonshot.ai/v1/", "ai")
    with pytest.warns(KimiCompatWarning, match=r"base_url is .*openai.com"):
        assert mode.client(api_key=KEY, region="cn").with_options(base_url=url).region == "cn"
    with pytest.warns(KimiCompatWarning, match=r"websocket_base_url is .*openai.com"):
        assert mode.client(api_key=KEY, websocket_base_url=url).websocket_base_url is None
    monkeypatch.setenv("MOONSHOT_BASE_URL", url)
    monkeypatch.setenv("KIMI_BASE_URL", ELSEWHERE)
    with pytest.warns(KimiCompatWarning, match="MOONSHOT_BASE_URL in environment is"):
        assert mode.client(api_key=KEY).base_url == f"{ELSEWHERE}/"


def test_an_openai_login_is_refused_by_copies_too(mode: Mode) -> None:
    """A newer SDK would take OpenAI's base URL for a region of data."""
    with pytest.raises(SettingsError, match="data_residency is a way to log in to OpenAI"):
        mode.client(api_key=KEY).with_options(data_residency="eu")


def test_a_copy_looks_for_a_key_where_the_client_did(mode: Mode, kimi: Emulator, tmp_path: Path) -> None:
    """In the file that was named, also for a callable that the copy was given."""
    (tmp_path / "kimi.txt").write_text(f"MOONSHOT_API_KEY={kimi.api_key}\n")
    client = mode.client(api_key=KEY, base_url=kimi.base_url, env_file="kimi.txt")
    with pytest.warns(KimiCompatWarning, match=r"kimi\.txt is used instead"):
        assert client.with_options(api_key="sk-proj-openai").api_key == kimi.api_key
    with pytest.warns(KimiCompatWarning, match=r"kimi\.txt is used instead"):
        mode.run(client.with_options(api_key=lambda: "sk-proj-openai").models.list())
    assert kimi.requests[0].headers["authorization"] == f"Bearer {kimi.api_key}"


# Keys in the wrong place ---------------------------------------------------------------------------------------------

WRONG_PLACES = ("base_url", "region", "compat", "env_file", "patience", "max_concurrency", "limits")


@pytest.mark.parametrize("key", ["sk-secret", "sk-proj-secret", "0123456789abcdef-secret", "https://sk-secret@host/v1"])
@pytest.mark.parametrize("name", WRONG_PLACES)
def test_a_key_in_the_wrong_argument_is_not_quoted(mode: Mode, name: str, key: str) -> None:
    """By no error about it, of a client or a copy."""
    with pytest.raises(SettingsError) as caught:
        mode.client(**{"api_key": KEY, name: key})
    assert "secret" not in str(caught.value) + repr(caught.value)
    if name != "env_file":
        with pytest.raises(SettingsError) as caught:
            mode.client(api_key=KEY).with_options(**{name: key})
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["KIMI_COMPAT", "KIMI_MODEL_ALIASES", "MOONSHOT_REGION", "MOONSHOT_BASE_URL"])
def test_a_key_in_the_wrong_variable_is_not_quoted(mode: Mode, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """By no error about it."""
    monkeypatch.setenv(name, "sk-secret")
    with pytest.raises(SettingsError) as caught:
        mode.client(api_key=KEY)
    assert "secret" not in str(caught.value)


def test_a_key_in_the_path_of_the_base_url_is_not_in_the_repr(mode: Mode) -> None:
    """Some gateways want it there."""
    client = mode.client(api_key=KEY, base_url="https://host/sk-secret/v1")
    assert repr(client).endswith("base_url='https://host/sk-***/v1')")
