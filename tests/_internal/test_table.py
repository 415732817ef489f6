"""Tables as text and as HTML."""

from __future__ import annotations

import pytest

from kimi_openai._internal.table import Table, text_table
from tests.harmless import checked, wrong_in
from tests.hostile import HTML_ATTACKS


def test_a_text_table_is_aligned_by_the_width_of_characters() -> None:
    """Wide characters count twice, and a cell stays on one line."""
    assert text_table([("name", "size"), ("你好", 7), ("\n\x1b", 1234)]).splitlines() == [
        "name      size",
        "你好         7",
        r"\x0a\x1b  1234",
    ]
    assert text_table([]) == ""


@pytest.mark.parametrize("text", HTML_ATTACKS)
def test_cells_header_and_title_are_escaped(text: str) -> None:
    """No tag or attribute of the text gets into the HTML, and no escape sequence into the text."""
    table = Table(((text,),), (text,), text)
    assert wrong_in(table.html()) == []
    assert "\x1b" not in table.text()


def test_words_are_left_and_numbers_are_right() -> None:
    """Every cell says so, because a notebook aligns all cells to the right."""
    left, right = "text-align:left", "text-align:right"
    shown = Table((("kimi-k3", "1,000", "66%", "$0.02"),), ("model", "in", "cached", "cost")).html()
    assert checked(shown).styles == [left, right, right, right] * 2


def test_control_characters_are_written_out_in_html() -> None:
    """As in a terminal."""
    assert r"\x07" in Table((("\x07",),)).html()
