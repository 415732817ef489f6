"""reasoning.py: the reasoning of tool calls is sent again where a program or framework drops it, and nowhere else."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from copy import deepcopy
from inspect import isawaitable
from typing import Any

import openai
import pydantic
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessage

from kimi_openai import CompatError, complete, last_notes, run_tools, stream
from kimi_openai.emulator import Emulator, call, say, think
from tests.canned import Canned
from tests.canned import answering as canned_answer
from tests.conftest import Mode

QUESTION = {"role": "user", "content": "How is the weather in Paris?"}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]
CALLS = (think("look"), call("get_weather", {"city": "Paris"}))
ASK: dict[str, Any] = {"model": "kimi-k3", "tools": TOOLS}


def replayed(message: Any) -> dict[str, Any]:
    """The message as frameworks keep it: text and calls, their JSON written anew, and nothing that only Kimi has."""
    calls = [
        {
            "id": each.id,
            "type": "function",
            "function": {"name": each.function.name, "arguments": json.dumps(json.loads(each.function.arguments))},
        }
        for each in message.tool_calls
    ]
    return {"role": "assistant", "content": message.content or "", "tool_calls": calls}


def result(message: dict[str, Any], content: str = "sunny") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": content}


def reasoning_sent(kimi: Emulator) -> list[Any]:
    """The reasoning of the last request's assistant messages."""
    return [each.get("reasoning_content", "none") for each in kimi.chats[-1]["messages"] if each["role"] == "assistant"]


def ask(mode: Mode, client: Any, messages: list[Any], **params: Any) -> Any:
    return mode.run(client.chat.completions.create(messages=messages, **{**ASK, **params})).choices[0].message


# Every entrance ------------------------------------------------------------------------------------------------------


def joined(chunks: list[Any]) -> dict[str, Any]:
    """The calls as programs add them up."""
    calls: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for piece in chunk.choices[0].delta.tool_calls or ():
            known = calls.setdefault(piece.index, {"id": "", "name": "", "arguments": ""})
            known["id"] += piece.id or ""
            known["name"] += piece.function.name or ""
            known["arguments"] += piece.function.arguments or ""
    found = [{"id": each.pop("id"), "type": "function", "function": each} for each in calls.values()]
    return {"role": "assistant", "content": None, "tool_calls": found}


def by_create(mode: Mode, client: Any, messages: list[Any]) -> dict[str, Any]:
    return replayed(ask(mode, client, messages))


def by_chunks(mode: Mode, client: Any, messages: list[Any]) -> dict[str, Any]:
    return joined(mode.each(mode.run(client.chat.completions.create(messages=messages, **ASK, stream=True))))


def by_some_chunks(mode: Mode, client: Any, messages: list[Any]) -> dict[str, Any]:
    """Stops at the finish_reason, and holds the stream."""
    chunks = mode.run(client.chat.completions.create(messages=messages, **ASK, stream=True))
    client.held, taken = chunks, []
    while not taken or taken[-1].choices[0].finish_reason is None:
        taken.append(mode.run(anext(chunks)) if mode.is_async else next(chunks))
    return joined(taken)


class City(pydantic.BaseModel):
    city: str


STRICT = {"name": "get_weather", "strict": True, "parameters": City.model_json_schema()}
PARSED: dict[str, Any] = {"model": "kimi-k3", "tools": [{"type": "function", "function": STRICT}]}
"""As the SDK wants the tools of calls that it parses."""


def by_parse(mode: Mode, client: Any, messages: list[Any]) -> dict[str, Any]:
    answer = mode.run(client.chat.completions.parse(messages=messages, **PARSED))
    return replayed(answer.choices[0].message)


def by_helper(mode: Mode, client: Any, messages: list[Any]) -> dict[str, Any]:
    async def read() -> Any:
        async with client.chat.completions.stream(messages=messages, **PARSED) as events:
            return await events.get_final_completion()

    if mode.is_async:
        return replayed(mode.run(read()).choices[0].message)
    with client.chat.completions.stream(messages=messages, **PARSED) as events:
        return replayed(events.get_final_completion().choices[0].message)


def by_raw(mode: Mode, client: Any, messages: list[Any]) -> dict[str, Any]:
    raw = mode.run(client.chat.completions.with_raw_response.create(messages=messages, **ASK))
    return replayed(raw.parse().choices[0].message)


def by_raw_chunks(mode: Mode, client: Any, messages: list[Any]) -> dict[str, Any]:
    raw = mode.run(client.chat.completions.with_raw_response.create(messages=messages, **ASK, stream=True))
    return joined(mode.each(raw.parse()))


