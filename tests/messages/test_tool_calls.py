"""Tool calls in the history: which arguments are repaired, and which ids calls get."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.messages.tool_calls import CallIds, arguments_object, arguments_text, call_ids, is_object_text

READ = {
    "empty": ("", {}),
    "white space": (" \n", {}),
    "null": ("null", {}),
    "raw newline and tab": ('{"a": "x\n\ty"}', {"a": "x\n\ty"}),
    "not a number": ('{"a": [NaN, -Infinity]}', {"a": ["NaN", "-Infinity"]}),
    "byte order mark": ('\ufeff{"a": 1}', {"a": 1}),
    "an object in a text": (json.dumps('{"a": "x\ny"}'), {"a": "x\ny"}),
    "half a character": ('{"a": "\\ud83d"}', {"a": "\ufffd"}),
}


@pytest.mark.parametrize(("text", "read"), READ.values(), ids=READ)
def test_arguments_that_are_almost_json_are_read(text: str, read: object) -> None:
    """And sent back as the text of the object that was read."""
    assert arguments_object(text) == read
    assert json.loads(arguments_text(text)) in (read, json.loads(text) if is_object_text(text) else read)


UNREADABLE = {
    "cut off": ('{"a": "x', "the arguments are not valid JSON: Unterminated string"),
    "missing quote": ('{a": 1}', "the arguments are not valid JSON: Expecting property name"),
    "two objects": ('{"a": 1}{"b": 2}', "the arguments are not valid JSON: Extra data"),
    "a list": ("[1]", "the arguments are not a JSON object"),
    "a word": ('"ls"', "the arguments are not a JSON object"),
    "no end of nesting": ("[" * 100_000, "the arguments are "),
}


@pytest.mark.parametrize(("text", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_arguments_become_an_empty_object(text: str, problem: str) -> None:
    """The error says what is wrong with them."""
    with pytest.raises(ValueError, match=f"^{problem}"):
        arguments_object(text)
    assert arguments_text(text) == "{}"


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists)), st.booleans())
def test_valid_arguments_stay_as_they_are(arguments: dict[str, object], ascii_only: bool) -> None:
    """To the letter, since Kimi's cache compares letters."""
    text = json.dumps(arguments, ensure_ascii=ascii_only)
    assert arguments_text(text) is text
    assert arguments_object(text) == arguments


@given(st.text() | st.text('{}[]":,\\ntrue1 '))
def test_any_text_becomes_an_object(text: str) -> None:
    """Whatever the model wrote, what is sent back is a JSON object that UTF-8 can write."""
    assert is_object_text(arguments_text(text))


@pytest.mark.parametrize(
    ("given", "sent"), [(None, "{}"), ({"a": float("inf")}, '{"a": "Infinity"}'), ({"a": object()}, "{}"), ([1], "{}")]
)
def test_arguments_of_another_type_become_text(given: object, sent: str) -> None:
    """A dict is sent as its JSON, if it has one."""
    assert arguments_text(given) == sent


def test_a_repeated_id_becomes_the_next_free_one() -> None:
    """An id that is reserved for a later call is not given to another one."""
    ids = CallIds()
    ids.reserve(["a_0", "a_2"])
    assert [ids.claim(id, "a") for id in ("a_0", "a_0", "a_2", "", "x", "x")] == [
        "a_0",
        "a_1",
        "a_2",
        "a_3",
        "x",
        "a_4",
    ]


def test_ids_are_found_in_any_messages() -> None:
    """What is not a call with an id is passed over."""
    calls = [{"id": "a_0"}, {"id": None}, {}, "call"]
    assert [*call_ids([{"tool_calls": calls}, {"tool_calls": "none"}, {"role": "user"}, "message"])] == ["a_0"]
