"""response_reader.py, response_stream.py: the events of the SDK, what is missing put there, and errors of the SDK."""

from __future__ import annotations

import json
from typing import Any

import openai
import pydantic
import pytest

from kimi_openai import IncompleteResponseError, StreamCutError, UnexpectedAnswerError
from kimi_openai.client.response_stream import AsyncResponseEvents, ResponseEvents
from kimi_openai.emulator import Behaviour, Emulator, drop_after, ends_after, error, reset_after, say, think
from tests.canned import Canned
from tests.canned import answering as canned_answer
from tests.conftest import Mode
from tests.responses.shapes import call, events_of, message, reasoning, response, sse
from tests.servers import MakeAnswering

ASK: Any = {"model": "kimi-k3", "input": "Hi"}


class Number(pydantic.BaseModel):
    n: int


def client_of(mode: Mode, canned: Canned, **options: Any) -> Any:
    return mode.client(api_key="sk-1", http_client=canned.client(mode.is_async), **options)


def read(mode: Mode, canned: Canned, **options: Any) -> list[Any]:
    """The events of `create(stream=True)`."""
    return mode.each(mode.run(client_of(mode, canned, **options).responses.create(**ASK, stream=True)))


def final(mode: Mode, canned: Canned, **ask: Any) -> Any:
    """The final response of `.stream()`."""
    manager = client_of(mode, canned).responses.stream(**ASK, **ask)

    async def wait() -> Any:
        async with manager as stream:
            return await stream.get_final_response()

    if mode.is_async:
        return mode.run(wait())
    with manager as stream:
        return stream.get_final_response()


def bare(stream: bytes) -> list[Any]:
    canned = Canned(stream)
    with openai.OpenAI(api_key="sk-1", base_url="http://127.0.0.1/v1", http_client=canned.client()) as client:
        return list(client.responses.create(**ASK, stream=True))


WHOLE = response(reasoning(), message("Hello 😀"), call(), call("g", "g_0", "{}", "fc_2"))


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("done", [b"", b"data: [DONE]\n\n"], ids=["no-done", "done"])
def test_the_events_are_the_sdks(mode: Mode, size: int, done: bytes) -> None:
    """Same classes, values and set fields, however the bytes are cut, with and without `[DONE]`."""
    stream = sse(*events_of(WHOLE)) + done
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    ours, theirs = read(mode, Canned(*pieces)), bare(stream)
    assert [repr(event) for event in ours] == [repr(event) for event in theirs]
    assert [event.model_fields_set for event in ours] == [event.model_fields_set for event in theirs]


def test_the_streams_are_the_sdks_classes(mode: Mode) -> None:
    """Frameworks look at that, and at `response`."""
    stream = mode.run(client_of(mode, Canned(sse(*events_of(WHOLE)))).responses.create(**ASK, stream=True))
    assert isinstance(stream, openai.AsyncStream if mode.is_async else openai.Stream)
    assert isinstance(stream, AsyncResponseEvents if mode.is_async else ResponseEvents)
    assert stream.response.status_code == 200
    mode.run(stream.close())


FAULTS = {"reset": reset_after(15), "close": drop_after(15), "end": ends_after("finish")}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("compat", ["adapt", "off"])
def test_a_cut_stream_raises(mode: Mode, kimi: Emulator, fault: str, compat: str) -> None:
    """With the text and the reasoning so far, also where the connection just ends; nothing is remembered."""
    kimi.script(think("first a"), say("one two three four"))
    kimi.fail(FAULTS[fault])
    client = mode.client(kimi, compat=compat)
    events: list[Any] = []
    with pytest.raises(StreamCutError, match=r"before its last event \(response\.completed\)") as raised:
        collect(mode, mode.run(client.responses.create(**ASK, stream=True)), events)
    assert raised.value.reasoning == "first a"
    assert "one two three four".startswith(raised.value.text)
    assert raised.value.text
    assert isinstance(raised.value, openai.APIConnectionError)
    if compat == "adapt":
        with pytest.raises(openai.NotFoundError):
            mode.run(client.responses.retrieve(events[0].response.id))


def collect(mode: Mode, stream: Any, events: list[Any]) -> None:
    async def each() -> None:
        async for event in stream:
            events.append(event)  # noqa: PERF401 - what came before an error counts

    if mode.is_async:
        mode.run(each())
    else:
        for event in stream:
            events.append(event)  # noqa: PERF402 - what came before an error counts


