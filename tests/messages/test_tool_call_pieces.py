"""Pieces of tool calls: which calls they add up to, with every way to number and name them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.messages.tool_call_pieces import ToolCallMerger

LEFT_OUT = object()


def piece(index: Any = LEFT_OUT, id: Any = None, name: Any = None, arguments: Any = None) -> dict[str, Any]:
    """A piece; without `index` it has none."""
    numbered = {} if index is LEFT_OUT else {"index": index}
    return {**numbered, "id": id, "function": {"name": name, "arguments": arguments}}


GET, PUT = ("a", "get", "{}"), ("b", "put", "[]")

CHUNKS = [
    pytest.param([[piece(0, "a", "get", "")], [piece(0, arguments="{}")]], [GET], id="as Kimi sends them"),
    pytest.param([[piece(0, "a", "g")], [piece(0, name="e")], [piece(0, name="t", arguments="{}")]], [GET], id="names"),
    pytest.param([[piece(0, "a", "get", "{")], [piece(0, "a", "get", "}")]], [GET], id="a name in each piece"),
    pytest.param([[piece(0, "a", "g")], [piece(0, "a", "get", "{}")]], [GET], id="a name that grows"),
    pytest.param([[piece(id="a", name="get", arguments="{")], [piece(id="a", arguments="}")]], [GET], id="ids only"),
    pytest.param([[piece(None, "a", "get", "{")], [piece(None, arguments="}")]], [GET], id="null, then no id"),
    pytest.param([[piece(0, "a", "get", "{")], [piece(None, arguments="}")]], [GET], id="0, then null"),
    pytest.param([[piece(None, "a", "get", "{")], [piece(0, arguments="}")]], [GET], id="null, then 0"),
    pytest.param([[piece(0, name="get")], [piece(0, "a", arguments="{}")]], [GET], id="an id that comes later"),
    pytest.param([[piece(name="get")], [piece(id="a", arguments="{}")]], [GET], id="the same without a number"),
    pytest.param([[piece("0", "a", "get", "{")], [piece("0", arguments="}")]], [GET], id="a number as text"),
    pytest.param(
        [[piece(id="a", name="get", arguments="{}"), piece(id="b", name="put", arguments="[]")]],
        [GET, PUT],
        id="two in a chunk",
    ),
    pytest.param(
        [[piece(id="a", name="get", arguments="{}")], [piece(id="b", name="put", arguments="[]")]],
        [GET, PUT],
        id="two chunks, no numbers",
    ),
    pytest.param([[piece(0, "a", "get", "{}")], [piece(0, "b", "put", "[]")]], [GET, PUT], id="one number, two ids"),
    pytest.param(
        [
            [piece(0, "a", "get")],
            [piece(0, "b", "put")],
            [piece(0, "a", arguments="{}")],
            [piece(0, "b", arguments="[]")],
        ],
        [GET, PUT],
        id="one number, ids in turns",
    ),
    pytest.param(
        [[piece(0, "a", "get", "{}")], [piece(0, "b")], [piece(0, name="put", arguments="[]")]],
        [GET, PUT],
        id="an id before its name",
    ),
    pytest.param([[piece(1, "a", "get", "{}")], [piece(2, "b", "put", "[]")]], [GET, PUT], id="numbers from 1"),
    pytest.param(
        [[piece(7, "a", "get", "{"), piece(3, "b", "put", "[]")], [piece(7, arguments="}")]],
        [GET, PUT],
        id="any numbers",
    ),
    pytest.param(
        [[piece(0, "x", "get", "{}")], [piece(1, "x", "put", "[]")]],
        [("x", "get", "{}"), ("x", "put", "[]")],
        id="two numbers, one id",
    ),
    pytest.param(
        [[piece(id="x", name="get", arguments="{}"), piece(id="x", name="get", arguments="{}")]],
        [("x", "get", "{}")] * 2,
        id="one id, in one chunk",
    ),
    pytest.param(
        [[piece(name="get", arguments="{}")], [piece(name="put", arguments="[]")]],
        [("", "get", "{}"), ("", "put", "[]")],
        id="names only",
    ),
    pytest.param(
        [[piece(name="get", arguments="{}")], [piece(name="get", arguments='{"a": 1}')]],
        [("", "get", "{}"), ("", "get", '{"a": 1}')],
        id="one name, whole arguments",
    ),
    pytest.param(
        [[piece(name="get"), piece(name="put")], [piece(arguments="{}"), piece(arguments="[]")]],
        [("", "get", "{}"), ("", "put", "[]")],
        id="places in the chunk",
    ),
    pytest.param([[piece(0, "a", "get", {"a": 1})]], [("a", "get", '{"a": 1}')], id="arguments as an object"),
]


@pytest.mark.parametrize(("chunks", "calls"), CHUNKS)
def test_pieces_belong_to_their_calls(chunks: list[list[Any]], calls: list[tuple[str, str, str]]) -> None:
    """Calls are counted from 0 in the order in which they began, whatever their numbers are."""
    merger = ToolCallMerger()
    for pieces in chunks:
        merger.add(pieces)
    found = [call.as_json() for call in merger.calls]
    assert [(each["id"], *each["function"].values()) for each in found] == calls
    assert [each["index"] for each in found] == list(range(len(calls)))


def test_what_a_piece_adds() -> None:
    """Its call, whether it begins it, and the id and the part of the name that are new."""
    merger = ToolCallMerger()
    (first,) = merger.add([piece(5, "a", "get", "")])
    (again,) = merger.add([piece(5, "a", "get_time", "{")])
    assert (first.begins, first.id, first.name, first.arguments) == (True, "a", "get", "")
    assert (again.begins, again.id, again.name, again.arguments) == (False, "", "_time", "{")
    assert (again.call is first.call, again.call.position, again.call.name) == (True, 0, "get_time")


NAMES = st.sampled_from(["get_weather", "get", "fs_read", "add"])
CALLS = st.lists(st.tuples(NAMES, st.dictionaries(st.text(max_size=2), st.integers(), max_size=2)), max_size=4)
STYLES = st.fixed_dictionaries(
    {
        "number": st.sampled_from(["index", "null", "left out", "from 1", "always 0"]),
        "repeats": st.booleans(),
        "size": st.integers(1, 5),
        "name size": st.integers(1, 12),
    }
)


def streamed(calls: list[tuple[str, str, str]], style: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The pieces of the calls, one after the other, in one style of gateways."""
    for position, (id, name, arguments) in enumerate(calls):
        index = {"index": position, "null": None, "left out": LEFT_OUT, "from 1": position + 1, "always 0": 0}
        number = index[style["number"]]
        size = len(name) if style["repeats"] else style["name size"]
        yield piece(number, id, name[:size], "")
        for at in range(size, len(name), size):
            yield piece(number, id if style["repeats"] else None, name[at : at + size])
        for at in range(0, len(arguments), style["size"]):
            again = {"id": id, "name": name} if style["repeats"] else {}
            yield piece(number, arguments=arguments[at : at + style["size"]], **again)


