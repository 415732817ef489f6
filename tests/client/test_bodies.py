"""bodies.py: whatever comes with a good status is an answer or an exception of the SDK's, and the caller's own pass."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pydantic
import pytest

from kimi_openai import create_client, instant, stream, track
from tests.canned import LIBRARY, Canned
from tests.conftest import Mode
from tests.fuzz.answers import Answer
from tests.fuzz.wire import Server
from tests.servers import MakeAnswering

ASK: Any = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
JSON = "application/json; charset=utf-8"


def completion(choices: object = None, **fields: object) -> dict[str, Any]:
    message = {"role": "assistant", "content": "ok"}
    good = [{"index": 0, "message": message, "finish_reason": "stop"}]
    base = {"id": "c", "object": "chat.completion", "created": 1, "model": "kimi-k3"}
    return {**base, "choices": good if choices is None else choices, **fields}


def message(**fields: object) -> dict[str, Any]:
    return completion([{"index": 0, "message": {"role": "assistant", "content": "ok", **fields}}])


def call(**fields: object) -> dict[str, Any]:
    return message(
        tool_calls=[{"id": "f_0", "type": "function", "function": {"name": "f", "arguments": "{}"}, **fields}]
    )


UNUSABLE = {
    "a comma missing": (b'{"id": "c" "x": 1}', "JSON that cannot be read"),
    "not UTF-8": (b'{"id": "\xff"}', "JSON that cannot be read"),
    "nested": (b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}", "nested too deeply"),
    "nested a little": (b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", "nested too deeply"),
    "a very large number": (b'{"created":' + b"9" * 5000 + b"}", "JSON that cannot be read"),
    "a nested error": (b'{"error":' + b"[" * 3000 + b"]" * 3000 + b"}", "nested too deeply"),
    "an error that is not JSON": (b'{"error" x}', "JSON that cannot be read"),
    "a list": ([1], "the answer is a list instead of an object"),
    "null": (None, "not whole JSON"),
    "no choices": ({"id": "c"}, "choices is null instead of a list"),
    "choices": (completion({"0": {}}), "choices is an object instead of a list"),
    "a choice": (completion(["x"]), "choices.0 is text instead of an object"),
    "no message": (completion([{"index": 0}]), "choices.0.message is null instead of an object"),
    "a message": (completion([{"message": ["x"]}]), "choices.0.message is a list instead of an object"),
    "content": (message(content={"a": 1}), "message.content is an object instead of text"),
    "content in odd parts": (message(content=[{"type": "image"}]), "content.0 is null instead of text"),
    "tool calls": (message(tool_calls="f"), "tool_calls is text instead of a list"),
    "a call": (message(tool_calls=[None]), "tool_calls.0 is null instead of an object"),
    "an id": (call(id=[1]), "tool_calls.0.id is a list instead of text"),
    "no function": (call(function=None), "tool_calls.0.function is null instead of an object"),
    "a name": (call(function={"name": 1}), "function.name is a number instead of text"),
    "no name": (call(function={}), "function.name is null instead of text"),
    "arguments": (call(function={"name": "f", "arguments": True}), "arguments is a boolean instead of text"),
}


@pytest.mark.parametrize(("answer", "said"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_no_answer_is_the_sdks_exception(mode: Mode, answering: MakeAnswering, answer: Any, said: str) -> None:
    """It says what came, whose side it is and what to do; plain, raw and streamed responses alike."""
    client = mode.client(api_key="sk-1", base_url=answering(200, answer).base_url, max_retries=0)
    completions = client.chat.completions
    said = rf"^status 200 with .*{said}.*; Kimi's or a proxy's side; check that .* \(not retried\)$"
    with pytest.raises(openai.APIResponseValidationError, match=said) as caught:
        mode.run(completions.create(**ASK))
    assert caught.value.response.status_code == 200
    with pytest.raises(openai.APIResponseValidationError):
        mode.run(completions.with_raw_response.create(**ASK)).parse()
    if answer is not None:  # which the SDK leaves to a caller who reads it alone
        with pytest.raises(openai.APIResponseValidationError):
            mode.run(read_alone(mode, completions.with_streaming_response.create(**ASK)))


def read_alone(mode: Mode, manager: Any) -> Any:
    async def read_async() -> Any:
        async with manager as answer:
            return await answer.parse()

    if mode.is_async:
        return read_async()
    with manager as answer:
        return answer.parse()


ODD_USAGES: dict[str, Any] = {
    "text": "x",
    "a list": [1],
    "details that are lists": {"prompt_tokens": 5, "prompt_tokens_details": [1], "completion_tokens_details": "x"},
    "no counts": {"prompt_tokens": -1, "completion_tokens": True, "total_tokens": "x", "cached_tokens": [1]},
    "nulls": dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens")),
    "a name of the SDK's": {"prompt_tokens": 5, "_fields_set": 1, "_BaseModel__cls": 2},
    "half a character": {"prompt_tokens": 5, "\ud83d": 1},
}


@pytest.mark.parametrize("usage", ODD_USAGES.values(), ids=ODD_USAGES)
def test_an_odd_usage_costs_no_answer(mode: Mode, answering: MakeAnswering, usage: Any) -> None:
    """The answer comes, and a ledger counts it with what can be counted."""
    client = mode.client(api_key="sk-1", base_url=answering(200, completion(usage=usage)).base_url)
    ledger = track(client)
    answer = mode.run(client.chat.completions.create(**ASK))
    assert answer.choices[0].message.content == "ok"
    counted = isinstance(usage, dict) and usage.get("prompt_tokens") == 5
    assert (ledger.calls, ledger.tokens.prompt, ledger.tokens.output) == (1, 5 if counted else 0, 0)
    assert "1 calls" in repr(ledger)


def test_what_an_answer_can_do_without_counts_as_null(mode: Mode, answering: MakeAnswering) -> None:
    """Reasoning, logprobs and finish_reason of a wrong type; content in parts is joined, arguments are a text."""
    function = {"name": "f", "arguments": None, "_fields_set": 3}
    odd = {
        "message": {
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            "reasoning_content": {"a": 1},
            "role": 5,
            "tool_calls": [{"id": "f_0", "type": "function", "function": function}],
        },
        "finish_reason": [1],
        "logprobs": {"content": [1]},
    }
    client = mode.client(api_key="sk-1", base_url=answering(200, completion([odd])).base_url)
    (choice,) = mode.run(client.chat.completions.create(**ASK)).choices
    assert (choice.index, choice.finish_reason, choice.logprobs) == (0, None, None)
    said = choice.message
    assert (said.content, said.reasoning_content, said.role) == ("ab", None, "assistant")
    assert said.tool_calls[0].function.arguments == ""


@pytest.mark.parametrize("answer", [{"data": [1, {"id": "f"}]}, {"data": {"id": "f"}}, {"data": [{"id": ["f"]}]}, [1]])
def test_a_list_of_something_else_is_the_sdks_exception(mode: Mode, answering: MakeAnswering, answer: Any) -> None:
    """Of files, whose next page begins after an id, and of models."""
    client = mode.client(api_key="sk-1", base_url=answering(200, answer).base_url)
    for resource in (client.files, client.models):
        with pytest.raises(openai.APIResponseValidationError, match="instead of a"):
            mode.each(resource.list())


@pytest.mark.parametrize("answer", [{"object": "list", "data": None}, {"object": "list"}])
def test_a_list_that_is_null_is_empty(mode: Mode, answering: MakeAnswering, answer: Any) -> None:
    """Servers written in Go send an empty list so."""
    client = mode.client(api_key="sk-1", base_url=answering(200, answer).base_url)
    assert mode.each(client.files.list()) == []


@pytest.mark.parametrize("kind", [object, dict[str, object], list[object]])
def test_json_for_a_callers_own_type_is_decoded_in_the_same_place(mode: Mode, answering: Any, kind: Any) -> None:
    """`client.get(..., cast_to=...)`; text stays text."""
    client = mode.client(api_key="sk-1", base_url=answering(200, b'{"a" 1}').base_url)
    with pytest.raises(openai.APIResponseValidationError, match="JSON that cannot be read"):
        mode.run(client.get("/x", cast_to=kind))
    assert mode.run(client.get("/x", cast_to=str)) == '{"a" 1}'


def test_a_mark_before_the_json_and_repeated_keys_are_read(mode: Mode, answering: MakeAnswering) -> None:
    """A byte order mark is no reason to lose an answer; of repeated keys the last counts."""
    body = json.dumps(completion()).encode().replace(b"{", b'\xef\xbb\xbf{"choices": 5, ', 1)
    client = mode.client(api_key="sk-1", base_url=answering(200, body).base_url)
    assert mode.run(client.chat.completions.create(**ASK)).choices[0].message.content == "ok"


@pytest.mark.parametrize("charset", ["utf-16", "hex", "undefined", "idna", "unicode_escape", "nowhere"])
@pytest.mark.parametrize("status", [200, 400])
def test_no_charset_breaks_an_error(mode: Mode, answering: MakeAnswering, charset: str, status: int) -> None:
    """A web page in a charset that Python cannot read is shown as UTF-8; a charset that it can is used."""
    page = "<html>é</html>"
    server = answering(status, page.encode(), {"Content-Type": f"text/html; charset={charset}"})
    client = mode.client(api_key="sk-1", base_url=server.base_url, max_retries=0)
    for is_stream in (False, True):
        with pytest.raises(openai.APIError) as caught:
            mode.run(client.chat.completions.create(**ASK, stream=is_stream))
        assert caught.value.body == page
    latin = answering(200, page.encode("latin-1"), {"Content-Type": "text/html; charset=latin-1"})
    assert mode.run(mode.client(api_key="sk-1", base_url=latin.base_url).files.content("f")).text == page


ERROR_BODIES: dict[str, Any] = {
    "nested": b'{"error":' + b"[" * 3000 + b"]" * 3000 + b"}",
    "nested a little": b'{"error":' + b"[" * 300 + b"]" * 300 + b"}",
    "not UTF-8": b'{"error": {"message": "\xff", "type": "x"}}',
    "a list": [{"message": "x"}],
    "a number": 5,
    "null": None,
    "a list for an error": {"error": [{"message": "x"}]},
    "a list for a message": {"error": {"message": ["x"], "type": ["y"], "code": {"a": 1}}},
    "nothing": b"",
}


@pytest.mark.parametrize("body", ERROR_BODIES.values(), ids=ERROR_BODIES)
def test_an_error_status_is_its_exception_whatever_is_in_the_body(
    mode: Mode, answering: MakeAnswering, body: Any
) -> None:
    """The class comes from the status; the exception can be shown."""
    for status, kind in (
        (400, openai.BadRequestError),
        (429, openai.RateLimitError),
        (503, openai.InternalServerError),
    ):
        client = mode.client(api_key="sk-1", base_url=answering(status, body).base_url, max_retries=1)
        with instant(), pytest.raises(kind, match=r"(?s) -- .* side; .*\((not retried|retried once)"):
            mode.run(client.chat.completions.create(**ASK))


@pytest.fixture
def breaking() -> Iterator[Any]:
    """Makes a server whose body is shorter than it says: `breaking(status, headers)` has `requests`."""
    servers: list[Any] = []

    def make(status: int, headers: dict[str, str]) -> Any:
        def answer(*request: Any) -> Answer:
            server.requests.append(request)
            return Answer(status, headers, (b"<html",), "RemoteProtocolError")

        server: Any = Server(answer)
        server.requests = []
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.close()


@pytest.mark.parametrize("media_type", ["text/html", JSON])
def test_a_body_that_breaks_instead_of_a_stream_is_a_connection_error(
    mode: Mode, breaking: Any, media_type: str
) -> None:
    """The SDK reads it when it no longer looks for the HTTP library's exceptions. `stream` asks again."""
    server = breaking(200, {"content-type": media_type})
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    with pytest.raises(openai.APIConnectionError, match=r"\(\w+Error\) -- no answer came through"):
        mode.run(client.chat.completions.create(**ASK, stream=True))
    before = len(server.requests)
    with instant(), pytest.raises(openai.APIConnectionError):
        mode.run(stream(client, **ASK).get_final_completion())
    assert len(server.requests) - before > 2


