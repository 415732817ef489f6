"""Names that Kimi refuses, of tools and of properties: what is sent instead, and what the caller sees in answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pydantic
import pytest

from kimi_openai import CompatError, complete, run_tools, stream
from kimi_openai.compat.answers import AnswerNames, NameRestorer
from kimi_openai.compat.names import bad_tool_name, kimi_tool_name
from kimi_openai.compat.pipeline import shape
from kimi_openai.emulator import Emulator, call, finish, say
from kimi_openai.emulator.validation.body import broken_rule
from kimi_openai.errors.exceptions import Note
from kimi_openai.mfjs.names import Names
from tests.conftest import Mode
from tests.servers import MakeAnswering

from .bodies import HI, K3, K26, STRICT, check_refused, named, tool

pytestmark = pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")

SCHEMA = {
    "type": "object",
    "properties": {"required": {"type": "boolean"}, "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}}},
    "required": ["required"],
    "$defs": {
        "Part": {
            "type": "object",
            "properties": {
                "text/plain": {"type": "string"},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
            },
        }
    },
}
READ = tool("fs.read", **SCHEMA)
OURS = {"required": True, "parts": [{"text/plain": "required_ text_plain", "parts": [{"text/plain": "é"}]}]}
KIMIS = {"required_": True, "parts": [{"text_plain": "required_ text_plain", "parts": [{"text_plain": "é"}]}]}
ASK: dict[str, Any] = {"model": K3, "messages": HI}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("get_weather", None),
        ("_x-1", None),
        ("a" * 64, None),
        ("", "empty"),
        ("9lives", "starts with"),
        ("-x", "starts with"),
        ("$web_search", "starts with"),
        ("fs.read", "'.' is not allowed"),
        ("a:b", "':' is not"),
        ("näme", "'ä' is not"),
        ("x\n", "is not allowed"),
        ("a" * 65, "at most 64"),
    ],
)
def test_tool_names(name: str, why: str | None) -> None:
    """A name is refused for its first character, for a character or for its length; the reason says which."""
    reason = bad_tool_name(name)
    assert reason is None if why is None else reason is not None and why in reason


def test_names_that_kimi_gets_are_accepted_and_free() -> None:
    """Long names keep their beginning and differ in their end."""
    names = ["fs.read", "fs/read", "2nd", "mcp__" + "a" * 70, "mcp__" + "a" * 71, "天气"]
    taken = ["fs_read"]
    for name in names:
        taken.append(kimi_tool_name(name, taken))
        assert bad_tool_name(taken[-1]) is None
    assert taken[:4] == ["fs_read", "fs_read_2", "fs_read_3", "_2nd"]
    assert len({*taken}) == len(taken)


@pytest.mark.k2  # no other model takes a named choice
def test_a_refused_tool_name_is_replaced_everywhere() -> None:
    """In tools, in the choice, in earlier calls and results, and in system messages; each tool has a note."""
    calls = [{"id": "c", "type": "function", "function": {"name": "fs.read", "arguments": "{}"}}]
    messages = [
        {"role": "system", "content": "x", "tools": [tool("2nd")]},
        *HI,
        {"role": "assistant", "reasoning_content": "r", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c", "name": "fs.read", "content": "42"},
    ]
    body = {
        "model": K26,
        "messages": messages,
        "tools": [tool("fs.read"), tool("fs_read")],
        "tool_choice": named("fs.read"),
    }
    shaped = shape({**body, "thinking": {"type": "disabled"}})
    added, _, _, answer, result = shape({**body, "model": K3, "tool_choice": "auto"}).body["messages"]
    assert [each["function"]["name"] for each in shaped.body["tools"]] == ["fs_read_2", "fs_read", "_2nd"]
    assert shaped.body["tool_choice"] == named("fs_read_2")
    assert added["tools"][0]["function"]["name"] == "_2nd"
    assert answer["tool_calls"][0]["function"] == {"name": "fs_read_2", "arguments": "{}"}
    assert result["name"] == "fs_read_2"
    assert [note.where for note in shaped.notes if note.kind == "tool_name"] == [
        "tools.0.function.name",
        "tools.2.function.name",
    ]
    assert shaped.names is not None
    assert shaped.names.tools == {"fs_read_2": "fs.read", "_2nd": "2nd"}
    assert messages[2]["tool_calls"] is calls
    assert calls[0]["function"] == {"name": "fs.read", "arguments": "{}"}


def test_a_call_of_a_tool_that_is_not_offered_any_more_is_renamed() -> None:
    """Without a note, because nothing of the request itself changes."""
    calls = [{"id": "c", "type": "function", "function": {"name": "a.b", "arguments": "{}"}}]
    answer, result = {"role": "assistant", "tool_calls": calls}, {"role": "tool", "tool_call_id": "c", "content": "1"}
    shaped = shape({"model": K3, "messages": [*HI, answer, result]})
    assert shaped.body["messages"][1]["tool_calls"][0]["function"]["name"] == "a_b"
    assert shaped.notes == ()


def test_refused_property_names_are_replaced() -> None:
    """In the schema and in the arguments of earlier calls; Kimi accepts the result, and a note lists them."""
    calls = [{"id": "c", "type": "function", "function": {"name": "fs.read", "arguments": json.dumps(OURS)}}]
    answer = {"role": "assistant", "reasoning_content": "r", "tool_calls": calls}
    body = {
        "model": K3,
        "messages": [*HI, answer, {"role": "tool", "tool_call_id": "c", "content": "1"}],
        "tools": [READ],
    }
    shaped = shape(body)
    assert json.loads(shaped.body["messages"][1]["tool_calls"][0]["function"]["arguments"]) == KIMIS
    assert [(note.kind, note.where) for note in shaped.notes] == [
        ("tool_name", "tools.0.function.name"),
        ("property_name", "tools.0.function"),
    ]
    assert "('required' as 'required_', 'text/plain' as 'text_plain')" in shaped.notes[1].change
    assert broken_rule(shaped.body, STRICT) is None
    assert shape(shaped.body).body == shaped.body


def test_names_in_a_begun_json_answer_cannot_be_replaced() -> None:
    """A partial message is the beginning of a text, which may end anywhere."""
    answer_format = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}
    begun = {"role": "assistant", "content": "{", "partial": True}
    check_refused({"messages": [*HI, begun], "response_format": answer_format}, "response_format", "'required'")


def test_strict_and_off(mode: Mode, kimi: Emulator) -> None:
    """`compat="strict"` refuses the names with the places, `compat="off"` sends them, and Kimi refuses them."""
    with pytest.raises(CompatError, match=r"tools\.0\.function\.name: (.|\n)*tools\.0\.function: "):
        mode.run(mode.client(kimi, compat="strict").chat.completions.create(**ASK, tools=[READ]))
    with pytest.raises(openai.BadRequestError, match=r"function name fs\.read is invalid"):
        mode.run(mode.client(kimi, compat="off").chat.completions.create(**ASK, tools=[READ]))
    assert kimi.chats[0]["tools"] == [READ]


# Answers -------------------------------------------------------------------------------------------------------------


def _first_call(completion: Any) -> tuple[str, str]:
    function = completion.choices[0].message.tool_calls[0].function
    return function.name, function.arguments


def by_create(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    return _first_call(mode.run(client.chat.completions.create(**request)))


def by_raw_response(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    return _first_call(mode.run(client.chat.completions.with_raw_response.create(**request)).parse())


def by_post(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    answer = mode.run(client.post("/chat/completions", body=request, cast_to=object))
    function = answer["choices"][0]["message"]["tool_calls"][0]["function"]
    return function["name"], function["arguments"]


def by_typed_stream(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    chunks = mode.each(mode.run(client.chat.completions.create(**request, stream=True)))
    functions = [each.function for chunk in chunks for each in chunk.choices[0].delta.tool_calls or ()]
    return functions[0].name, "".join(function.arguments or "" for function in functions)


def by_old_functions(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    functions = [each["function"] for each in request["tools"]]
    completion = mode.run(client.chat.completions.create(**ASK, functions=functions))
    called = completion.choices[0].message.function_call
    return called.name, called.arguments


def by_stream_helper(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    request = {
        **ASK,
        "tools": [{**each, "function": {**each["function"], "strict": True}} for each in request["tools"]],
    }

    async def completed() -> Any:
        async with client.chat.completions.stream(**request) as events:
            return await events.get_final_completion()

    if mode.is_async:
        return _first_call(mode.run(completed()))
    with client.chat.completions.stream(**request) as events:
        return _first_call(events.get_final_completion())


def by_our_stream(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    found = stream(client, **request)
    mode.each(found)
    return _first_call(mode.run(found.get_final_completion()))


def by_complete(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    return _first_call(mode.run(complete(client, **request)))


ENTRANCES: list[Callable[[Mode, Any, dict[str, Any]], tuple[str, str]]] = [
    by_create,
    by_raw_response,
    by_post,
    by_typed_stream,
    by_old_functions,
    by_stream_helper,
    by_our_stream,
    by_complete,
]


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_answers_have_the_callers_names(
    mode: Mode, kimi: Emulator, entrance: Callable[[Mode, Any, dict[str, Any]], tuple[str, str]]
) -> None:
    """Of the tool and of the properties, however the answer is read; values that look like names stay."""
    kimi.script(call("fs_read", KIMIS))
    name, arguments = entrance(mode, mode.client(kimi), {**ASK, "tools": [READ]})
    assert (name, json.loads(arguments)) == ("fs.read", OURS)
    assert [each["function"]["name"] for each in kimi.chats[-1]["tools"]] == ["fs_read"]


class Rule(pydantic.BaseModel):
    """A model whose field has the name of a keyword."""

    is_required: bool = pydantic.Field(alias="required")
    rules: list[Rule] = []


def test_parsed_answers_have_the_callers_names(mode: Mode, kimi: Emulator) -> None:
    """`parse` finds the fields of the answer and of a tool's arguments under their own names."""
    client = mode.client(kimi)
    kimi.script(say('{"required_": true, "rules": [{"required_": false, "rules": []}]}'))
    message = mode.run(client.chat.completions.parse(**ASK, response_format=Rule)).choices[0].message
    assert message.parsed.is_required
    assert not message.parsed.rules[0].is_required
    kimi.script(call("my_rule", '{"required_": true, "rules": []}'))
    tools = [openai.pydantic_function_tool(Rule, name="my.rule")]
    asked = mode.run(client.chat.completions.parse(**ASK, tools=tools)).choices[0].message.tool_calls[0].function
    assert (asked.name, asked.parsed_arguments.is_required) == ("my.rule", True)