def by_post(mode: Mode, client: Any, messages: list[Any]) -> dict[str, Any]:
    body = {**ASK, "messages": messages}
    answer = mode.run(client.post("/chat/completions", body=body, cast_to=ChatCompletion))
    return replayed(answer.choices[0].message)


def by_stream(mode: Mode, client: Any, messages: list[Any]) -> dict[str, Any]:
    answer = stream(client, messages=messages, **ASK)
    mode.each(answer)
    return dict(answer.reply.message(), reasoning_content=None)


def by_complete(mode: Mode, client: Any, messages: list[Any]) -> dict[str, Any]:
    return replayed(mode.run(complete(client, messages=messages, **ASK)).choices[0].message)


ENTRANCES = [
    by_create,
    by_chunks,
    by_some_chunks,
    by_parse,
    by_helper,
    by_raw,
    by_raw_chunks,
    by_post,
    by_stream,
    by_complete,
]


@pytest.mark.filterwarnings("ignore:.*is duplicated:kimi_openai.KimiCompatWarning")
@pytest.mark.parametrize("entrance", ENTRANCES)
def test_every_entrance_remembers_and_recalls(mode: Mode, kimi: Emulator, entrance: Callable[..., Any]) -> None:
    """Two turns with the same call, whose reasoning was dropped: each gets its own back, for a copy of the client too.
    The caller's messages stay as they are."""
    client = mode.client(kimi)
    kimi.script(*CALLS)
    messages: list[Any] = [QUESTION]
    messages.append(entrance(mode, client, [*messages]))
    messages.append(result(messages[-1]))
    kimi.script(think("once more"), call("get_weather", {"city": "Paris"}))
    messages.append(entrance(mode, client.with_options(timeout=9), [*messages]))
    assert reasoning_sent(kimi) == ["look"]
    messages.append(result(messages[-1], "rain"))
    before = deepcopy(messages)
    kimi.script(say("Changeable."))
    ask(mode, client.copy(), messages)
    assert reasoning_sent(kimi) == ["look", "once more"]
    assert messages == before


def test_the_loops_of_run_tools_are_remembered(mode: Mode, kimi: Emulator) -> None:
    """Also with the ids that it made unique."""

    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    client = mode.client(kimi)
    kimi.script(*CALLS)
    kimi.script(think("once more"), call("get_weather", {"city": "Paris"}))
    kimi.script(say("Sunny."))
    run = mode.run(run_tools(client, model="kimi-k3", messages=[QUESTION], tools=[get_weather]))
    kept = [{key: value for key, value in each.items() if key != "reasoning_content"} for each in run.messages]
    ask(mode, client, [*kept, {"role": "user", "content": "And tomorrow?"}])
    assert reasoning_sent(kimi) == ["look", "once more", "none"]


def test_a_list_that_grows_meanwhile_is_remembered_as_it_was_sent(mode: Mode, kimi: Emulator) -> None:
    """Programs append to their messages while a stream is still read."""
    client = mode.client(kimi)
    kimi.script(*CALLS)
    messages: list[Any] = [QUESTION]
    chunks = mode.run(client.chat.completions.create(messages=messages, **ASK, stream=True))
    messages.append({"role": "assistant", "content": "..."})
    messages[-1:] = [joined(mode.each(chunks))]
    ask(mode, client, [*messages, result(messages[-1])])
    assert reasoning_sent(kimi) == ["look"]


def test_message_objects_and_generators(mode: Mode, kimi: Emulator) -> None:
    """The messages may have every form that `create` takes."""
    client = mode.client(kimi)
    kimi.script(*CALLS)
    message = replayed(ask(mode, client, (each for each in [QUESTION])))  # type: ignore[arg-type]
    rebuilt = ChatCompletionMessage.model_validate(message)
    ask(mode, client, (each for each in [QUESTION, rebuilt, result(message)]))  # type: ignore[arg-type]
    assert reasoning_sent(kimi) == ["look"]


@pytest.mark.filterwarnings("ignore::kimi_openai.KimiCompatWarning")
@pytest.mark.parametrize("is_stream", [False, True])
def test_calls_whose_names_were_mapped(mode: Mode, kimi: Emulator, is_stream: bool) -> None:
    """They are remembered with the caller's name of the tool, which Kimi refuses."""
    client = mode.client(kimi)
    tools = [{"type": "function", "function": {"name": "fs.read", "parameters": {"type": "object", "properties": {}}}}]
    asked: dict[str, Any] = {"model": "kimi-k3", "tools": tools}
    kimi.script(think("look"), call(sent_name(mode, client, kimi, asked), {}))
    answer = mode.run(client.chat.completions.create(messages=[QUESTION], **asked, stream=is_stream))
    message = joined(mode.each(answer)) if is_stream else replayed(answer.choices[0].message)
    assert message["tool_calls"][0]["function"]["name"] == "fs.read"
    mode.run(client.chat.completions.create(messages=[QUESTION, message, result(message)], **asked))
    assert reasoning_sent(kimi) == ["look"]


