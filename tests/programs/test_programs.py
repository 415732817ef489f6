"""OpenAI programs with our client: the requests they send, the result they get, and the notes of strict mode."""

from __future__ import annotations

from datetime import date
from types import ModuleType
from typing import Any

import pytest

from kimi_openai.emulator import Emulator, call, say, think
from kimi_openai.errors.exceptions import CompatError
from tests.conftest import Mode
from tests.programs import events, json_mode, old_functions, responses, streaming, structured, tool_loop, vision

MODELS = ("gpt-3.5-turbo-0613", "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4o-2024-08-06", "o3-mini", "o3")

pytestmark = pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")


def run(mode: Mode, program: ModuleType, kimi: Emulator, model: str = "kimi-k3", **options: Any) -> Any:
    """The result of the program, with every OpenAI model replaced by `model`."""
    client = mode.client(kimi, model_aliases=dict.fromkeys(MODELS, model), **options)
    return mode.run(program.program_async(client)) if mode.is_async else program.program(client)


def refused(mode: Mode, program: ModuleType, kimi: Emulator) -> list[str]:
    """The kinds of notes in the error that strict mode raises for the program's first request that needs changes."""
    with pytest.raises(CompatError) as caught:
        run(mode, program, kimi, compat="strict")
    return [note.kind for note in caught.value.notes]


def test_old_functions(kimi: Emulator, mode: Mode) -> None:
    """Functions are sent as tools, the call is returned as `function_call`, and its result is sent with its id."""
    kimi.script(think("hm"), call("get_current_weather", {"location": "Boston"}))
    kimi.script(say("22 degrees"))
    assert run(mode, old_functions, kimi) == "22 degrees"
    first, second = kimi.chats
    function = old_functions.FUNCTIONS[0]
    asked = {"role": "user", "content": "What's the weather like in Boston?"}
    assert first == {
        "messages": [asked],
        "model": "kimi-k3",
        "tools": [{"type": "function", "function": function}],
        "tool_choice": "auto",
    }
    made, answered = second["messages"][1:]
    assert made["reasoning_content"] == "hm"
    assert [call["function"]["name"] for call in made["tool_calls"]] == ["get_current_weather"]
    assert answered["role"] == "tool"
    assert answered["tool_call_id"] == made["tool_calls"][0]["id"]
    assert refused(mode, old_functions, kimi) == ["functions", "function_call", "temperature"]


def test_old_functions_streamed(kimi: Emulator, mode: Mode) -> None:
    """The pieces of a call are returned as `function_call` too, also with `with_raw_response`."""
    kimi.script(call("get_current_weather", {"location": "Boston"}))
    client = mode.client(kimi)
    asked: Any = {
        "model": "kimi-k3",
        "messages": [{"role": "user", "content": "?"}],
        "functions": old_functions.FUNCTIONS,
    }
    chunks = mode.each(mode.run(client.chat.completions.create(**asked, stream=True)))
    deltas = [chunk.choices[0].delta.function_call for chunk in chunks if chunk.choices[0].delta.function_call]
    assert deltas[0].name == "get_current_weather"
    assert "".join(delta.arguments for delta in deltas) == '{"location":"Boston"}'
    assert chunks[-1].choices[0].finish_reason == "function_call"
    assert not any(chunk.choices[0].delta.tool_calls for chunk in chunks)
    kimi.script(call("get_current_weather", {"location": "Boston"}))
    raw = mode.run(client.chat.completions.with_raw_response.create(**asked))
    assert raw.parse().choices[0].message.function_call.name == "get_current_weather"


@pytest.mark.parametrize("model", ["kimi-k3", "kimi-k2.6", "kimi-k2.7-code"])
def test_tool_loop(kimi: Emulator, mode: Mode, model: str) -> None:
    """Message objects are sent back with their reasoning and without nulls, to every model."""
    kimi.script(think("let me look"), call("search", {"query": "red", "limit": 1}), call("time"))
    kimi.script(say("Yes, one."))
    assert run(mode, tool_loop, kimi, model) == "Yes, one."
    first, second = kimi.chats
    assert first["messages"][0] == {"role": "system", "content": "You sell shoes."}
    assert {name: value for name, value in first.items() if name not in ("messages", "tools")} == {
        "model": model,
        "tool_choice": "auto",
        "max_completion_tokens": 1000,
        "safety_identifier": "user-1",
    }
    made, *answers = second["messages"][2:]
    assert made["reasoning_content"] == "let me look"
    assert None not in made.values()
    assert [answer["tool_call_id"] for answer in answers] == [call["id"] for call in made["tool_calls"]]
    assert [answer["content"] for answer in answers] == ['["red 1"]', '"12:00"']


def test_tool_loop_strict(kimi: Emulator, mode: Mode) -> None:
    """One error with all notes, before anything is sent."""
    kinds = ["temperature", "max_tokens", "user", "parallel_tool_calls", "developer"]
    assert sorted(refused(mode, tool_loop, kimi)) == sorted(kinds)
    assert kimi.requests == []


