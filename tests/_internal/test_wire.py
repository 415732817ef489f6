"""wire.py: an answer of the documented types, or the place where it has another."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kimi_openai._internal.wire import WireError, checked_chunk, checked_completion, is_piece_of_text
from tests.fuzz.answers import events_in, odd_value

WIRE = Path(__file__).parents[1] / "wire"
COMPLETIONS = [json.loads((WIRE / name).read_bytes()) for name in ("tool_call.json", "length.json")]
CHUNKS = [chunk for name in ("text.sse", "tool_call.sse") for chunk in events_in((WIRE / name).read_bytes())]


def test_recorded_answers_stay_as_they_are() -> None:
    """What has the documented types is not even copied, apart from a usage."""
    for check, values in ((checked_completion, COMPLETIONS), (checked_chunk, CHUNKS)):
        for value in values:
            assert check(value) == value
            assert (
                value.get("usage") or any(choice.get("usage") for choice in value["choices"]) or check(value) is value
            )


def test_an_odd_answer_is_checked_once_and_never_changed_in_place() -> None:
    """Checking what was checked changes nothing more; the value that came stays as it was."""
    for seed in range(300):
        random = Random(seed)
        check, values = random.choice(((checked_completion, COMPLETIONS), (checked_chunk, CHUNKS)))
        value = deepcopy(random.choice(values))
        for _ in range(3):
            value = odd_value(random, value)
        before = repr(value)
        try:
            checked = check(value)
        except WireError:
            checked = {}
        assert repr(value) == before, seed
        if checked:
            assert repr(check(checked)) == repr(checked), seed


def test_the_short_check_agrees_with_the_long_one() -> None:
    """What it accepts, the long one returns as it is; it accepts the texts of the recorded streams."""
    random = Random(1)
    odd = [odd_value(random, deepcopy(random.choice(CHUNKS))) for _ in range(3000)]
    accepted = [value for value in (*CHUNKS, *odd) if is_piece_of_text(value)]
    assert all(checked_chunk(value) is value for value in accepted)
    deltas = [(each, each["choices"][0]["delta"]) for each in CHUNKS if each["choices"]]
    texts = [each for each, delta in deltas if delta.keys() & {"content", "reasoning_content"}]
    assert texts
    assert all(map(is_piece_of_text, texts))


PLACES: list[tuple[Any, str]] = [
    ("x", "the answer is text instead of an object"),
    ({"choices": None}, "choices is null instead of a list"),
    ({"choices": [{"message": {}}, []]}, "choices.1 is a list instead of an object"),
    ({"choices": [{"message": {"content": 1.5}}]}, "choices.0.message.content is a number instead of text"),
    ({"choices": [{"message": {"tool_calls": [{"function": {"name": False}}]}}]}, "name is a boolean instead of text"),
]


@pytest.mark.parametrize(("value", "said"), PLACES)
def test_an_error_says_the_place_and_both_types(value: Any, said: str) -> None:
    """In the words of JSON."""
    with pytest.raises(WireError, match=said):
        checked_completion(value)


def test_an_openai_call_that_is_no_function_is_left_alone() -> None:
    """A custom tool's call has no `function`."""
    call = {"id": "c", "type": "custom", "custom": {"name": "x", "input": "y"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    value = {"choices": [{"index": 0, "message": message}]}
    assert checked_completion(value) is value
