"""completions.py: the same body on the wire as the SDK's, whatever the lists contain."""

from __future__ import annotations

import inspect
import json
from collections import UserDict
from types import MappingProxyType
from typing import Any

import openai
import pydantic
import pytest
from openai.resources.chat.completions import AsyncCompletions, Completions
from openai.types.chat import ChatCompletion, ChatCompletionMessage

import kimi_openai
from kimi_openai.emulator import Emulator, call, internal_error, say
from tests.canned import Canned, answering
from tests.conftest import Mode

BUILTIN = {"type": "builtin_function", "function": {"name": "$web_search"}}
CALL = {"id": "f_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SEARCH = {"index": 0, "id": "s_0", "type": "builtin_function", "function": {"name": "$web_search", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "f_0", "content": "1"}
QUESTION = {"role": "user", "content": "Hi"}
PARTS = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]


def completion(**message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "ok", **message}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10, "cached_tokens": 8}
    base = {"id": "c", "object": "chat.completion", "created": 1, "model": "kimi-k3"}
    return {**base, "choices": [choice], "usage": usage}


class Part(pydantic.BaseModel):
    type: str
    text: str


class Question(pydantic.BaseModel):
    role: str = "user"
    content: str


class City(pydantic.BaseModel):
    name: str


class Text(str):
    """A string of a caller's class."""


def kimi_client(canned: Canned, **options: Any) -> Any:
    return kimi_openai.create_client(api_key="sk-1", http_client=canned.client(), **options)


def bare_client(canned: Canned) -> Any:
    return openai.OpenAI(api_key="sk-1", base_url="https://api.moonshot.ai/v1", http_client=canned.client())


def body_of(make: Any, method: str = "create", **ask: Any) -> bytes:
    """The body that goes out."""
    canned = answering(completion())
    with make(canned) as client:
        getattr(client.chat.completions, method)(**{"model": "kimi-k3", **ask})
    return canned.bodies[0]


