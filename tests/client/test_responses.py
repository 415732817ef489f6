"""responses.py: `client.responses` is the SDK's own, with the same body on the wire, for tracing tools too."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import openai
import pydantic
import pytest
from openai.resources.responses import AsyncResponses, Responses

import kimi_openai
from kimi_openai import CompatError, track
from kimi_openai.emulator import Emulator, call, internal_error, rate_limited, refuse, say, think
from tests.canned import Canned, answering
from tests.conftest import Mode
from tests.responses.shapes import message, reasoning, response

QUESTION = {"role": "user", "content": "Hi"}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": True}
ASK: dict[str, Any] = {"model": "kimi-k3", "input": [QUESTION], "tools": [TOOL], "extra_body": {"x": 1}}
SENT = {"model": "kimi-k3", "input": [QUESTION], "tools": [TOOL], "x": 1}


class City(pydantic.BaseModel):
    name: str


def kimi_client(canned: Canned, **options: Any) -> Any:
    return kimi_openai.create_client(api_key="sk-1", http_client=canned.client(), **options)


def bare_client(canned: Canned) -> Any:
    return openai.OpenAI(api_key="sk-1", base_url="https://api.moonshot.ai/v1", http_client=canned.client())


def body_of(make: Any, **ask: Any) -> bytes:
    """The body that goes out."""
    canned = answering(response(message()))
    with make(canned) as client:
        client.responses.create(**ask)
    return canned.bodies[0]


# What the SDK's is like -----------------------------------------------------------------------------------------------


def test_it_looks_like_the_sdks() -> None:
    """The class and the signatures, which frameworks read."""
    with kimi_client(answering({})) as client, bare_client(answering({})) as bare:
        ours = client.responses
        assert type(ours) is Responses
        for name in ("create", "parse", "stream", "retrieve"):
            assert inspect.signature(getattr(ours, name)) == inspect.signature(getattr(bare.responses, name))
        assert client.with_options(timeout=1).responses is not ours
        assert client.with_raw_response.responses.create.__wrapped__


def test_create_stays_a_coroutine_function() -> None:
    """Frameworks look at that."""
    client = kimi_openai.create_async_client(api_key="sk-1", http_client=answering({}).client(is_async=True))
    assert type(client.responses) is AsyncResponses
    assert inspect.iscoroutinefunction(client.responses.create)


@pytest.mark.parametrize("ask", [ASK, {**ASK, "input": "Hi"}, {**ASK, "max_output_tokens": 5, "instructions": "é"}])
def test_the_body_is_the_sdks(ask: dict[str, Any]) -> None:
    """A body that Kimi accepts is sent as the SDK writes it; with `compat="off"` any body is, to the byte."""
    assert json.loads(body_of(kimi_client, **ask)) == json.loads(body_of(bare_client, **ask))
    odd = {**ask, "temperature": 0.3, "previous_response_id": "resp_x"}
    assert body_of(lambda canned: kimi_client(canned, compat="off"), **odd) == body_of(bare_client, **odd)


answer: Any = openai.types.responses.Response.model_validate(response(reasoning(), message("Yes")))
REPLAYED = [reasoning(), message("Yes")]


@pytest.mark.parametrize(
    "given",
    [
        lambda: (QUESTION, *answer.output),
        lambda: iter([QUESTION, *answer.output]),
        lambda: [QUESTION, *[item.model_dump() for item in answer.output]],
        lambda: [QUESTION, *[item.to_dict() for item in answer.output]],
    ],
    ids=["objects", "an iterator", "model_dump", "to_dict"],
)
def test_output_is_sent_back_as_it_came(given: Any) -> None:
    """As the SDK's objects and as dicts of them, in lists of any kind, without nulls."""
    assert json.loads(body_of(kimi_client, model="kimi-k3", input=given()))["input"] == [QUESTION, *REPLAYED]


@pytest.mark.parametrize("ask", [{"wrong": 1}, {"input": "Hi", "model": "kimi-k3", "tols": []}])
def test_the_sdks_own_errors_for_wrong_arguments(ask: dict[str, Any]) -> None:
    """Unknown arguments are the SDK's `TypeError`s."""
    with kimi_client(answering({})) as client, pytest.raises(TypeError) as ours:
        client.responses.create(**ask)
    with bare_client(answering({})) as bare, pytest.raises(TypeError) as theirs:
        bare.responses.create(**ask)
    assert str(ours.value) == str(theirs.value)


def test_raw_and_streaming_wrappers(mode: Mode, kimi: Emulator) -> None:
    """They return the response, and what they parse is remembered."""
    kimi.script(say("hello"))
    client = mode.client(kimi)
    raw = mode.run(client.responses.with_raw_response.create(**ASK))
    assert (raw.status_code, raw.parse().output_text) == (200, "hello")
    kept = mode.run(client.responses.with_raw_response.retrieve(raw.parse().id))
    assert (kept.status_code, kept.parse().output_text) == (200, "hello")
    assert kimi.responses == [SENT]

    async def parsed_async() -> Any:
        async with client.responses.with_streaming_response.create(**ASK) as response:
            return await response.parse()

    def parsed() -> Any:
        with client.responses.with_streaming_response.create(**ASK) as response:
            return response.parse()

    found = mode.run(parsed_async() if mode.is_async else parsed())
    assert found.status == "completed"
    assert mode.run(client.responses.retrieve(found.id)).output_text == found.output_text


