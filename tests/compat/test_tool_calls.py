"""Tool calls in messages and their results."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.compat.pipeline import shape
from kimi_openai.emulator.validation.body import broken_rule

from .bodies import CALL, CALLING, HI, K3, RESULT, STRICT, check_messages, check_refused


@pytest.mark.parametrize("content", [None, "", []])
def test_an_empty_result_is_a_short_text(content: Any) -> None:
    """The call needs a result, and no source says that Kimi accepts an empty one."""
    sent = [*HI, CALLING, {**RESULT, "content": content}]
    check_messages(K3, sent, [*HI, CALLING, {**RESULT, "content": "(empty)"}], ["empty_result"])


def test_a_result_of_empty_parts_is_a_short_text() -> None:
    """Empty text parts are no content either."""
    sent = [*HI, CALLING, {**RESULT, "content": [{"type": "text", "text": ""}]}]
    check_messages(K3, sent, [*HI, CALLING, {**RESULT, "content": "(empty)"}], ["empty_text", "empty_result"])


def calling(*ids: str, name: str = "a") -> dict[str, Any]:
    """An assistant message with a call for each id."""
    return {**CALLING, "tool_calls": [{**CALL, "id": id, "function": {"name": name, "arguments": "{}"}} for id in ids]}


def answers(*ids: str) -> list[dict[str, Any]]:
    """A tool message for each id, numbered."""
    return [{"role": "tool", "tool_call_id": id, "content": str(number)} for number, id in enumerate(ids)]


REPEATED = {
    "in the next turn": (
        [calling("c"), *answers("c"), calling("c"), *answers("c")],
        [calling("c"), *answers("c"), calling("a_0"), *answers("a_0")],
        ["messages.3.tool_calls.0.id"],
    ),
    "in one turn": (
        [calling("c", "d", "c"), *answers("c", "c", "d")],
        [calling("c", "d", "a_0"), *answers("c", "a_0", "d")],
        ["messages.1.tool_calls.2.id"],
    ),
    "several, and an id like the new ones that occurs once": (
        [calling("a_0"), *answers("a_0"), calling("x", "a_0"), *answers("a_0", "x"), calling("a_1"), *answers("a_1")],
        [calling("a_0"), *answers("a_0"), calling("x", "a_2"), *answers("a_2", "x"), calling("a_1"), *answers("a_1")],
        ["messages.3.tool_calls.1.id"],
    ),
}


@pytest.mark.parametrize(("sent", "expected", "places"), REPEATED.values(), ids=REPEATED)
def test_a_repeated_id_is_changed_with_its_result(sent: list[Any], expected: list[Any], places: list[str]) -> None:
    """The first call keeps it; the note names the place. A second pass changes nothing."""
    check_messages(K3, [*HI, *sent], [*HI, *expected], ["duplicate_id"] * len(places))
    assert [note.where for note in shape({"model": K3, "messages": [*HI, *sent]}).notes] == places
    assert shape({"model": K3, "messages": [*HI, *expected]}).notes == ()


def test_messages_with_unique_ids_are_shared() -> None:
    """Nothing is copied where nothing is changed."""
    sent = [*HI, calling("c", "d"), *answers("d", "c"), calling("e"), *answers("e")]
    assert shape({"model": K3, "messages": sent}).body["messages"] is sent


def without_id(name: str, **fields: Any) -> dict[str, Any]:
    """A call without an id, or with one that is none."""
    return {"type": "function", "function": {"name": name, "arguments": "{}"}, **fields}


@pytest.mark.parametrize("id", [{}, {"id": ""}, {"id": None}, {"id": 7}], ids=["none", "empty", "null", "a number"])
def test_a_call_without_an_id_gets_one(id: dict[str, Any]) -> None:
    """In Kimi's own form, and the results after it follow in order; those that have an id keep it."""
    result = {f"tool_call_{key}": value for key, value in id.items()}
    calls = [without_id("a", **id), {**CALL, "id": "a_0"}, without_id("fs.b", **id)]
    sent = [
        *HI,
        {**CALLING, "tool_calls": calls},
        {"role": "tool", "content": "1", **result},
        {"role": "tool", "content": "2", **result},
        {"role": "tool", "content": "3", "tool_call_id": "a_0"},
    ]
    shaped = shape({"model": K3, "messages": sent})
    _, calling_, *results = shaped.body["messages"]
    assert [call["id"] for call in calling_["tool_calls"]] == ["a_1", "a_0", "fs_b_0"]
    assert [each["tool_call_id"] for each in results] == ["a_1", "fs_b_0", "a_0"]
    assert [note.where for note in shaped.notes if note.kind == "call_id"] == [
        "messages.1.tool_calls.0.id",
        "messages.1.tool_calls.2.id",
    ]
    assert broken_rule(shaped.body, STRICT) is None
    assert shape(shaped.body).body == shaped.body


