"""decode.py: bytes as a JSON value, or a ValueError."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai._internal.decode import decode_json

READ: dict[str, tuple[bytes | str, Any]] = {
    "bytes": (b'{"a": "\xc3\xa9"}', {"a": "é"}),
    "text": ('{"a": "é"}', {"a": "é"}),
    "a mark before it": (b"\xef\xbb\xbf[1]", [1]),
    "a mark before a text": ("\ufeff[1]", [1]),
    "half a character": (b'["\\ud83d"]', ["\ufffd"]),
    "half a character in a text": ('["\ud83d"]', ["\ufffd"]),
    "a key twice": (b'{"a": 1, "a": 2}', {"a": 2}),
    "infinity": (b"[1e400, -Infinity]", [float("inf"), float("-inf")]),
    "a large number": (b"[" + b"9" * 4000 + b"]", [int("9" * 4000)]),
    "many levels": (b"[" * 201 + b"]" * 201, json.loads("[" * 201 + "]" * 201)),
}
REFUSED: dict[str, bytes | str] = {
    "nothing": b"",
    "half": b'{"a":',
    "more": b"{} x",
    "not UTF-8": b'["\xff"]',
    "a control character": b'["\n"]',
    "UTF-16": "[1]".encode("utf-16"),
    "a very large number": b"9" * 5000,
    "too many levels": b"[" * 202 + b"]" * 202,
    "too many levels of objects": '{"a":' * 900 + "1" + "}" * 900,
    "levels without end": b"[" * 100_000,
    "half a character and too many levels": b'["\\ud83d",' * 202 + b"1" + b"]" * 202,
}


@pytest.mark.parametrize(("content", "value"), READ.values(), ids=READ)
def test_what_is_json_is_read(content: bytes | str, value: Any) -> None:
    """Everything that Python reads, and a byte order mark."""
    assert decode_json(content) == value


def test_halves_of_characters_can_be_kept() -> None:
    """For a stream, where the other half may follow."""
    assert decode_json(b'["\\ud83d"]', clean=lambda value: value) == ["\ud83d"]


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_is_not_is_a_value_error(content: bytes | str) -> None:
    """Never a RecursionError."""
    with pytest.raises(ValueError, match=r"."):
        decode_json(content)


@given(st.binary(max_size=30) | st.text(max_size=30))
def test_anything_is_a_value_or_a_value_error(content: bytes | str) -> None:
    """A value has no more levels than a program can walk through."""
    try:
        value = decode_json(content)
    except ValueError:
        return
    json.dumps(value)