def test_parse_takes_models_and_pydantic_tools(mode: Mode, kimi: Emulator) -> None:
    """Parsed text and parsed arguments, in the caller's classes; the parsed answer can be sent back."""
    client = mode.client(kimi)
    tool = openai.pydantic_function_tool(City)["function"]
    tools = [{"type": "function", **tool}]
    kimi.script(think("hm"), call("City", {"name": "Paris"}))
    found = mode.run(client.responses.parse(model="kimi-k3", input="Hi", tools=tools))
    assert found.output[-1].parsed_arguments == {"name": "Paris"}
    kimi.script(say('{"name":"Oslo"}'))
    output = {"type": "function_call_output", "call_id": found.output[-1].call_id, "output": "ok"}
    ask: Any = {"model": "kimi-k3", "input": [QUESTION, *found.output, output], "text_format": City}
    assert mode.run(client.responses.parse(**ask)).output_parsed == City(name="Oslo")
    assert "parsed" not in str(kimi.responses[-1])


def test_retries_and_explained_errors(mode: Mode, kimi: Emulator) -> None:
    """A 500 is asked again with the same input; a 429 and a 400 say what to do."""
    kimi.fail(internal_error())
    client = mode.client(kimi)
    mode.run(client.responses.create(model="kimi-k3", input=iter([QUESTION])))
    assert [sent["input"] for sent in kimi.responses] == [[QUESTION], [QUESTION]]
    kimi.fail(rate_limited())
    with pytest.raises(openai.RateLimitError, match="the account's side"):
        mode.run(client.with_options(max_retries=0).responses.create(**ASK))
    kimi.fail(refuse("responses: something new"))
    with pytest.raises(openai.BadRequestError, match=r"something new.*the request's side"):
        mode.run(client.responses.create(**ASK))


@pytest.mark.parametrize("stream", [False, True])
def test_the_ledger_counts_responses(mode: Mode, kimi: Emulator, stream: bool) -> None:
    """With cached tokens and cost, plain and streamed."""
    client = mode.client(kimi)
    with track(client) as ledger:
        found = mode.run(client.responses.create(model="kimi-k3", input="Hi", stream=stream))
        if stream:
            mode.each(found)
    (row,) = ledger.rows
    assert (row.model, row.calls, row.uncounted) == ("kimi-k3", 1, 0)
    assert row.tokens.prompt > 0
    assert row.tokens.output > 0
    assert row.cost


def test_a_websocket_is_refused(mode: Mode, kimi: Emulator) -> None:
    """With what to use instead."""
    client = mode.client(kimi)
    if not hasattr(client.responses, "connect"):
        pytest.skip("this SDK has no websocket for responses")
    with pytest.raises(CompatError, match="stream=True"):
        client.responses.connect()


# Tracing tools and mocks ----------------------------------------------------------------------------------------------


@pytest.fixture
def restored() -> Iterator[None]:
    """The SDK's methods are put back."""
    kept = [(kind, kind.create) for kind in (Responses, AsyncResponses)]
    yield
    for kind, create in kept:
        setattr(kind, "create", create)  # noqa: B010


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("when", ["before the client", "after a call"])
@pytest.mark.parametrize("where", ["class", "instance"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_wrapper_sees_the_arguments(mode: Mode, kimi: Emulator, when: str, where: str, stream: bool) -> None:
    """On the class or the object, whenever it was put there: the caller's own arguments, once; one request is sent."""
    seen: list[dict[str, Any]] = []
    client = mode.client(kimi)
    target: Any = (AsyncResponses if mode.is_async else Responses) if where == "class" else client.responses
    if when == "after a call":
        mode.run(client.responses.create(**ASK))
    inner = target.create

    @functools.wraps(inner)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        assert kwargs["input"] == [QUESTION]
        seen.append(kwargs)
        return inner(*args, **kwargs)

    target.create = wrapper
    before = len(kimi.responses)
    found = mode.run(client.responses.create(**ASK, stream=stream))
    if stream:
        mode.each(found)
    assert seen == [{**ASK, "stream": stream}]
    assert kimi.responses[before:] == [SENT | ({"stream": True} if stream else {"stream": False})]


@pytest.mark.usefixtures("restored")
def test_a_mock_on_the_class_is_called(mode: Mode) -> None:
    """And nothing is sent."""
    kind = AsyncResponses if mode.is_async else Responses
    fake = mock.AsyncMock(return_value="x") if mode.is_async else mock.Mock(return_value="x")
    with mock.patch.object(kind, "create", fake):
        client = mode.client(api_key="sk-1")
        assert mode.run(client.responses.create(**ASK)) == "x"
    fake.assert_called_once_with(**ASK)


def test_a_wrapper_of_request_sees_the_whole_body(mode: Mode, kimi: Emulator) -> None:
    """Where logfire looks for it: in `json_data` of the options."""
    client = mode.client(kimi)
    with mock.patch.object(client, "request", wraps=client.request) as request:
        mode.run(client.responses.create(**ASK))
    options = request.call_args.args[1] if len(request.call_args.args) > 1 else request.call_args.kwargs["options"]
    assert options.json_data == SENT
