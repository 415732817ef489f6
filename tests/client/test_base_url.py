"""base_url.py: which base URLs are refused, and what to write instead."""

from __future__ import annotations

import pytest

from kimi_openai.client.base_url import check_base_url
from kimi_openai.errors.exceptions import SettingsError

BAD_URLS = {
    "no /v1": ("https://api.moonshot.cn", "write 'https://api.moonshot.cn/v1'"),
    "no /v1, other host": ("https://proxy.example/kimi/", "write 'https://proxy.example/kimi/v1'"),
    "Anthropic API": ("https://api.moonshot.ai/anthropic", "write 'https://api.moonshot.ai/v1'"),
    "Anthropic API's /v1": ("https://api.moonshot.cn/anthropic/v1", "write 'https://api.moonshot.cn/v1'"),
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
    "user name and no valid host": ("https://me:hunter2@ho\u2100st/v1", "is not a URL; write"),
    "user name": ("https://me:hunter2@host/v1", "carries a user name"),
    "OpenAI's": ("https://api.openai.com/v1", "is OpenAI's; write 'https://api.moonshot.ai/v1'"),
    "a variable": ("https://host/${PATH}/v1", "has ${...} in it"),
    "a backslash": ("https://evil.example\\@api.moonshot.ai/v1", "is not an http"),
    "query": ("https://host/v1?key=hunter2", "carries a user name, a query"),
}


@pytest.mark.parametrize(("url", "words"), BAD_URLS.values(), ids=BAD_URLS)
def test_bad_base_urls_say_what_to_write(url: str, words: str) -> None:
    """The message says what is wrong and what to write, and shows no password."""
    with pytest.raises(SettingsError) as caught:
        check_base_url(url)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:1", "[::1]:9", "127.1.2.3", "kimi.localhost"])
def test_loopback_may_be_plain_http(host: str) -> None:
    """A local server needs no TLS."""
    check_base_url(f"http://{host}/v1")


def test_plain_http_to_another_host_by_explicit_option() -> None:
    """`allow_http=True` permits it."""
    check_base_url("http://gateway/v1", allow_http=True)