def sent_name(mode: Mode, client: Any, kimi: Emulator, asked: dict[str, Any]) -> str:
    """The name that Kimi gets for the tool."""
    mode.run(client.chat.completions.create(messages=[{"role": "user", "content": "Which?"}], **asked))
    return str(kimi.chats[-1]["tools"][0]["function"]["name"])


# What K2 refuses -----------------------------------------------------------------------------------------------------


@pytest.mark.k2
@pytest.mark.parametrize("model", ["kimi-k2.6", "kimi-k2.7-code", "an-alias"])
def test_k2_gets_the_reasoning_and_not_the_placeholder(
    mode: Mode, kimi: Emulator, model: str, recwarn: pytest.WarningsRecorder
) -> None:
    """K2 refuses the request without it. An empty text is replaced too. No warning; `strict` has nothing to refuse."""
    client = mode.client(kimi, compat="strict", model_aliases={"an-alias": "kimi-k2.6"})
    kimi.script(*CALLS)
    message = replayed(ask(mode, client, [QUESTION], model=model))
    for dropped in (message, {**message, "reasoning_content": ""}):
        ask(mode, client, [QUESTION, dropped, result(dropped)], model=model)
        assert reasoning_sent(kimi) == ["look"]
    assert len(recwarn) == 0
    with pytest.raises(CompatError):
        ask(mode, client, [{**QUESTION, "content": "Else?"}, message, result(message)], model=model)


@pytest.mark.parametrize(
    "params",
    [{"model": "kimi-k3"}, {"model": "kimi-k2.6", "extra_body": {"thinking": {"type": "disabled"}}}],
    ids=["K3", "K2.6 without thinking"],
)
@pytest.mark.parametrize("sent", ["mine", ""])
def test_what_the_caller_sends_stays(mode: Mode, kimi: Emulator, params: dict[str, Any], sent: str) -> None:
    """Also an empty text, where the model takes it."""
    client = mode.client(kimi)
    kimi.script(*CALLS)
    message = replayed(ask(mode, client, [QUESTION]))
    ask(mode, client, [QUESTION, {**message, "reasoning_content": sent}, result(message)], **params)
    assert reasoning_sent(kimi) == [sent]


@pytest.mark.k2
@pytest.mark.filterwarnings("ignore::kimi_openai.KimiCompatWarning")
def test_an_empty_text_stays_where_our_own_change_disables_thinking(mode: Mode, kimi: Emulator) -> None:
    """A forced call on K2.6 disables thinking, and then the model takes an empty text."""
    client = mode.client(kimi)
    kimi.script(*CALLS)
    message = replayed(ask(mode, client, [QUESTION], model="kimi-k2.6"))
    emptied = {**message, "reasoning_content": ""}
    kimi.script(call("get_weather"))
    ask(mode, client, [QUESTION, emptied, result(message)], model="kimi-k2.6", tool_choice="required")
    assert kimi.chats[-1]["thinking"] == {"type": "disabled"}
    assert reasoning_sent(kimi) == [""]


# Never elsewhere -----------------------------------------------------------------------------------------------------


def test_two_conversations_with_the_same_call_do_not_mix(mode: Mode, kimi: Emulator) -> None:
    """One client for many users: Kimi's ids are the same in each conversation, and so may the call be."""
    client = mode.client(kimi)
    conversations = [[{"role": "system", "content": f"{name} asks."}, QUESTION] for name in ("Ann", "Bob", "Eve")]
    for number, messages in enumerate(conversations[:2]):
        kimi.script(think(f"reasoning {number}"), call("get_weather", {"city": "Paris"}))
        messages.append(replayed(ask(mode, client, messages)))
        messages.append(result(messages[-1]))
    conversations[2] += conversations[0][2:]
    for messages, expected in zip(conversations, ["reasoning 0", "reasoning 1", "none"], strict=True):
        ask(mode, client, messages)
        assert reasoning_sent(kimi) == [expected]