def test_a_streamed_json_answer_has_the_callers_names(mode: Mode, kimi: Emulator) -> None:
    """The text comes in pieces of any size."""
    answer_format = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}
    kimi.script(say(json.dumps(KIMIS)))
    chunks = mode.each(
        mode.run(mode.client(kimi).chat.completions.create(**ASK, response_format=answer_format, stream=True))
    )
    assert json.loads("".join(chunk.choices[0].delta.content or "" for chunk in chunks)) == OURS


def test_run_tools_calls_the_callers_tools(mode: Mode, kimi: Emulator) -> None:
    """A definition with a refused name, and a function with a parameter of a refused name."""

    def check(required: bool) -> str:
        return f"required: {required}"

    def read(path: str) -> str:
        return f"content of {path}"

    definition = tool("fs.read", type="object", properties={"path": {"type": "string"}}, required=["path"])
    kimi.script(call("fs_read", {"path": "/a"}), call("check", {"required_": True}))
    kimi.script(say("Done."))
    notes: list[Note] = []
    client = mode.client(kimi, on_note=notes.append)
    run = mode.run(run_tools(client, **ASK, tools=[(definition, read), check]))
    _, answer, first, second, _ = run.messages
    assert [each["function"]["name"] for each in answer["tool_calls"]] == ["fs.read", "check"]
    assert (first["content"], second["content"]) == ("content of /a", "required: True")
    replayed = kimi.chats[1]["messages"][1]["tool_calls"]
    assert [each["function"] for each in replayed] == [
        {"name": "fs_read", "arguments": '{"path":"/a"}'},
        {"name": "check", "arguments": '{"required_":true}'},
    ]
    assert {note.kind for note in notes} == {"tool_name", "property_name"}


