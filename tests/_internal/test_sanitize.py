"""Control characters are written out, in text, in cells and in JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai._internal.sanitize import CONTROLS, ControlEscaper, escape_controls, escape_json, json_line, one_line
from tests.hostile import TERMINAL_ATTACKS


@pytest.mark.parametrize("text", TERMINAL_ATTACKS.values(), ids=TERMINAL_ATTACKS.keys())
def test_no_control_character_gets_through(text: str) -> None:
    """It is written out in text, in a cell and in JSON, and the JSON keeps its value."""
    for shown in (escape_controls(text), one_line(text), json_line({"text": text})):
        assert not CONTROLS.search(shown)
        assert all(char.isprintable() or char == "\n" for char in shown)
        shown.encode()
    assert json.loads(json_line({"text": text})) == {"text": text}


def test_control_characters_are_shown_and_not_removed() -> None:
    """The user sees that something was there; other characters stay as they are."""
    assert escape_controls("\x1b[31m\x9bA\u202e") == r"\x1b[31m\x9bA\u202e"
    assert escape_controls("tab\tand\r\nnewline 你好 🌙 e\u0301") == "tab\tand\nnewline 你好 🌙 e\u0301"
    assert escape_json('{"a": "\x9b"}') == '{"a": "\\u009b"}'


@given(st.lists(st.text(st.sampled_from("a\r\n\x1b\x9b\t ü"), max_size=4)))
def test_pieces_give_the_same_as_the_whole(pieces: list[str]) -> None:
    """A CR LF that is split between two pieces is still one newline."""
    escaper = ControlEscaper()
    assert "".join(map(escaper.feed, pieces)) + escaper.flush() == escape_controls("".join(pieces))
