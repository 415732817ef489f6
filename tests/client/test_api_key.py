"""api_key.py: which keys are refused, and why."""

from __future__ import annotations

import pytest

from kimi_openai.client.api_key import AsyncCheckedKey, CheckedKey, check_key
from kimi_openai.client.settings import resolve
from kimi_openai.errors.exceptions import SettingsError

KEY = "sk-a-secret-that-must-not-show"

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
def test_bad_keys_are_explained_and_never_shown(key: object, words: str) -> None:
    """The message says what is wrong with the key and where it came from, and shows nothing of it."""
    with pytest.raises(SettingsError) as caught:
        check_key(key, "argument")
    assert str(caught.value).startswith(f"the Kimi API key (argument) {words}")
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(resolve(api_key=KEY))


@pytest.mark.parametrize("kind", [CheckedKey, AsyncCheckedKey])
def test_a_callable_is_wrapped_once(kind: type[CheckedKey]) -> None:
    """However often a client is copied; a string stays a string."""
    wrapped = kind.wrap(lambda: KEY, str)
    assert type(wrapped) is kind
    assert kind.wrap(wrapped, str) is wrapped
    assert kind.wrap(KEY, str) == KEY