def test_json_mode(kimi: Emulator, mode: Mode) -> None:
    """One candidate is returned, and what Kimi accepts is sent unchanged."""
    kimi.script(say('{"name": "Ada", "age": 36}'))
    assert run(mode, json_mode, kimi) == [{"name": "Ada", "age": 36}]
    assert {name: value for name, value in kimi.chats[0].items() if name != "messages"} == {
        "model": "kimi-k3",
        "response_format": {"type": "json_object"},
        "frequency_penalty": 0,
        "logprobs": True,
        "top_logprobs": 2,
        "stop": ["\n\n"],
    }
    kinds = ["n", "presence_penalty", "seed", "logit_bias", "service_tier", "store", "metadata"]
    assert sorted(refused(mode, json_mode, kimi)) == sorted(kinds)


def test_vision(kimi: Emulator, mode: Mode) -> None:
    """A data URL is sent unchanged."""
    kimi.script(say("a pixel"))
    assert run(mode, vision, kimi) == "a pixel"
    image = kimi.chats[0]["messages"][0]["content"][1]
    assert image["type"] == "image_url"
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert refused(mode, vision, kimi) == ["max_tokens"]


def test_streaming(kimi: Emulator, mode: Mode) -> None:
    """Two turns with usage at the end; an answer without content is left out of the next request."""
    kimi.script(think("only thought"))
    kimi.script(say("second"))
    assert run(mode, streaming, kimi) == (["", "second"], True)
    assert [message["role"] for message in kimi.chats[1]["messages"]] == ["system", "user", "user"]
    assert {name: value for name, value in kimi.chats[1].items() if name != "messages"} == {
        "model": "kimi-k3",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 1,
        "reasoning_effort": "low",
    }
    assert sorted(refused(mode, streaming, kimi)) == ["reasoning_effort", "top_p"]


@pytest.mark.parametrize("model", ["kimi-k3", "kimi-k2.6", "kimi-k2.7-code"])
def test_structured_output(kimi: Emulator, mode: Mode, model: str) -> None:
    """Pydantic's schemas are adapted, the parsed answer is sent back, and a named tool is called."""
    kimi.script(say('{"title":"Party","kind":"party","people":[{"name":"Ada","age":null}],"day":"2026-05-01"}'))
    kimi.script(call("Book", {"table": "A", "people": 10}))
    event, booked = run(mode, structured, kimi, model)
    assert event.day == date(2026, 5, 1)
    assert event.people == [structured.Person(name="Ada")]
    assert booked == structured.Book(table="A", people=10)
    first, second = kimi.chats
    schema = first["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["kind"] == {
        "type": "string",
        "enum": ["meeting", "party"],
        "description": "What it is.",
    }
    assert "$ref" not in str(schema)
    replayed = {name: value for name, value in second["messages"][1].items() if name != "reasoning_content"}
    assert replayed == {"role": "assistant", "content": event.model_dump_json()}
    assert (
        second.get("tool_choice")
        == {
            "kimi-k3": "required",
            "kimi-k2.7-code": "auto",
            "kimi-k2.6": {"type": "function", "function": {"name": "Book"}},
        }[model]
    )
    assert second.get("thinking") == ({"type": "disabled"} if model == "kimi-k2.6" else None)


def test_stream_events(kimi: Emulator, mode: Mode) -> None:
    """The `.stream()` helper has the same text in its events and in the final completion."""
    kimi.script(think("hm"), say("Hello there."))
    assert run(mode, events, kimi) == ("Hello there.", "Hello there.")
    assert kimi.chats[0] == {
        "model": "kimi-k3",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}],
        "max_completion_tokens": 2000,
        "reasoning_effort": "high",
        "stream": True,
    }
    assert sorted(refused(mode, events, kimi)) == ["developer", "verbosity"]


def test_responses(kimi: Emulator, mode: Mode) -> None:
    """The SDK's examples for the Responses API, with the schemas in Kimi's dialect and the next turn from memory."""
    solution = '{"steps": [{"explanation": "subtract", "output": "8x = -29"}], "final_answer": "x = -29/8"}'
    query = {"table_name": "orders", "columns": ["id"]}
    for _ in range(2):
        kimi.script(think("hm"), say(solution))
    for _ in range(2):
        kimi.script(think("hm"), call("Query", query))
    kimi.script(say("Once upon a time."))
    kimi.script(say("Once."))
    parsed, streamed, types, arguments, name, novel, shorter = run(mode, responses, kimi)
    assert parsed == streamed
    assert parsed.final_answer == "x = -29/8"
    assert types == {"response.output_text.delta", "response.output_text.done", "arguments"}
    # SDKs before 3 take the model of a tool only from a tool made by them
    assert arguments in (query, responses.Query(**query))
    assert (name, novel, shorter) == ("Query", "Once upon a time.", "Once.")
    assert [sent["model"] for sent in kimi.responses] == ["kimi-k3"] * 6
    assert [item.get("role") for item in kimi.responses[-1]["input"]] == ["user", "assistant", "user"]
    assert "$ref" not in str(kimi.responses[0]["text"])