def with_arguments(arguments: object) -> list[Any]:
    """A history whose call has these arguments."""
    return [*HI, {**CALLING, "tool_calls": [{**CALL, "function": {"name": "a", "arguments": arguments}}]}, RESULT]


@pytest.mark.parametrize(
    ("arguments", "sent", "kinds"),
    [
        ('{"b": "x\ny"}', '{"b": "x\\ny"}', ["arguments"]),
        ('{"b": "x', "{}", ["arguments"]),
        ("[1]", "{}", ["arguments"]),
        ({"b": 1}, '{"b": 1}', ["arguments"]),
        ("", "{}", []),
        (None, "{}", []),
        ('{ "b":"é" }', '{ "b":"é" }', []),
    ],
    ids=["raw newline", "cut off", "a list", "a dict", "empty", "none", "valid"],
)
def test_broken_arguments_are_replaced_by_an_object(arguments: object, sent: str, kinds: list[str]) -> None:
    """The nearest that can be read, else an empty one; an empty text means the same, so that has no note."""
    check_messages(K3, with_arguments(arguments), with_arguments(sent), kinds)


def test_a_long_replacement_is_not_quoted() -> None:
    """In the note."""
    notes = shape({"model": K3, "messages": with_arguments('{"b": "\n' + "x" * 100)}).notes
    assert notes[0].change == "sent as '{}'"
    notes = shape({"model": K3, "messages": with_arguments('{"b": "\n' + "x" * 100 + '"}')}).notes
    assert (notes[0].where, notes[0].change) == ("messages.1.tool_calls.0.function.arguments", "sent as valid JSON")


REFUSED = [
    pytest.param([*HI, RESULT], "messages.1.tool_call_id", "tool_call_id c is not found", id="a result without a call"),
    pytest.param(
        [*HI, CALLING, {**RESULT, "tool_call_id": "d"}, RESULT],
        "messages.2.tool_call_id",
        "tool_call_id d is not found",
        id="a result of another call",
    ),
    pytest.param([*HI, CALLING, *HI], "messages.1.tool_calls", "'c' has none", id="a call without a result"),
    pytest.param([*HI, CALLING], "messages.1.tool_calls", "'c' has none", id="a call at the end"),
    pytest.param(
        [*HI, {"role": "assistant", "content": ""}, RESULT],
        "messages.2.tool_call_id",
        "not found",
        id="a result after a message that is left out",
    ),
    pytest.param(
        [*HI, {**CALLING, "tool_calls": [{**CALL, "type": "custom"}]}, RESULT],
        "messages.1.tool_calls.0",
        "'builtin_function'",
        id="a custom call",
    ),
]


@pytest.mark.parametrize(("messages", "where", "why"), REFUSED)
def test_a_call_that_kimi_refuses_is_refused(messages: list[Any], where: str, why: str) -> None:
    """The note names the place in the caller's list, and the id."""
    check_refused({"messages": messages}, where, why)