@pytest.mark.parametrize("status", [200, 300, 307, 404])
def test_a_body_that_breaks_while_it_is_read_late_is_a_connection_error(mode: Mode, breaking: Any, status: int) -> None:
    """Of a response that the caller reads, and of an error or redirect."""
    server = breaking(status, {"content-type": JSON, "location": "http://[::1"})
    client = mode.client(api_key="sk-1", base_url=server.base_url, max_retries=0)
    with pytest.raises(openai.APIConnectionError):
        mode.run(read_alone(mode, client.chat.completions.with_streaming_response.create(**ASK)))


def test_a_redirect_to_no_url_is_an_error_of_its_status(mode: Mode, answering: MakeAnswering) -> None:
    """The HTTP library's own exception for such a URL is no request error."""
    server = answering(307, {}, {"Location": "http://[::1"})
    with pytest.raises(openai.APIStatusError) as caught:
        mode.each(mode.client(api_key="sk-1", base_url=server.base_url, max_retries=0).models.list())
    assert caught.value.status_code == 307


class Strict(pydantic.BaseModel):
    """A caller's model, which the answers below do not fit."""

    number: int

    @pydantic.model_validator(mode="before")
    @classmethod
    def look(cls, value: Any) -> Any:
        if value == {"raise": True}:
            raise KeyError("the caller's own")
        return value


