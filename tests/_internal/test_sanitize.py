"""Control characters and invisible ones are written out, in text, in cells and in JSON; what a script needs stays."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai._internal.sanitize import CONTROLS, ControlEscaper, escape_controls, escape_json, json_line, one_line
from tests.hostile import INVISIBLE_ATTACKS, TERMINAL_ATTACKS

NEEDED = {
    "family": "👨‍👩‍👧",
    "rainbow flag": "🏳️‍🌈",
    "skin tone": "👩🏽‍🚀",
    "heart": "❤️",
    "keycap": "1️⃣",
    "England": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "Persian": "می‌خواهم",
    "Hindi": "क्‍ष न्‌",
    "ideograph with a variant": "葛\U000e0100",
    "Mongolian": "ᠠ᠋",
    "combining": "e\u0301",
    "plain": "你好 🌙 ü",
}
"""Texts with invisible characters that a reader needs."""


@pytest.mark.parametrize("text", [*TERMINAL_ATTACKS.values(), *INVISIBLE_ATTACKS.values()])
def test_no_control_character_gets_through(text: str) -> None:
    """It is written out in text, in a cell and in JSON, and the JSON keeps its value."""
    for shown in (escape_controls(text), one_line(text), json_line({"text": text})):
        assert not CONTROLS.search(shown)
        assert all(char.isprintable() or char in "\n\ufe0f\u200c" for char in shown)
        shown.encode()
    assert json.loads(json_line({"text": text})) == {"text": text}


@pytest.mark.parametrize("text", INVISIBLE_ATTACKS.values(), ids=INVISIBLE_ATTACKS)
def test_what_nobody_sees_is_written_out(text: str) -> None:
    """On a terminal and in a notebook; in a pipe it is data and stays."""
    assert "\\" in escape_controls(text)
    assert escape_controls(text, keeps_invisible=True) == text
    assert "\\u" in escape_json(json.dumps(text, ensure_ascii=False))


@pytest.mark.parametrize("text", NEEDED.values(), ids=NEEDED)
def test_what_a_script_or_an_emoji_needs_stays(text: str) -> None:
    """Also if it comes in pieces, and beside what is written out."""
    escaper = ControlEscaper()
    assert escape_controls(text) == "".join(map(escaper.feed, text)) + escaper.flush() == text
    assert json_line(text) == f'"{text}"'
    assert escape_controls(f"\u200b{text}\u200b") == rf"\u200b{text}\u200b"


def test_control_characters_are_shown_and_not_removed() -> None:
    """The user sees that something was there; other characters stay as they are."""
    assert escape_controls("\x1b[31m\x9bA\u202e") == r"\x1b[31m\x9bA\u202e"
    assert escape_controls("tab\tand\r\nnewline") == "tab\tand\nnewline"
    assert escape_controls("\U000e0041\U000e0001") == r"\U000e0041\U000e0001"
    assert escape_json('{"a": "\x9b"}') == '{"a": "\\u009b"}'


PIECES = st.lists(st.text(st.sampled_from("a1\r\n\x1b\x9b\t ü🏴👩❤\ufe0f\u200d\u200c\u200bمक\u180b\U000e0067\U000e0062"), max_size=4))


@given(PIECES, st.booleans())
def test_pieces_give_the_same_as_the_whole(pieces: list[str], keeps_invisible: bool) -> None:
    """A CR LF or an emoji that is split between two pieces is still one."""
    escaper = ControlEscaper(keeps_invisible=keeps_invisible)
    shown = "".join(map(escaper.feed, pieces)) + escaper.flush()
    assert shown == escape_controls("".join(pieces), keeps_invisible=keeps_invisible)
