"""Tools: schemas, names and types that Kimi accepts, and tools in system messages."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.compat.pipeline import shape
from kimi_openai.emulator.validation.body import broken_rule

from .bodies import HI, K3, K26, K27, STRICT, check_refused, tool

TITLED = {"type": "object", "properties": {"b": {"type": "string", "title": "B"}}}


def test_a_schema_changes_its_spelling_without_a_note() -> None:
    """A schema as pydantic writes it loses nothing in Kimi's dialect."""
    optional = {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "B", "type": "string"}
    schema = {
        "type": "object",
        "title": "A",
        "properties": {"b": optional, "c": {"$ref": "#/$defs/C"}},
        "$defs": {"C": {"type": "string"}},
    }
    shaped = shape({"model": K3, "messages": HI, "tools": [tool("a", **schema)]})
    assert shaped.notes == ()
    assert broken_rule(shaped.body, STRICT) is None


def test_tools_of_the_platform_stay() -> None:
    """`builtin_function` is sent as it is, and a function with a `$` name becomes one."""
    builtin = {"type": "builtin_function", "function": {"name": "$web_search"}}
    body = {"model": K3, "messages": HI, "tools": [builtin]}
    assert shape(body).body == body
    shaped = shape({**body, "tools": [{"type": "function", "function": {"name": "$web_search"}}]})
    assert shaped.body == body
    assert [note.kind for note in shaped.notes] == ["tool_type"]


def test_a_tool_without_parameters_gets_an_empty_object() -> None:
    """Nulls beside them are left out, without a note."""
    bare = {"type": "function", "function": {"name": "a", "strict": None}}
    shaped = shape({"model": K3, "messages": HI, "tools": [bare]})
    assert shaped.body["tools"] == [tool("a", type="object", properties={})]
    assert shaped.notes == ()


def test_a_tool_is_offered_once() -> None:
    """Kimi refuses names that repeat; the same tool again is left out."""
    body = {"model": K3, "messages": HI, "tools": [tool("a"), tool("b"), tool("a")]}
    shaped = shape(body)
    assert shaped.body["tools"] == [tool("a"), tool("b")]
    assert [(note.kind, note.where, note.fatal) for note in shaped.notes] == [("tool_name", "tools.2", False)]
    assert broken_rule(body, STRICT) is not None
    assert broken_rule(shaped.body, STRICT) is None


REFUSED = [
    pytest.param([{"type": "custom", "custom": {"name": "x"}}], "tools.0", "'custom'", id="a custom tool"),
    pytest.param([tool("")], "tools.0.function.name", "empty", id="no name"),
    pytest.param(
        [tool("a"), tool("a", type="object")], "tools.1", "'function name a is duplicated'", id="two tools of one name"
    ),
    pytest.param([tool("a", type="string")], "tools.0.function.parameters", "object", id="a schema of no object"),
]


@pytest.mark.parametrize(("tools", "where", "why"), REFUSED)
def test_a_tool_that_kimi_does_not_have_is_refused(tools: list[Any], where: str, why: str) -> None:
    """The note names the tool and the reason."""
    check_refused({"tools": tools}, where, why)


def test_schemas_of_tools_in_messages_are_converted() -> None:
    """K3 accepts tools in system messages."""
    shaped = shape({"model": K3, "messages": [{"role": "system", "tools": [tool("a", **TITLED)]}, *HI]})
    assert shaped.body["messages"][0]["tools"][0]["function"]["parameters"]["properties"] == {"b": {"type": "string"}}


@pytest.mark.parametrize("role", ["system", "developer"])
@pytest.mark.parametrize("model", [K26, K27])
def test_tools_in_messages_join_the_others_on_k2(model: str, role: str) -> None:
    """K2 answers 400 to tools in messages; the content of such a message stays."""
    body = {
        "model": model,
        "messages": [
            *HI,
            {"role": role, "content": "", "tools": [tool("b")]},
            *HI,
            {"role": role, "tools": [tool("a")]},
        ],
        "tools": [tool("a")],
    }
    assert broken_rule(body, STRICT) is not None
    shaped = shape(body)
    assert shaped.body == {"model": model, "messages": HI * 2, "tools": [tool("a"), tool("b")]}
    assert broken_rule(shaped.body, STRICT) is None
    assert {note.kind for note in shaped.notes} >= {"dynamic_tools", "tool_name"}
    with_content = {"role": role, "content": "x", "tools": [tool("a")]}
    shaped = shape({"model": model, "messages": [with_content]})
    assert shaped.body["messages"] == [{"role": "system", "content": "x"}]
    assert shaped.body["tools"] == [tool("a")]


def test_a_tool_of_a_message_is_offered_once() -> None:
    """A name belongs to one tool in the whole request; a message whose tools are all offered before is left out."""
    added = {"role": "system", "tools": [tool("b")]}
    body = {
        "model": K3,
        "messages": [*HI, {"role": "system", "tools": [tool("a")]}, added, added],
        "tools": [tool("a")],
    }
    assert broken_rule(body, STRICT) is not None
    shaped = shape(body)
    assert shaped.body["messages"] == [*HI, added]
    assert [note.where for note in shaped.notes] == ["messages.1.tools.0", "messages.3.tools.0"]
    assert broken_rule(shaped.body, STRICT) is None


def test_two_tools_of_one_name_in_different_places_are_refused() -> None:
    """The note names the later one."""
    messages = [*HI, {"role": "system", "tools": [tool("a", type="object")]}]
    check_refused({"messages": messages, "tools": [tool("a")]}, "messages.1.tools.0", "'function name a is duplicated'")


@pytest.mark.parametrize(("offered", "expected"), [([], []), ([tool("a")], [{"role": "system", "tools": [tool("a")]}])])
def test_tools_and_content_of_a_message_are_sent_apart(offered: list[Any], expected: list[Any]) -> None:
    """Kimi answers 400 to content beside tools; the places in notes are still those of the caller's list."""
    sent = [{"role": "system", "content": "x", "tools": offered}, {"role": "developer", "content": "y"}, *HI]
    shaped = shape({"model": K3, "messages": sent})
    system = [{"role": "system", "content": text} for text in "xy"]
    assert shaped.body["messages"] == [*expected, *system, *HI]
    assert [note.where for note in shaped.notes] == [*["messages.0.tools"] * len(expected), "messages.1.role"]
    assert broken_rule(shaped.body, STRICT) is None