def test_another_client_knows_nothing(mode: Mode, kimi: Emulator) -> None:
    """Only copies share the memory."""
    kimi.script(*CALLS)
    message = replayed(ask(mode, mode.client(kimi), [QUESTION]))
    ask(mode, mode.client(kimi), [QUESTION, message, result(message)])
    assert reasoning_sent(kimi) == ["none"]


@pytest.mark.parametrize("option", [{"remember_reasoning": False}, {"compat": "off"}], ids=str)
def test_it_can_be_switched_off(mode: Mode, kimi: Emulator, option: dict[str, Any]) -> None:
    """Then nothing is held and nothing is put back, for a copy of a client that remembers too."""
    client = mode.client(kimi)
    off = client.with_options(**option)
    for asked_by, sent_by in ((client, off), (off, client)):
        kimi.script(*CALLS)
        client.kimi_options.reasoning_memory.__init__()
        message = replayed(ask(mode, asked_by, [QUESTION]))
        assert len(client.kimi_options.reasoning_memory) == (asked_by is client)
        ask(mode, sent_by, [QUESTION, message, result(message)])
        assert reasoning_sent(kimi) == ["none"]


def test_an_answer_without_reasoning_ends_what_was_remembered(mode: Mode, kimi: Emulator) -> None:
    """What counts is what came last for the same calls of the same conversation."""
    client = mode.client(kimi)
    for script in (CALLS, CALLS[1:]):
        kimi.script(*script)
        message = replayed(ask(mode, client, [QUESTION]))
    ask(mode, client, [QUESTION, message, result(message)])
    assert reasoning_sent(kimi) == ["none"]


def test_choices_do_not_mix(mode: Mode) -> None:
    """Of two streamed choices the reasoning is not remembered, of two in one body each."""

    def choice(index: int, part: str, **more: Any) -> dict[str, Any]:
        function = {"name": "f", "arguments": json.dumps({"choice": index})}
        calls = [{"index": 0, "id": f"f_{index}", "type": "function", "function": function}]
        fields = {"role": "assistant", "reasoning_content": f"r{index}", "tool_calls": calls}
        return {"index": index, part: fields, "finish_reason": "tool_calls", **more}

    head = {"id": "c", "created": 1, "model": "kimi-k3"}
    chunk = {**head, "object": "chat.completion.chunk", "choices": [choice(0, "delta"), choice(1, "delta")]}
    whole = {**head, "object": "chat.completion", "choices": [choice(0, "message"), choice(1, "message")]}
    for transport, is_stream, count in (
        (Canned(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()), True, 0),
        (canned_answer(whole), False, 2),
    ):
        client = mode.client(api_key="sk-1", http_client=transport.client(mode.is_async))
        answer = mode.run(
            client.chat.completions.create(model="another", n=2, messages=[QUESTION], tools=TOOLS, stream=is_stream)
        )
        if is_stream:
            mode.each(answer)
        assert len(client.kimi_options.reasoning_memory) == count


# How it is reported --------------------------------------------------------------------------------------------------


def noted(value: Any) -> Any:
    """The notes of an asynchronous call, which are its task's; else the value."""

    async def in_task() -> Any:
        await value
        return last_notes()

    return in_task() if isawaitable(value) else value


def test_it_is_noted_at_debug_level(mode: Mode, kimi: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """One quiet note for a request, which has no text of the reasoning in it; no warning (they are errors here)."""
    notes: list[Any] = []
    client = mode.client(kimi, on_note=notes.append)
    kimi.script(*CALLS)
    message = replayed(ask(mode, client, [QUESTION]))
    with caplog.at_level(logging.DEBUG, logger="kimi_openai"):
        last = mode.run(noted(client.chat.completions.create(messages=[QUESTION, message, result(message)], **ASK)))
    (note,) = notes
    assert (note.kind, note.where, note.quiet) == ("remembered_reasoning", "messages", True)
    assert (last if mode.is_async else last_notes()) == (note,)
    (record,) = [each for each in caplog.records if each.name == "kimi_openai"]
    assert record.levelno == logging.DEBUG
    assert "look" not in record.getMessage() + str(note)


def test_a_client_of_the_sdks_has_no_memory(mode: Mode, kimi: Emulator) -> None:
    """`stream`, `complete` and `run_tools` take one too."""
    bare: Any = (openai.AsyncOpenAI if mode.is_async else openai.OpenAI)(base_url=kimi.base_url, api_key=kimi.api_key)
    kimi.script(*CALLS)
    message = by_complete(mode, bare, [QUESTION])
    mode.run(complete(bare, messages=[QUESTION, message, result(message)], **ASK))
    assert reasoning_sent(kimi) == ["none"]
    mode.run(bare.close())
