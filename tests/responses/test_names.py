"""names.py and texts.py: names that Kimi refuses, in a Responses request, in its answer and in what is remembered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pydantic
import pytest

from kimi_openai import CompatError, StreamCutError
from kimi_openai.compat.answers import AnswerNames
from kimi_openai.emulator import Emulator, call, finish, say
from kimi_openai.errors.exceptions import Note
from kimi_openai.responses.rules import shape_response
from kimi_openai.responses.texts import AnswerTexts, Place
from tests.canned import Canned
from tests.compat.test_names import KIMIS, OURS, SCHEMA
from tests.conftest import Mode

from .shapes import events_of, message, response, sse

pytestmark = pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")

ASK: Any = {"model": "kimi-k3", "input": "Hi"}
READ: dict[str, Any] = {"type": "function", "name": "fs.read", "parameters": SCHEMA}

Read = Callable[[Mode, Any, dict[str, Any]], tuple[str, str]]
"""Asks for a call, and returns its name and its arguments."""


def first_call(output: Any) -> tuple[str, str]:
    (found,) = [item for item in output if item.type == "function_call"]
    return found.name, found.arguments


def by_create(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    return first_call(mode.run(client.responses.create(**request)).output)


def by_raw_response(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    return first_call(mode.run(client.responses.with_raw_response.create(**request)).parse().output)


def by_post(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    answer = mode.run(client.post("/responses", body=request, cast_to=object))
    (found,) = [item for item in answer["output"] if item["type"] == "function_call"]
    return found["name"], found["arguments"]


def events(mode: Mode, client: Any, request: dict[str, Any]) -> list[Any]:
    return mode.each(mode.run(client.responses.create(**request, stream=True)))


def by_pieces(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    found = events(mode, client, request)
    (added,) = [each.item for each in found if each.type == "response.output_item.added"]
    return added.name, "".join(each.delta for each in found if each.type == "response.function_call_arguments.delta")


def by_the_end_of_pieces(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    (done,) = [each for each in events(mode, client, request) if each.type == "response.function_call_arguments.done"]
    return getattr(done, "name", None) or request["tools"][0]["name"], done.arguments


def by_the_whole_item(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    found = events(mode, client, request)
    return first_call([each.item for each in found if each.type == "response.output_item.done"])


def by_the_last_event(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    return first_call(events(mode, client, request)[-1].response.output)


def by_stream_helper(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    manager = client.responses.stream(**request)

    async def final() -> Any:
        async with manager as stream:
            return await stream.get_final_response()

    if mode.is_async:
        return first_call(mode.run(final()).output)
    with manager as stream:
        return first_call(stream.get_final_response().output)


def by_retrieve(mode: Mode, client: Any, request: dict[str, Any]) -> tuple[str, str]:
    id = mode.run(client.responses.create(**request)).id
    return first_call(mode.run(client.responses.retrieve(id)).output)


ENTRANCES: list[Read] = [
    by_create,
    by_raw_response,
    by_post,
    by_pieces,
    by_the_end_of_pieces,
    by_the_whole_item,
    by_the_last_event,
    by_stream_helper,
    by_retrieve,
]


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_answers_have_the_callers_names(mode: Mode, kimi: Emulator, entrance: Read) -> None:
    """Of the tool and of the properties, however the answer is read; Kimi gets names that it accepts."""
    notes: list[Note] = []
    kimi.script(call("fs_read", KIMIS))
    name, arguments = entrance(mode, mode.client(kimi, on_note=notes.append), {**ASK, "tools": [READ]})
    assert (name, json.loads(arguments)) == ("fs.read", OURS)
    sent = kimi.responses[-1]["tools"][0]
    assert (sent["name"], [*sent["parameters"]["properties"]]) == ("fs_read", ["required_", "parts"])
    assert [(note.kind, note.where) for note in notes] == [("tool_name", "tools.0.name"), ("property_name", "tools.0")]


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_remembered_call_has_kimis_names_again(mode: Mode, kimi: Emulator, is_streamed: bool) -> None:
    """The memory has the caller's names, the next request has Kimi's, without notes about what is remembered."""
    notes: list[Note] = []
    client = mode.client(kimi, on_note=notes.append)
    declared = {"type": "additional_tools", "role": "developer", "tools": [READ]}
    kimi.script(call("fs_read", KIMIS))
    asked: Any = {"model": "kimi-k3", "input": [{"role": "user", "content": "Hi"}, declared]}
    first = events(mode, client, asked)[-1].response if is_streamed else mode.run(client.responses.create(**asked))
    assert [note.where for note in notes] == ["input.1.tools.0.name", "input.1.tools.0"]
    listed = mode.run(client.responses.input_items.list(first.id)).data
    assert [tool["name"] for item in listed for tool in item.to_dict().get("tools", ())] == ["fs.read"]
    notes.clear()
    (asked_for,) = [item for item in first.output if item.type == "function_call"]
    output = {"type": "function_call_output", "call_id": asked_for.call_id, "output": "1"}
    kimi.script(call("fs_read", KIMIS))
    again = mode.run(client.responses.create(model="kimi-k3", input=[output], previous_response_id=first.id))
    assert json.loads(first_call(again.output)[1]) == OURS
    sent = kimi.responses[-1]["input"]
    assert [item["tools"][0]["name"] for item in sent if item.get("type") == "additional_tools"] == ["fs_read"]
    (replayed,) = [item for item in sent if item.get("type") == "function_call"]
    assert (replayed["name"], json.loads(replayed["arguments"])) == ("fs_read", KIMIS)
    assert notes == []


class Rule(pydantic.BaseModel):
    """A model whose field has the name of a keyword."""

    is_required: bool = pydantic.Field(alias="required")


def test_parsed_answers_have_the_callers_names(mode: Mode, kimi: Emulator) -> None:
    """`parse` finds the fields under their own names, of the answer and of the arguments of a tool."""
    client = mode.client(kimi)
    kimi.script(say('{"required_": true}'))
    assert mode.run(client.responses.parse(**ASK, text_format=Rule)).output_parsed == Rule(required=True)
    kimi.script(call("my_rule", {"required_": True}))
    function = openai.pydantic_function_tool(Rule, name="my.rule")["function"]
    tool: Any = {"type": "function", **function}
    (found,) = mode.run(client.responses.parse(**ASK, tools=[tool])).output
    assert (found.name, json.loads(found.arguments)) == ("my.rule", {"required": True})


def test_a_streamed_json_answer_has_the_callers_names(mode: Mode, kimi: Emulator) -> None:
    """In its pieces, in the event that ends the text, and in the parts."""
    form: Any = {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}}
    kimi.script(say(json.dumps(KIMIS)))
    found = events(mode, mode.client(kimi), {**ASK, "text": form})
    pieces = [each.delta for each in found if each.type == "response.output_text.delta"]
    texts = [each.text for each in found if each.type == "response.output_text.done"]
    parts = [each.part.text for each in found if each.type == "response.content_part.done"]
    assert [json.loads(each) for each in ("".join(pieces), *texts, *parts)] == [OURS] * 3


def test_a_name_that_a_cut_leaves_unfinished(mode: Mode, kimi: Emulator) -> None:
    """It comes in another piece before the event that ends the arguments, and the numbers of the events go on."""
    kimi.script(call("fs_read", '{"requi'), finish("length"))
    found = events(mode, mode.client(kimi), {**ASK, "tools": [READ]})
    pieces = [each.delta for each in found if each.type == "response.function_call_arguments.delta"]
    assert ("".join(pieces), pieces[-1]) == ('{"requi', '"requi')
    assert [each.sequence_number for each in found] == list(range(len(found)))


def test_a_cut_stream_has_all_of_its_text(mode: Mode) -> None:
    """Also what was held back."""
    form: Any = {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}}
    stream = sse(*events_of(response(message('{"requ')))[:6])
    client = mode.client(api_key="sk-1", http_client=Canned(stream).client(mode.is_async))
    with pytest.raises(StreamCutError) as raised:
        events(mode, client, {**ASK, "text": form})
    assert raised.value.text == '{"requ'


def test_strict_and_off(mode: Mode, kimi: Emulator) -> None:
    """`compat="strict"` refuses the names with their places, `compat="off"` sends them, and Kimi refuses them."""
    with pytest.raises(CompatError, match=r"tools\.0\.name: (.|\n)*tools\.0: "):
        mode.run(mode.client(kimi, compat="strict").responses.create(**ASK, tools=[READ]))
    with pytest.raises(openai.BadRequestError, match=r"fs\.read"):
        mode.run(mode.client(kimi, compat="off").responses.create(**ASK, tools=[READ]))
    assert kimi.responses[0]["tools"] == [READ]


def test_namespaces_and_choices() -> None:
    """A function in a namespace, and one that is chosen; a free name is one that no tool of the request has."""
    inner = {"type": "namespace", "name": "crm", "tools": [READ, {"type": "function", "name": "fs_read"}]}
    shaped = shape_response({**ASK, "tools": [inner, {"type": "function", "name": "2nd"}]})
    namespace, second = shaped.body["tools"]
    assert [each["name"] for each in (*namespace["tools"], second)] == ["fs_read_2", "fs_read", "_2nd"]
    assert [note.where for note in shaped.notes] == ["tools.0.tools.0.name", "tools.0.tools.0", "tools.1.name"]
    choice = {"type": "function", "name": "2nd"}
    chosen = shape_response({**ASK, "tools": [inner, choice], "tool_choice": choice}).body
    assert [each["name"] for each in chosen["tools"]] == ["_2nd"]


def test_two_functions_of_one_name_whose_properties_are_refused() -> None:
    """In two namespaces: their calls could not be told apart; equal ones can."""
    other = {**READ, "parameters": {"type": "object", "properties": {"$ref": {"type": "string"}}}}
    one, two, same = (
        {"type": "namespace", "name": name, "tools": [each]} for name, each in zip("abc", (READ, other, READ), strict=True)
    )
    assert [note.where for note in shape_response({**ASK, "tools": [one, two]}).notes if note.fatal] == [
        "tools.1.tools.0"
    ]
    assert not any(note.fatal for note in shape_response({**ASK, "tools": [one, same]}).notes)


def test_a_call_of_a_tool_that_is_not_offered_any_more_is_renamed() -> None:
    """Without a note."""
    old = {"type": "function_call", "call_id": "c", "name": "a.b", "arguments": "{}"}
    shaped = shape_response({"model": "kimi-k3", "input": [old]})
    assert (shaped.body["input"][0]["name"], shaped.notes) == ("a_b", ())


def test_what_is_no_item_of_text_stays() -> None:
    """Whatever a server sends."""
    texts = AnswerTexts(AnswerNames({"a_b": "a.b"}))
    assert texts.item({"type": "reasoning"}, 0) == {"type": "reasoning"}
    assert texts.item({"type": "function_call", "name": "a_b"}, 0)["name"] == "a.b"
    assert texts.part({"type": "refusal", "refusal": "no"}) == {"type": "refusal", "refusal": "no"}
    assert texts.feed(Place("arguments", 5), "{}") == "{}"
