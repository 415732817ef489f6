"""What is masked in a text, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai._internal.secrets import mask_keys, shown, shown_url

LONG = "aB3" * 16

MASKED: dict[str, tuple[str, str]] = {
    "a key": (f"region is sk-{LONG}; write", "region is sk-***; write"),
    "a short key": ("'sk-x'", "'sk-***'"),
    "a project's key": ("sk-proj-a_b-c.", "sk-***."),
    "two": ("sk-a, sk-b", "sk-***, sk-***"),
    "of another provider": ("gsk_0123456789abcdef0123", "gsk_***"),
    "a header": ("Authorization: Bearer 0123456", "Authorization: Bearer ***"),
    "a password": ("http://me:pass@host/v1", "http://***@host/v1"),
    "a password with @": ("http://me:p@ss@host", "http://***@host"),
    "a random word": (f"token {LONG}", "token ***"),
    "a JSON web token": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.abc-_", "***"),
}

KEPT = [
    *("it does not start with sk-, as Kimi's do", "task-1, disk-2 and ask-me", "sk_learn", "hf_model", "pk-1"),
    *("chatcmpl-65f0c0ffee65f0c0ffee65f0c0ffee", "missing bearer token", "basic information", "me@example.com"),
    *("https://api.moonshot.ai/v1", "kimi-k2-0905-preview"),
]


@pytest.mark.parametrize(("text", "masked"), MASKED.values(), ids=MASKED)
def test_secrets_are_masked(text: str, masked: str) -> None:
    """The words around them stay, and masking twice changes nothing."""
    assert mask_keys(text) == masked
    assert mask_keys(masked) == masked


@pytest.mark.parametrize("text", KEPT)
def test_ordinary_words_stay(text: str) -> None:
    """Also those that begin as a key does."""
    assert mask_keys(text) == text


SHOWN: dict[str, tuple[Any, str]] = {
    "a word": ("us", "'us'"),
    "a number": (1.5, "1.5"),
    "a key": ("sk-secret", "'sk-***'"),
    "a key with something behind it": ("sk-secret\nsecret", "'sk-***'"),
    "a key in quotes": ('"sk-secret"', "'\"sk-***\"'"),
    "a long word": ("0123456789abcdefABCDE", "'***'"),
    "bytes": (b"sk-secret", "b'sk-***'"),
    "a list": (["sk-secret"], "['sk-***']"),
    "a path": ("/home/me/pictures/2024/cat.png", "'/home/me/pictures/2024/cat.png'"),
    "a URL": ("https://me:secret@host/a?secret#secret", "'https://host/a'"),
    "a URL without a scheme": ("me:secret@host/a", "'host/a'"),
    "a long text": ("a" * 500, repr("a" * 200)),
}


@pytest.mark.parametrize(("value", "text"), SHOWN.values(), ids=SHOWN)
def test_a_value_is_shown_as_its_repr(value: Any, text: str) -> None:
    """Unless it, or a part of it, may be secret."""
    assert shown(value) == text


URLS = {
    "https://host:8000/v1": "https://host:8000/v1",
    "https://[::1]:8000/v1": "https://[::1]:8000/v1",
    "https://me:secret@[::1]/v1": "https://[::1]/v1",
    "https://host/sk-secret/v1": "https://host/sk-***/v1",
    "https://host/0123456789abcdef0123/v1": "https://host/***/v1",
    "https://host/@me/a.png": "https://host/@me/a.png",
    "https://me:sec/ret@host/a": "https://***",
    "https://me:sec?ret@host/a": "https://***",
    "https://me:1/secret@host/a": "https://***",
    "https://secret secret/a": "https://***",
    "": "",
}


@pytest.mark.parametrize("url", URLS)
def test_a_url_is_shown_without_what_may_be_secret(url: str) -> None:
    """A URL that cannot be read for sure is not shown."""
    assert shown_url(url) == URLS[url]