@pytest.mark.parametrize("failure", ["failed", "error"])
def test_a_failure_raises(mode: Mode, failure: Any) -> None:
    """By either event; the text so far is on the exception, and the event itself arrives."""
    with Emulator(behaviour=Behaviour(responses_failure=failure)) as kimi:
        kimi.script(say("one two "), error("it broke"))
        client = mode.client(kimi, max_retries=0)
        events: list[Any] = []
        with pytest.raises(openai.APIError, match="it broke") as raised:
            collect(mode, mode.run(client.responses.create(**ASK, stream=True)), events)
        assert raised.value.reply.content == "one two "
        assert (events[-1].type == "response.failed") == (failure == "failed")


def test_a_plain_failure_raises(mode: Mode) -> None:
    """A response of status "failed" is an error of the class that its code stands for."""
    failed = response(status="failed", error={"code": "server_error", "message": "it broke"})
    with pytest.raises(openai.InternalServerError, match="it broke"):
        mode.run(client_of(mode, canned_answer(failed)).responses.create(**ASK))


CUT_OFF = response(
    message('{"n": 12'), status="incomplete", incomplete_details={"reason": "max_output_tokens"}, completed_at=None
)


def test_an_incomplete_response_is_said_to_be(mode: Mode) -> None:
    """By `create` in its status, by `parse` and `get_final_response` as an error that names the reason, where the SDK's
    is about JSON or about an event."""
    assert mode.run(client_of(mode, canned_answer(CUT_OFF)).responses.create(**ASK)).status == "incomplete"
    stream = sse(*events_of(CUT_OFF, end="response.incomplete"))
    assert read(mode, Canned(stream))[-1].type == "response.incomplete"
    with pytest.raises(IncompleteResponseError, match="max_output_tokens") as raised:
        mode.run(client_of(mode, canned_answer(CUT_OFF)).responses.parse(**ASK, text_format=Number))
    assert raised.value.text == '{"n": 12'
    for text_format in ({}, {"text_format": Number}):
        with pytest.raises(IncompleteResponseError, match="max_output_tokens") as raised:
            final(mode, Canned(stream), **text_format)
        assert raised.value.response.status == "incomplete"
    assert isinstance(raised.value, RuntimeError)  # which the SDK raises


# What other servers and proxies send ----------------------------------------------------------------------------------


def changed(changes: dict[str, dict[str, Any]], *output: Any, drop: tuple[str, ...] = ()) -> bytes:
    """A stream of which events of these types are changed or left out."""
    events = [event for event in events_of(response(*output)) if event["type"] not in drop]
    return sse(*({**event, **changes.get(event["type"], {})} for event in events))


def test_an_output_that_is_null_is_put_together(mode: Mode) -> None:
    """From the items before it; a plain one is empty. The SDK raises a `TypeError` later."""
    stream = changed({"response.completed": {"response": response(output=None)}}, message("Hello"))
    assert read(mode, Canned(stream))[-1].response.output_text == "Hello"
    assert final(mode, Canned(stream)).output_text == "Hello"
    assert mode.run(client_of(mode, canned_answer(response(output=None))).responses.create(**ASK)).output_text == ""


@pytest.mark.parametrize("where", ["delta", "done"])
def test_arguments_that_come_only_before_the_item(mode: Mode, where: str) -> None:
    """In the deltas, or in the event that ends them."""
    empty = call(arguments="")
    kind = "response.function_call_arguments"
    changes = {"response.output_item.done": {"item": empty}, "response.completed": {"response": response(empty)}}
    drop = (f"{kind}.done",) if where == "delta" else (f"{kind}.delta",)
    stream = changed(changes, call(), drop=drop)
    assert final(mode, Canned(stream)).output[0].arguments == '{"a":1}'
    assert read(mode, Canned(stream))[-2].item.arguments == '{"a":1}'


def test_a_delta_that_is_null_is_left_out(mode: Mode) -> None:
    """An empty one is not."""
    stream = changed({"response.output_text.delta": {"delta": None}}, message("Hello"))
    assert "response.output_text.delta" not in [event.type for event in read(mode, Canned(stream))]
    stream = changed({"response.output_text.delta": {"delta": ""}}, message("Hello"))
    assert "response.output_text.delta" in [event.type for event in read(mode, Canned(stream))]