def test_a_name_that_a_cut_leaves_unfinished_comes_at_the_end(mode: Mode, kimi: Emulator) -> None:
    """What was held back is in the last piece, as Kimi wrote it."""
    kimi.script(call("fs_read", '{"requi'), finish("length"))
    assert by_typed_stream(mode, mode.client(kimi), {**ASK, "tools": [READ]}) == ("fs.read", '{"requi')


def test_answers_of_no_known_form_stay(mode: Mode, answering: MakeAnswering) -> None:
    """Choices, calls and functions that are something else."""
    answer = {"id": "x", "model": K3, "choices": [1, {"message": {"tool_calls": [2, {"function": 3}], "content": 4}}]}
    client = mode.client(base_url=answering(200, answer).base_url, api_key="sk-1")
    assert mode.run(client.post("/chat/completions", body={**ASK, "tools": [READ]}, cast_to=object)) == answer


FRAGMENTS: dict[str, tuple[list[str | None], list[str | None]]] = {
    "a name in two pieces": (["fs_", "read"], [None, "fs.read"]),
    "a name that another one begins with": (["fs_read", "_all"], ["fs.read", "_all"]),
    "a name again in every piece": (["fs_read", "fs_read"], ["fs.read", None]),
    "a name that was not mapped": (["fs_", "write"], [None, "fs_write"]),
    "a name that nothing follows": (["fs", None], [None, "fs"]),
}


