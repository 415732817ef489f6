"""Surrogates: any text becomes one that can be encoded, and nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai._internal.decode import decode_json
from kimi_openai._internal.surrogates import joined, without_surrogates

HALVES = st.sampled_from(["\ud83d", "\ude00", "\ud800", "\udfff"])
TEXT = st.lists(st.characters(codec="utf-8") | HALVES, max_size=8).map("".join)
JSON = st.recursive(
    st.none() | st.integers() | TEXT, lambda some: st.lists(some) | st.dictionaries(TEXT, some), max_leaves=6
)


@given(TEXT)
def test_any_text_can_be_encoded_afterwards(text: str) -> None:
    """A text that could be encoded before is the same object."""
    joined(text).encode()
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert joined(text) is text


@given(JSON)
def test_any_value_is_cleaned_in_all_its_parts(value: Any) -> None:
    """Keys too; a value without surrogates is the same object."""
    cleaned = without_surrogates(value)
    assert without_surrogates(cleaned) is cleaned
    repr(cleaned).encode()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("\ud83d\ude00", "😀"),
        ("a\ud83d", "a\ufffd"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00", "\ufffd😀"),
    ],
    ids=["both halves", "the first half", "in the wrong order", "one half too many"],
)
def test_halves_that_belong_together_are_one_character(text: str, clean: str) -> None:
    """A half that is alone is U+FFFD."""
    assert joined(text) == clean


def test_decoded_json_has_no_halves_unless_they_are_wanted() -> None:
    """Escaped, or in bytes that encode them although UTF-8 does not allow that."""
    for content in (rb'{"a": "\ud83d"}', b'{"a": "\xed\xa0\xbd"}'):
        assert decode_json(content) == {"a": "\ufffd"}
        assert decode_json(content, clean=lambda value: value) == {"a": "\ud83d"}