def test_calls_with_one_id_get_ids_of_their_own(mode: Mode) -> None:
    """In every event; the SDK's `.stream()` cannot have two of one id."""
    twice = (call(), call(arguments='{"a":2}', id="fc_2"))
    stream = sse(*events_of(response(*twice)))
    assert [item.call_id for item in final(mode, Canned(stream)).output] == ["f_0", "f_1"]
    items = [event.item for event in read(mode, Canned(stream)) if hasattr(event, "item")]
    assert [item.call_id for item in items] == ["f_0", "f_0", "f_1", "f_1"]


def test_unknown_events_pass(mode: Mode) -> None:
    """With their type."""
    events = events_of(response(message()))
    stream = sse(*events[:3], {"type": "response.new", "sequence_number": 3}, *events[3:])
    assert [event.type for event in read(mode, Canned(stream))].count("response.new") == 1


BROKEN: dict[str, bytes] = {
    "no JSON": sse(*events_of(WHOLE)[:8]) + b"data: {broken\n\n",
    "a list": b"data: [1]\n\n",
    "a response that is a text": sse({"type": "response.created", "response": "x"}),
    "an item that is null": sse({"type": "response.output_item.done", "output_index": 0, "item": None}),
    "an output of texts": sse({"type": "response.completed", "response": response("x")}),
    "a delta that is a number": sse({"type": "response.output_text.delta", "delta": 5, "output_index": 0}),
    "no place": sse({"type": "response.output_item.done", "item": message()}),
    "no first event": sse(*events_of(WHOLE)[3:]),
    "no part": changed({}, message("Hello"), drop=("response.content_part.added",)),
    "the error of a proxy": b'data: {"error": {"message": "bad gateway", "type": "server_error"}}\n\n',
}


@pytest.mark.parametrize("stream", BROKEN.values(), ids=BROKEN)
def test_what_is_no_stream_raises_an_error_of_the_sdk(mode: Mode, stream: bytes) -> None:
    """Whatever it is; `.stream()` would raise an `IndexError` and others."""
    with pytest.raises(openai.OpenAIError):
        final(mode, Canned(stream))


PLAIN = {
    "a list": [],
    "an output that is a text": response(output="x"),
    "an item that is a text": response("x"),
    "content that is a text": response({**message(), "content": "x"}),
    "a text that is a number": response({**message(), "content": [{"type": "output_text", "text": 5}]}),
    "a call without a name": response({**call(), "name": None}),
    "an item without a type": response({"id": "x"}),
}


@pytest.mark.parametrize("body", PLAIN.values(), ids=PLAIN)
def test_what_is_no_response_raises_an_error_of_the_sdk(mode: Mode, body: Any) -> None:
    """At the call, not when a field of it is read."""
    with pytest.raises(openai.APIResponseValidationError):
        mode.run(client_of(mode, canned_answer(body)).responses.create(**ASK))


def test_the_connection_is_used_again(mode: Mode, answering: MakeAnswering) -> None:
    """What follows the last event is read, so five streams take one connection."""
    server = answering(200, sse(*events_of(WHOLE)), {"Content-Type": "text/event-stream"})
    client = mode.client(base_url=server.base_url, api_key="sk-1")
    for _ in range(5):
        mode.each(mode.run(client.responses.create(**ASK, stream=True)))
    assert len(server.ports) == 5
    assert len(set(server.ports)) == 1


def test_a_parsed_stream(mode: Mode) -> None:
    """`.stream(text_format=...)` and `parse` give the caller's class."""
    whole = response(message('{"n": 12}'))
    assert final(mode, Canned(sse(*events_of(whole))), text_format=Number).output_parsed == Number(n=12)
    assert (
        mode.run(client_of(mode, canned_answer(whole)).responses.parse(**ASK, text_format=Number)).output_parsed.n == 12
    )
    with pytest.raises((pydantic.ValidationError, UnexpectedAnswerError)):
        mode.run(client_of(mode, canned_answer(response(message("no")))).responses.parse(**ASK, text_format=Number))


def test_the_body_is_posted_whole(mode: Mode) -> None:
    """The input and the tools are in the body once, and the model and the stream too."""
    canned = Canned(sse(*events_of(WHOLE)))
    read(mode, canned)
    assert json.loads(canned.bodies[0]) == {"input": "Hi", "model": "kimi-k3", "stream": True}
