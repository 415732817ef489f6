"""Results and exceptions of tools as text for the model: there is a text for each."""

from __future__ import annotations

import asyncio
import builtins
import dataclasses
import datetime
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pydantic
import pytest

from kimi_openai.tools.results import DEEPEST, error_text, result_text


class Place(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    name: str
    value: Any = None


@dataclasses.dataclass
class Trip:
    days: object


class Mute:
    def __str__(self) -> str:
        raise SystemExit


LOOP: list[Any] = [1]
LOOP.append(LOOP)

RESULTS = {
    "text": ("as it is", "as it is"),
    "number": (3, "3"),
    "None": (None, "null"),
    "model": (Place(name="é"), '{"name":"é","value":null}'),
    "set": ({1}, "[1]"),
    "date": (datetime.date(2026, 1, 2), '"2026-01-02"'),
    "text with half a character": ("a\ud83d", "a\ufffd"),
    "two halves": ("\ud83d\ude00", "😀"),
    "half a character inside": ({"a\udc00": ["\ud83d"]}, '{"a\ufffd":["\ufffd"]}'),
    "not a number": ([float("nan"), float("-inf")], '["NaN","-Infinity"]'),
    "bytes of text": ("é".encode(), "é"),
    "other bytes": (b"\xff\x00", "/wA="),
    "bytes inside": ([b"ok", bytearray(b"\xff")], '["ok","/w=="]'),
    "numpy scalars": ([numpy.int64(3), numpy.float32(0.5), numpy.bool_(True)], "[3,0.5,true]"),
    "numpy array": ({"a": numpy.array([[1, 2], [3, 4]])}, '{"a":[[1,2],[3,4]]}'),
    "numpy date": (numpy.datetime64("2026-01-02"), '"2026-01-02"'),
    "circle": (LOOP, '[1,"(circular)"]'),
    "circle in a model": (Place(name="x", value=LOOP), '{"name":"x","value":[1,"(circular)"]}'),
    "bytes in a dataclass": (Trip(days=[b"\xff"]), '{"days":["/w=="]}'),
    "other keys": ({1: "a", (1, 2): "b"}, '{"1":"a","1,2":"b"}'),
    "without a text": ([1, Mute()], '[1,"(Mute without a text)"]'),
    "generator": ((number for number in range(3)), "[0,1,2]"),
    "generator beside half a character": ([iter([1]), "\ud83d"], '["(an iterator that was read already)","\ufffd"]'),
}


@pytest.mark.parametrize(("result", "text"), RESULTS.values(), ids=RESULTS)
def test_a_result_becomes_text(result: object, text: str) -> None:
    """A text stays, anything else becomes the nearest JSON."""
    assert result_text(result) == text
    result_text(result).encode()


def test_an_unknown_object_is_its_text() -> None:
    """As a JSON string."""
    assert json.loads(result_text(object())).startswith("<object object")


def test_what_a_generator_raises_is_raised() -> None:
    """The model is told, and not that there were no items."""

    def numbers() -> Iterator[int]:
        yield 1
        raise LookupError("no more")

    with pytest.raises(LookupError):
        result_text(numbers())


def test_a_deep_result_is_cut() -> None:
    """Where nobody reads any further."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert result_text(deep) == "[" * DEEPEST + '"(nested too deep)"' + "]" * DEEPEST


ERRORS: dict[str, tuple[Callable[[], BaseException], str]] = {
    "text": (lambda: LookupError("no such city"), "Error: LookupError: no such city"),
    "no text": (lambda: StopIteration(), "Error: StopIteration"),
    "half a character": (lambda: ValueError("\ud83d"), "Error: ValueError: \ufffd"),
    "exit": (lambda: SystemExit(3), "Error: SystemExit: 3"),
    "cancelled": (lambda: asyncio.CancelledError("stop"), "Error: CancelledError: stop"),
    "no text at all": (lambda: ValueError(Mute()), "Error: ValueError: (ValueError without a text)"),
}


@pytest.mark.parametrize(("error", "text"), ERRORS.values(), ids=ERRORS)
def test_an_exception_becomes_text(error: Callable[[], BaseException], text: str) -> None:
    """Its class and its text, also if it has none."""
    assert error_text(error()) == text


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups are new in Python 3.11")
def test_a_group_is_told_with_its_exceptions() -> None:
    """However it is nested; its own text says nothing."""
    group: Any = vars(builtins)["BaseExceptionGroup"]
    error = group("two", [ValueError("a"), group("one", [SystemExit("b")])])
    assert error_text(error) == "Error: BaseExceptionGroup: two (2 sub-exceptions); ValueError: a; SystemExit: b"