@pytest.mark.parametrize(("sent", "expected"), FRAGMENTS.values(), ids=FRAGMENTS)
def test_names_in_fragments(sent: list[str | None], expected: list[str | None]) -> None:
    """K3 has sent them so; a name that may become a mapped one waits for the rest, or for the arguments."""
    restorer = NameRestorer(AnswerNames({"fs_read": "fs.read", "fs_read_all": "fs.read_all"}))
    functions = [{"name": name, "arguments": "{}" if number else ""} for number, name in enumerate(sent)]
    for function in functions:
        restorer.restore({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": function}]}}]})
    assert [function["name"] for function in functions] == expected


def test_a_name_that_a_cut_leaves_unfinished_is_given_at_the_end() -> None:
    """As Kimi wrote it."""
    restorer = NameRestorer(AnswerNames({"fs_read": "fs.read"}))
    choice: dict[str, Any] = {"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "fs_"}}]}}
    restorer.restore({"choices": [choice]})
    last: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "length"}
    restorer.restore({"choices": [last]})
    assert last["delta"] == {"tool_calls": [{"index": 0, "function": {"name": "fs_", "arguments": ""}}]}


def test_choices_and_calls_are_mapped_apart() -> None:
    """Pieces of two choices and of two calls may alternate; a call without an index goes by its position."""
    names = Names({"type": "object", "properties": {"_ref": {"type": "string"}}}, {"_ref": "$ref"})
    restorer = NameRestorer(AnswerNames({"a_b": "a.b"}, {"a_b": names}, names))
    found: list[Any] = []
    for index, text in [(0, '{"_r'), (1, '{"_ref": '), (0, 'ef": 1}'), (1, "2}")]:
        calls = [{"function": {"name": "a_b" if text[0] == "{" else None, "arguments": text}}]
        chunk = {"choices": [{"index": index, "delta": {"tool_calls": calls, "content": text}}]}
        restorer.restore(chunk)
        found.append(
            (calls[0]["function"]["name"], calls[0]["function"]["arguments"], chunk["choices"][0]["delta"]["content"])
        )
    assert found == [
        ("a.b", "{", "{"),
        ("a.b", '{"$ref": ', '{"$ref": '),
        (None, '"$ref": 1}', '"$ref": 1}'),
        (None, "2}", "2}"),
    ]
