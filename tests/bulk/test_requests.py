"""Rows and tables as people have them: odd ids, empty cells, other encodings, what can be read only once."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

import pytest

from kimi_openai.bulk import InputError
from kimi_openai.bulk.requests import requests_of
from kimi_openai.emulator import say

from .conftest import Files, ids, line

TABLES = {
    "too few cells": (b"a,b\nx,y\nx\n", "row 2: it has 1 cells, and the table has 2 columns"),
    "too many cells": (b"a,b\nx,y,z\n", "row 1: it has 3 cells"),
    "another encoding": (b"a,b\nx,y\nx,\xe9\n", "row 2: it is not UTF-8"),
}


@pytest.mark.parametrize(("content", "problem"), TABLES.values(), ids=TABLES)
def test_a_bad_table(files: Files, content: bytes, problem: str) -> None:
    """The row and the reason, and nothing is sent."""
    source = files.input.with_suffix(".csv")
    source.write_bytes(content)
    with pytest.raises(InputError) as caught:
        files.run(source, messages="{b}", model="kimi-k3")
    assert caught.value.problems[0].startswith(problem)
    assert files.kimi.requests == []


def test_rows_as_people_have_them(files: Files) -> None:
    """An id of 0, ids that empty cells made floats, empty cells, half a character, numbers of a kind of their own."""
    rows = [
        {"custom_id": 0, "word": "run"},
        {"custom_id": 7.0, "word": None},
        {"custom_id": float("nan"), "word": float("nan")},
        {"custom_id": "half \ud800", "word": "x" * 140_000},
    ]
    options: Any = {"messages": "Is it {word}?", "model": "kimi-k3", "params": {"max_completion_tokens": Numpy()}}
    files.kimi.reply = lambda _: [say("Yes.")]  # the default answer quotes the question
    assert files.run(rows, budget=1, **options).answered == 4
    assert sorted(ids(files.output)) == ["0", "7", "half \ud800", "row-3"]
    assert {chat["max_completion_tokens"] for chat in files.kimi.chats} == {50}
    asked = sorted(chat["messages"][0]["content"] for chat in files.kimi.chats)
    assert asked[:3] == ["Is it ?", "Is it ?", "Is it run?"]
    assert files.run(iter(rows), **options).resumed == 4
    source = files.input.with_suffix(".csv")
    source.write_text(f"custom_id,word\nlong,{'x' * 140_000}\n")
    assert files.run(source, **options).answered == 1


class Numpy:
    """A whole number as numpy has it, as far as it is read."""

    def tolist(self) -> int:
        """As Python has it."""
        return 50

    item = tolist


def test_what_can_be_read_only_once(files: Files) -> None:
    """Of a generator only what is needed is read; a pipe is read once."""

    def endless() -> Any:
        for number in range(10):
            yield line(number)
        raise AssertionError("it was read to its end")

    assert files.run(endless(), limit=2).answered == 2
    pipe = files.input.with_name("pipe")
    os.mkfifo(pipe)
    threading.Thread(target=lambda: pipe.write_text(json.dumps(line(3)) + "\n"), daemon=True).start()
    assert files.run(pipe).answered == 1


@pytest.mark.parametrize("rows", [["Say 1."], [5], [None]])
def test_rows_that_are_no_objects(files: Files, rows: Any) -> None:
    """Are named, not taken for a reason."""
    with pytest.raises(InputError, match="row 1: it is not an object"):
        files.run(rows, messages="x", model="kimi-k3")


class Frame:
    """A DataFrame, as far as it is looked at."""

    columns = ("word",)
    iter_rows = None


def test_a_frame_without_a_template() -> None:
    """Says what is missing, once."""
    with pytest.raises(ValueError, match="a DataFrame needs messages="):
        requests_of(Frame(), template=None, overrides={}, limit=None)
