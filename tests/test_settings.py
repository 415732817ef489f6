"""settings.py: where key, base URL and region come from, and what is said of bad ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from kimi_openai.errors import SettingsError
from kimi_openai.settings import KEY_NAMES, resolve

KEY = "sk-a-secret-that-must-not-show"


@pytest.mark.parametrize("missing", range(len(KEY_NAMES)))
def test_key_names_are_read_in_their_order(missing: int) -> None:
    """The first of the three variables that is set gives the key."""
    environ = {name: name.lower() for name in KEY_NAMES[missing:]}
    assert resolve(environ=environ).api_key == KEY_NAMES[missing].lower()


def test_argument_beats_environment_beats_env_file(tmp_path: Path) -> None:
    """Key: argument, then any of the three in the environment, then the same in the file."""
    (tmp_path / ".env").write_text("MOONSHOT_API_KEY=from-file\n")
    assert resolve(api_key="given", environ={"KIMI_API_KEY": "from-env"}).api_key == "given"
    assert resolve(environ={"MOONSHOTAI_API_KEY": "from-env"}).api_key == "from-env"
    assert resolve(environ={}).api_key == "from-file"


def test_env_file_is_found_upwards_and_not_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.env` of a parent folder counts, and `os.environ` stays as it was."""
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
    """A named file is read where it is; one that is not there is an error instead of silence."""
    (tmp_path / "kimi.txt").write_text("MOONSHOT_API_KEY=k\n")
    assert resolve(env_file=tmp_path / "kimi.txt").api_key == "k"
    assert resolve(env_file="kimi.txt").api_key == "k"
    with pytest.raises(SettingsError, match="there is no file"):
        resolve(env_file=tmp_path / "other")


def test_an_env_file_that_cannot_be_read_is_said_in_words(tmp_path: Path) -> None:
    """Windows' UTF-16, for one; no file is read where nothing is looked up."""
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
    "region told from the host": ({"base_url": "https://api.moonshot.cn/v1"}, {}, "https://api.moonshot.cn/v1", "cn"),
}


@pytest.mark.parametrize(("arguments", "environ", "url", "region"), BASE_URLS.values(), ids=BASE_URLS)
def test_base_url_and_region(arguments: dict[str, Any], environ: dict[str, str], url: str, region: str | None) -> None:
    """The base URL comes from the first source that has one, and the region follows it."""
    settings = resolve(api_key=KEY, environ=environ, **arguments)
    assert (settings.base_url, settings.region) == (url, region)


BAD_KEYS = {
    "empty": ("", "is empty"),
    "blank": ("  ", "is empty"),
    "newline": (KEY + "\n", "has a newline in it"),
    "space": (KEY + " x", "has white space in it"),
    "double quotes": (f'"{KEY}"', "has quotes around it"),
    "single quotes": (f"'{KEY}'", "has quotes around it"),
    "typographic quotes": (f"“{KEY}”", "has quotes around it"),
    "non-ASCII": (KEY + "ключ", "has characters in it that no key has"),
    "control character": (KEY + "\x07", "has characters in it that no key has"),
    "bytes": (KEY.encode(), "is a bytes"),
}


@pytest.mark.parametrize(("key", "words"), BAD_KEYS.values(), ids=BAD_KEYS)
def test_bad_keys_are_told_apart_and_never_shown(key: object, words: str) -> None:
    """What is wrong with a key is said in words, and nothing of the key is in the message or in a repr."""
    with pytest.raises(SettingsError) as caught:
        resolve(api_key=key)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(resolve(api_key=KEY))


def test_a_bad_key_in_the_environment_names_its_variable() -> None:
    """The message says which variable to mend; an empty one counts as not set and is mentioned."""
    with pytest.raises(SettingsError, match=r"KIMI_API_KEY in environment.*newline"):
        resolve(environ={"KIMI_API_KEY": f"{KEY}\n"})
    with pytest.raises(SettingsError, match="KIMI_API_KEY is set but empty"):
        resolve(environ={"KIMI_API_KEY": ""})


def test_a_missing_key_names_the_variables_and_takes_no_openai_key() -> None:
    """An OpenAI key is never used in its place."""
    with pytest.raises(SettingsError) as caught:
        resolve(environ={"OPENAI_API_KEY": "sk-openai"})
    assert all(name in str(caught.value) for name in KEY_NAMES)


BAD_URLS = {
    "no /v1": ("https://api.moonshot.cn", "write 'https://api.moonshot.cn/v1'"),
    "no /v1, other host": ("https://proxy.example/kimi/", "write 'https://proxy.example/kimi/v1'"),
    "Anthropic face": ("https://api.moonshot.ai/anthropic", "write 'https://api.moonshot.ai/v1'"),
    "the Anthropic face's /v1": ("https://api.moonshot.cn/anthropic/v1", "write 'https://api.moonshot.cn/v1'"),
    "another endpoint": ("https://api.moonshot.ai/v1/models", "write 'https://api.moonshot.ai/v1'"),
    "an endpoint": ("https://api.moonshot.ai/v1/chat/completions", "write 'https://api.moonshot.ai/v1'"),
    "plain http": ("http://api.moonshot.ai/v1", "write 'https://api.moonshot.ai/v1'"),
    "plain http, private address": ("http://10.0.0.5:8000/v1", "allow_http=True"),
    "loopback look-alike": ("http://127.0.0.1.example.com/v1", "in the clear"),
    "no scheme": ("api.moonshot.ai/v1", "is not an http"),
    "other scheme": ("ftp://api.moonshot.ai/v1", "is not an http"),
    "no host": ("https:///v1", "is not an http"),
    "bad port": ("https://host:port/v1", "is not a URL"),
    "white space in it": ("https://api.moonshot.ai /v1", "is not an http"),
    "newline in it": ("https://api.moon\nshot.ai/v1", "is not an http"),
    "white space": ("https://api.moonshot.ai/v1\n", "is not an http"),
    "user name": ("https://me:hunter2@host/v1", "carries a user name"),
    "query": ("https://host/v1?key=hunter2", "carries a user name, a query"),
}


@pytest.mark.parametrize(("url", "words"), BAD_URLS.values(), ids=BAD_URLS)
def test_bad_base_urls_say_what_to_write(url: str, words: str) -> None:
    """A base URL that cannot work is an error at construction, and shows no password."""
    with pytest.raises(SettingsError) as caught:
        resolve(api_key=KEY, base_url=url)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:1", "[::1]:9", "127.1.2.3", "kimi.localhost"])
def test_loopback_may_be_plain_http(host: str) -> None:
    """A local Kimi needs no TLS."""
    assert resolve(api_key=KEY, base_url=f"http://{host}/v1").base_url == f"http://{host}/v1"


def test_plain_http_elsewhere_by_explicit_option() -> None:
    """`allow_http=True` permits it."""
    assert resolve(api_key=KEY, base_url="http://gateway/v1", allow_http=True).base_url == "http://gateway/v1"


def test_an_unknown_region_is_an_error() -> None:
    """A region that is not one of the two says which there are, wherever it came from."""
    with pytest.raises(SettingsError, match="the region argument is 'us'; write 'ai'"):
        resolve(api_key=KEY, region="us")
    with pytest.raises(SettingsError, match="MOONSHOT_REGION in environment is 'us'"):
        resolve(api_key=KEY, environ={"MOONSHOT_REGION": "us"})