@pytest.mark.parametrize(("content", "kind"), [('{"a": 1}', pydantic.ValidationError), ('{"raise": true}', KeyError)])
def test_exceptions_of_the_callers_model_pass(mode: Mode, answering: MakeAnswering, content: str, kind: Any) -> None:
    """What a response model raises is the caller's, in `parse` and in `.stream()`."""
    client = mode.client(api_key="sk-1", base_url=answering(200, message(content=content)).base_url)
    with pytest.raises(kind):
        mode.run(client.chat.completions.parse(**ASK, response_format=Strict))
    chunk = completion([{"index": 0, "delta": {"content": content}, "finish_reason": "stop"}])
    chunk["object"] = "chat.completion.chunk"
    events = b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n"
    client = mode.client(api_key="sk-1", http_client=Canned(events).client(mode.is_async))
    with pytest.raises(kind):
        mode.run(final(mode, client.chat.completions.stream(**ASK, response_format=Strict)))


def final(mode: Mode, manager: Any) -> Any:
    async def read_async() -> Any:
        async with manager as stream:
            return await stream.get_final_completion()

    if mode.is_async:
        return read_async()
    with manager as stream:
        return stream.get_final_completion()


def test_exceptions_of_the_callers_hooks_pass() -> None:
    """The callable for the key, `on_note`, and an event hook of the caller's HTTP client (before openai 3 the SDK
    takes that for a broken connection)."""

    def fail(*_: object) -> Any:
        raise LookupError("the caller's own")

    canned = Canned(json.dumps(completion()).encode(), content_type=JSON)
    hooked = LIBRARY.Client(transport=canned, event_hooks={"response": [fail]})
    for options, more in (
        ({"api_key": fail}, {}),
        ({"api_key": "sk-1", "on_note": fail}, {"temperature": 0.1}),
        ({"api_key": "sk-1", "http_client": hooked}, {}),
    ):
        given: Any = {"http_client": canned.client(), "max_retries": 0, **options}
        is_hidden = "http_client" in options and openai.__version__ < "3"
        expected = openai.APIConnectionError if is_hidden else LookupError
        with create_client(**given) as client, pytest.raises(expected) as caught:
            client.chat.completions.create(**ASK, **more)
        assert str(caught.value.__cause__ if is_hidden else caught.value) == "the caller's own"


def test_a_caller_who_subclasses_the_response_keeps_the_class() -> None:
    """A mock library may have a response class of its own."""

    class Mine(LIBRARY.Response):  # type: ignore[misc]
        pass

    class Transport(LIBRARY.BaseTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            return Mine(200, json=completion(), request=request)

    http = LIBRARY.Client(transport=Transport())
    with create_client(api_key="sk-1", http_client=http) as client:
        raw = client.chat.completions.with_raw_response.create(**ASK)
    assert isinstance(raw.http_response, Mine)
    assert raw.parse() == raw.parse()
    assert raw.http_response.json()["id"] == "c"