answer = ChatCompletion.model_validate(
    completion(content="", reasoning_content="hm", tool_calls=[{**CALL, "index": 0}])
)
replayed = {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": [CALL]}

LISTS = [
    pytest.param(lambda: [QUESTION], [QUESTION], id="dicts"),
    pytest.param(lambda: (QUESTION,), [QUESTION], id="a tuple"),
    pytest.param(lambda: iter([QUESTION, QUESTION]), [QUESTION, QUESTION], id="an iterator"),
    pytest.param(lambda: [MappingProxyType(QUESTION), UserDict(QUESTION)], [QUESTION] * 2, id="mappings"),
    pytest.param(lambda: [Question(content="Hi")], [QUESTION], id="an object of the caller's"),
    pytest.param(lambda: [QUESTION, answer.choices[0].message, RESULT], [QUESTION, replayed, RESULT], id="a message"),
    pytest.param(lambda: [QUESTION, answer, RESULT], [QUESTION, replayed, RESULT], id="a completion"),
    pytest.param(
        lambda: [QUESTION, {**replayed, "tool_calls": answer.choices[0].message.tool_calls}, RESULT],
        [QUESTION, replayed, RESULT],
        id="calls as objects in a dict",
    ),
    pytest.param(lambda: [{**QUESTION, "content": Text("Hi")}], [QUESTION], id="a string of another class"),
    pytest.param(lambda: [{**QUESTION, "content": iter(PARTS)}], [{**QUESTION, "content": PARTS}], id="parts iterated"),
    pytest.param(
        lambda: [{**QUESTION, "content": [Part(type="text", text="a"), PARTS[1]]}],
        [{**QUESTION, "content": PARTS}],
        id="parts as objects",
    ),
    pytest.param(lambda: [{**QUESTION, "name": openai.NOT_GIVEN}], [QUESTION], id="what is not given"),
]


@pytest.mark.parametrize(("messages", "sent"), LISTS)
def test_messages_of_every_kind_arrive(messages: Any, sent: list[Any]) -> None:
    """Dicts, mappings, objects and iterables, at every depth, as with the SDK. Calls lose the index, which only answers
    have."""
    assert json.loads(body_of(kimi_client, messages=messages()))["messages"] == sent


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


@pytest.mark.parametrize("more", [{}, {"tools": [TOOL]}, {"max_completion_tokens": 5, "extra_body": {"x": {"y": 1}}}])
def test_the_body_is_the_sdks(more: dict[str, Any]) -> None:
    """A body that Kimi accepts is sent as the SDK writes it, except for the order of the keys. With `compat="off"` any
    body is the same to the byte."""
    ask = {"messages": [{"role": "system", "content": "é"}, QUESTION], "stop": ["x"], **more}
    assert json.loads(body_of(kimi_client, **ask)) == json.loads(body_of(bare_client, **ask))
    odd = {"messages": [{**QUESTION, "content": iter(PARTS)}], "temperature": 0.3, "n": 2, **more}
    theirs = body_of(bare_client, **{**odd, "messages": [{**QUESTION, "content": iter(PARTS)}]})
    assert body_of(lambda canned: kimi_client(canned, compat="off"), **odd) == theirs


def test_messages_in_extra_body_win() -> None:
    """As in the SDK, `extra_body` overrides the body; nothing of the caller's is changed."""
    extra = {"messages": [{"role": "user", "content": "mine"}], "x": 1}
    messages = [dict(QUESTION)]
    body = json.loads(body_of(kimi_client, messages=messages, extra_body=extra))
    assert body["messages"] == [{"role": "user", "content": "mine"}]
    assert body["x"] == 1
    assert messages == [QUESTION]
    assert extra == {"messages": [{"role": "user", "content": "mine"}], "x": 1}


def test_an_iterator_is_sent_again_at_a_retry(mode: Mode, kimi: Emulator) -> None:
    """It is read once, before the first attempt."""
    kimi.fail(internal_error())
    client = mode.client(kimi)
    mode.run(client.chat.completions.create(model="kimi-k3", messages=iter([QUESTION]), timeout=5))
    assert [chat["messages"] for chat in kimi.chats] == [[QUESTION], [QUESTION]]


def test_it_looks_like_the_sdks() -> None:
    """The signatures, which frameworks read, and the classes."""
    with kimi_client(answering(completion())) as client:
        ours = client.chat.completions
        assert isinstance(ours, Completions)
        for name in ("create", "parse", "stream"):
            assert inspect.signature(getattr(ours, name)) == inspect.signature(getattr(bare(), name))
        assert client.with_raw_response.chat.completions.create.__wrapped__
        assert client.with_options(timeout=1).chat.completions is not ours


def bare() -> Any:
    return openai.OpenAI(api_key="sk-1", http_client=answering({}).client()).chat.completions


def test_create_stays_a_coroutine_function() -> None:
    """Frameworks look at that."""
    client = kimi_openai.create_async_client(api_key="sk-1", http_client=answering({}).client(is_async=True))
    assert isinstance(client.chat.completions, AsyncCompletions)
    assert inspect.iscoroutinefunction(client.chat.completions.create)


@pytest.mark.parametrize(
    "ask",
    [
        {"model": "kimi-k3"},
        {"messages": [QUESTION]},
        {"model": "kimi-k3", "messages": [QUESTION], "wrong": 1},
        {"model": "kimi-k3", "messages": [QUESTION], "response_format": City},
    ],
)
def test_the_sdks_own_errors_for_wrong_arguments(ask: dict[str, Any]) -> None:
    """Missing and unknown arguments are the SDK's `TypeError`s."""
    with kimi_client(answering(completion())) as client, pytest.raises(TypeError) as ours:
        client.chat.completions.create(**ask)
    with pytest.raises(TypeError) as theirs:
        bare().create(**ask)
    assert str(ours.value) == str(theirs.value)


def test_raw_and_streaming_wrappers(mode: Mode, kimi: Emulator) -> None:
    """They return the response, and the body sent is the same."""
    kimi.script(say("hello"))
    client = mode.client(kimi)
    raw = mode.run(client.chat.completions.with_raw_response.create(model="kimi-k3", messages=[QUESTION]))
    assert raw.parse().choices[0].message.content == "hello"
    assert raw.status_code == 200
    assert kimi.chats[-1]["messages"] == [QUESTION]

    async def parsed_async() -> Any:
        async with client.chat.completions.with_streaming_response.create(
            model="kimi-k3", messages=[QUESTION]
        ) as response:
            return await response.parse()

    def parsed() -> Any:
        with client.chat.completions.with_streaming_response.create(model="kimi-k3", messages=[QUESTION]) as response:
            return response.parse()

    result = mode.run(parsed_async() if mode.is_async else parsed())
    assert isinstance(result, ChatCompletion)
    assert kimi.chats[-1]["messages"] == [QUESTION]


def test_parse_takes_models_and_pydantic_tools(mode: Mode, kimi: Emulator) -> None:
    """Parsed content and parsed arguments, in the caller's classes."""
    tool = openai.pydantic_function_tool(City)
    kimi.script(call("City", {"name": "Paris"}))
    ask: Any = {"model": "kimi-k3", "messages": [QUESTION], "tools": [tool]}
    answer = mode.run(mode.client(kimi).chat.completions.parse(**ask))
    assert answer.choices[0].message.tool_calls[0].function.parsed_arguments == City(name="Paris")
    kimi.script(say('{"name":"Oslo"}'))
    answer = mode.run(mode.client(kimi).chat.completions.parse(**{**ask, "response_format": City}))
    assert answer.choices[0].message.parsed == City(name="Oslo")
    assert kimi.chats[-1]["messages"] == [QUESTION]
    assert kimi.chats[-1]["tools"][0]["function"]["name"] == "City"


def test_beta_parse_is_the_same(mode: Mode, kimi: Emulator) -> None:
    """Older code finds `parse` in `client.beta.chat`, of copies too."""
    client = mode.client(kimi)
    for each in (client, client.with_options(timeout=5)):
        assert each.beta.chat is each.beta.chat
        kimi.script(call("City", {"name": "Paris"}))
        ask: Any = {"model": "kimi-k3", "messages": [QUESTION], "tools": [BUILTIN, openai.pydantic_function_tool(City)]}
        answer = mode.run(each.beta.chat.completions.parse(**ask))
        assert answer.choices[0].message.tool_calls[0].function.parsed_arguments == City(name="Paris")
    assert client.beta.assistants is not None


def test_parse_takes_builtin_functions_and_their_calls_replay(mode: Mode) -> None:
    """All tools are sent, in order; the call keeps its type; there is no warning (warnings are errors here)."""
    tools = [BUILTIN, openai.pydantic_function_tool(City)]
    own = {**CALL, "id": "City_0", "function": {"name": "City", "arguments": '{"name":"Rome"}'}}
    canned = answering(completion(content="", tool_calls=[SEARCH, own]))
    client = mode.client(api_key="sk-1", http_client=canned.client(mode.is_async))
    ask: Any = {"model": "kimi-k3", "messages": [QUESTION], "tools": tools}
    parsed = mode.run(client.chat.completions.parse(**ask))
    first, second = parsed.choices[0].message.tool_calls
    assert (first.type, first.function.arguments) == ("builtin_function", "{}")
    assert second.function.parsed_arguments == City(name="Rome")
    sent = json.loads(canned.bodies[0])["tools"]
    assert [tool["type"] for tool in sent] == ["builtin_function", "function"]
    results = [{"role": "tool", "tool_call_id": each, "content": "{}"} for each in ("s_0", "City_0")]
    mode.run(client.chat.completions.create(**{**ask, "messages": [QUESTION, parsed.choices[0].message, *results]}))
    calls = json.loads(canned.bodies[1])["messages"][1]["tool_calls"]
    assert [each["type"] for each in calls] == ["builtin_function", "function"]
    assert "parsed" not in str(calls)


def test_parse_refuses_what_the_sdk_refuses() -> None:
    """Tools that are not strict cannot be parsed, even with a builtin among the tools."""
    with kimi_client(answering(completion())) as client, pytest.raises(ValueError, match="not strict"):
        client.chat.completions.parse(model="kimi-k3", messages=[QUESTION], tools=[BUILTIN, TOOL])


ODD_ANSWERS = [
    pytest.param(completion(), id="documented"),
    pytest.param(completion(reasoning_content="hm"), id="reasoning"),
    pytest.param(completion(tool_calls=[SEARCH]), id="builtin call"),
    pytest.param(completion(role="x", tool_calls=None), id="unknown role"),
    pytest.param({"choices": []}, id="almost nothing"),
    pytest.param({**completion(), "id": 1, "created": "1", "system_fingerprint": [1]}, id="other types"),
]


@pytest.mark.parametrize("value", ODD_ANSWERS)
def test_answers_are_what_the_sdk_makes_of_them(value: Any) -> None:
    """The same classes and values, apart from the cached tokens in the details."""

    def ask(make: Any) -> Any:
        with make(answering(value)) as client:
            answer = client.chat.completions.create(model="kimi-k3", messages=[QUESTION])
        if isinstance(answer, ChatCompletion) and answer.usage is not None:
            answer.usage.prompt_tokens_details = None
        return type(answer), repr(answer), getattr(answer, "_request_id", None)

    assert ask(kimi_client) == ask(bare_client)


def test_cached_tokens_of_a_completion_are_in_the_details() -> None:
    """They are also there in a parsed raw response."""
    with kimi_client(answering(completion())) as client:
        raw = client.chat.completions.with_raw_response.create(model="kimi-k3", messages=[QUESTION])
    usage = raw.parse().usage
    assert usage.prompt_tokens_details.cached_tokens == usage.cached_tokens == 8


def test_the_private_names_of_the_sdk_that_are_used_are_there() -> None:
    """If a new SDK renames them, this fails by name."""
    for kind, client in ((Completions, bare()._client), (AsyncCompletions, openai.AsyncOpenAI(api_key="k"))):
        resource: Any = kind(client)
        assert resource._client is client
        assert resource._post == client.post
    assert isinstance(answer.choices[0].message, ChatCompletionMessage)


@pytest.mark.parametrize("arguments", ["{", "[" * 3000, "null"])
def test_arguments_that_cannot_be_parsed_are_an_openai_error(mode: Mode, arguments: str) -> None:
    """The SDK alone raises Python's JSON errors for a strict tool; a caller's model raises its own."""
    own = {**CALL, "id": "City_0", "function": {"name": "City", "arguments": arguments}}
    client = mode.client(api_key="sk-1", http_client=answering(completion(tool_calls=[own])).client(mode.is_async))
    ask: Any = {"model": "kimi-k3", "messages": [QUESTION]}
    strict = {**TOOL, "function": {**TOOL["function"], "name": "City", "strict": True}}
    if arguments == "null":
        parsed = mode.run(client.chat.completions.parse(**ask, tools=[strict]))
        assert parsed.choices[0].message.tool_calls[0].function.parsed_arguments is None
    else:
        with pytest.raises(kimi_openai.UnexpectedAnswerError, match="what can be parsed"):
            mode.run(client.chat.completions.parse(**ask, tools=[strict]))
    with pytest.raises(pydantic.ValidationError):
        mode.run(client.chat.completions.parse(**ask, tools=[openai.pydantic_function_tool(City)]))