@given(CALLS, STYLES)
def test_every_style_gives_the_same_calls(given_calls: list[tuple[str, dict[str, int]]], style: dict[str, Any]) -> None:
    """Numbered or not, with id and name in the first piece or in all, with names whole or in fragments."""
    calls = [(f"id_{at}", name, json.dumps(arguments)) for at, (name, arguments) in enumerate(given_calls)]
    merger = ToolCallMerger()
    for each in streamed(calls, style):
        merger.add([each])
    assert [(call.id, call.name, call.arguments.getvalue()) for call in merger.calls] == calls


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=2) | st.floats(),
    lambda some: st.lists(some, max_size=2) | st.dictionaries(st.text(max_size=2), some, max_size=2),
    max_leaves=3,
)
ANY_PIECE = st.fixed_dictionaries(
    {},
    optional={
        "index": ANYTHING,
        "id": ANYTHING,
        "type": ANYTHING,
        "function": ANYTHING | st.fixed_dictionaries({"name": ANYTHING, "arguments": ANYTHING}),
    },
)


@given(st.lists(st.lists(ANY_PIECE, max_size=3), max_size=4))
def test_any_pieces_become_calls(chunks: list[list[dict[str, Any]]]) -> None:
    """Values of other types are left out; every call can be sent as JSON."""
    merger = ToolCallMerger()
    for pieces in chunks:
        assert len(merger.add(pieces)) == len(pieces)
    for position, call in enumerate(merger.calls):
        assert call.as_json()["index"] == position
        json.dumps(call.as_json(), ensure_ascii=False).encode()
