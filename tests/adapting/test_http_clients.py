"""adapting_http_client: a bare `OpenAI` sends and gets what our client does."""

from __future__ import annotations

import json
import warnings
from typing import Any

import openai
import pydantic
import pytest

from kimi_openai import KimiCompatWarning, SettingsError, instant
from kimi_openai.emulator import (
    Emulator,
    call,
    ends_after,
    error_event,
    html,
    out_of_quota,
    overloaded,
    pause,
    rate_limited,
    reset,
    reset_after,
    say,
    think,
)
from tests.conftest import Mode
from tests.waiting import wait_until

from .conftest import MakeBare

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
ASK: dict[str, Any] = {"model": "kimi-k3", "messages": HELLO}


def client_of(bare: MakeBare, kimi: Emulator, **options: Any) -> Any:
    """A bare client for the emulator."""
    return bare(base_url=kimi.base_url, api_key=kimi.api_key, **options)


def test_a_request_is_adapted(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """The body is the one that our client sends, the answer is the one that it gives, and the warnings are its own."""
    ask: dict[str, Any] = {
        "model": "gpt-4o",
        "temperature": 0.2,
        "max_tokens": 50,
        "messages": [{"role": "developer", "content": "Be brief."}, *HELLO],
        "extra_body": {"thinking": {"type": "enabled", "keep": "all"}},
    }
    options = {"model_aliases": {"gpt-4o": "kimi-k3"}}
    with warnings.catch_warnings(record=True) as by_us:
        warnings.simplefilter("always")
        ours = mode.run(mode.client(kimi, **options).chat.completions.create(**ask))
    with warnings.catch_warnings(record=True) as by_bare:
        warnings.simplefilter("always")
        theirs = mode.run(client_of(bare, kimi, adapting=options).chat.completions.create(**ask))
    assert kimi.chats[0] == kimi.chats[1]
    assert kimi.chats[0]["messages"][0]["role"] == "system"
    assert theirs.choices == ours.choices
    assert [str(each.message) for each in by_bare] == [str(each.message) for each in by_us]
    assert {each.filename for each in by_bare} <= {__file__, *(each.filename for each in by_us)}


def test_a_stream_is_read_as_by_our_client(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """The same deltas, and the usage where OpenAI has it, while Kimi sends it inside a choice."""
    steps = (think("hm"), say("hello you"))
    mode.run(mode.client(kimi).chat.completions.create(**ASK))  # from now on the prompt is cached
    kimi.script(*steps)
    ours = mode.each(mode.run(mode.client(kimi).chat.completions.create(**ASK, stream=True)))
    kimi.script(*steps)
    theirs = mode.each(mode.run(client_of(bare, kimi).chat.completions.create(**ASK, stream=True)))
    assert [chunk.choices for chunk in theirs] == [chunk.choices for chunk in ours]
    assert theirs[-1].usage == ours[-1].usage
    assert theirs[-1].usage.total_tokens > 0


def test_functions_are_answered_as_function_calls(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """OpenAI's old form, in an answer and in a stream."""
    function = {"name": "get_time", "parameters": {"type": "object", "properties": {}}}
    client = client_of(bare, kimi)
    kimi.script(call("get_time", {}))
    with pytest.warns(KimiCompatWarning):
        answer = mode.run(client.chat.completions.create(**ASK, functions=[function]))
    assert answer.choices[0].message.function_call.name == "get_time"
    assert kimi.chats[-1]["tools"] == [{"type": "function", "function": function}]
    kimi.script(call("get_time", {}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", KimiCompatWarning)
        chunks = mode.each(mode.run(client.chat.completions.create(**ASK, functions=[function], stream=True)))
    names = [each.function_call.name for each in (chunk.choices[0].delta for chunk in chunks) if each.function_call]
    assert names[0] == "get_time"
    assert chunks[-1].choices[0].finish_reason == "function_call"


def test_reasoning_that_a_program_drops_is_put_back(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """The HTTP client remembers it, whichever of the program's clients asks; streams feed it too."""
    tool: Any = {"type": "function", "function": {"name": "get", "parameters": {"type": "object", "properties": {}}}}
    client = client_of(bare, kimi)
    kimi.script(think("look"), call("get", {"a": 1}))
    mode.each(mode.run(client.chat.completions.create(**ASK, tools=[tool], stream=True)))
    made = {"id": "get_0", "type": "function", "function": {"name": "get", "arguments": '{"a": 1}'}}
    messages = [
        *HELLO,
        {"role": "assistant", "tool_calls": [made]},
        {"role": "tool", "tool_call_id": "get_0", "content": "x"},
    ]
    other = client.with_options(base_url=kimi.base_url.replace("127.0.0.1", "localhost"))
    mode.run(other.chat.completions.create(model="kimi-k3", messages=messages, tools=[tool]))
    assert kimi.chats[-1]["messages"][1]["reasoning_content"] == "look"


def test_names_that_kimi_refuses_are_mapped_both_ways(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """In answers and in streams."""
    schema = {"type": "object", "properties": {"required": {"type": "integer"}}}
    tool: Any = {"type": "function", "function": {"name": "fs.read", "parameters": schema}}
    client = client_of(bare, kimi)
    kimi.script(call("fs_read", {"required_": 1}))
    with pytest.warns(KimiCompatWarning):
        answer = mode.run(client.chat.completions.create(**ASK, tools=[tool]))
    function = answer.choices[0].message.tool_calls[0].function
    assert kimi.chats[-1]["tools"][0]["function"]["name"] == "fs_read"
    assert (function.name, json.loads(function.arguments)) == ("fs.read", {"required": 1})
    kimi.script(call("fs_read", {"required_": 1}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", KimiCompatWarning)
        chunks = mode.each(mode.run(client.chat.completions.create(**ASK, tools=[tool], stream=True)))
    pieces = [piece.function for chunk in chunks for piece in chunk.choices[0].delta.tool_calls or ()]
    assert pieces[0].name == "fs.read"
    assert json.loads("".join(piece.arguments or "" for piece in pieces)) == {"required": 1}


def test_a_batch_file_is_looked_through(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """A line that Kimi would refuse is named, and nothing is uploaded."""
    line = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {**ASK, "messages": "Hi"}}
    file = ("b.jsonl", json.dumps(line).encode())
    with pytest.raises(openai.BadRequestError, match="line 1"):
        mode.run(client_of(bare, kimi).files.create(file=file, purpose="batch"))
    assert kimi.requests == []


class Answer(pydantic.BaseModel):
    """What is asked for."""

    number: int


def chat_parse(mode: Mode, client: Any) -> Any:
    return mode.run(client.chat.completions.parse(**ASK, response_format=Answer)).choices[0].message.parsed


def chat_stream(mode: Mode, client: Any) -> Any:
    manager = client.chat.completions.stream(**ASK, response_format=Answer)
    return mode.run(_streamed(mode, manager, "get_final_completion")).choices[0].message.parsed


def chat_chunks(mode: Mode, client: Any) -> Any:
    form = {"type": "json_object"}
    chunks = mode.each(mode.run(client.chat.completions.create(**ASK, response_format=form, stream=True)))
    return Answer.model_validate_json("".join(chunk.choices[0].delta.content or "" for chunk in chunks))


def responses_parse(mode: Mode, client: Any) -> Any:
    return mode.run(client.responses.parse(model="kimi-k3", input="Hi", text_format=Answer)).output_parsed


def responses_stream(mode: Mode, client: Any) -> Any:
    manager = client.responses.stream(model="kimi-k3", input="Hi", text_format=Answer)
    return mode.run(_streamed(mode, manager, "get_final_response")).output_parsed


def _streamed(mode: Mode, manager: Any, final: str) -> Any:
    """What a stream of the SDK ends with."""

    async def read() -> Any:
        async with manager as stream:
            return await getattr(stream, final)()

    if mode.is_async:
        return read()
    with manager as stream:
        return getattr(stream, final)()


@pytest.mark.parametrize("ask", [chat_parse, chat_stream, chat_chunks, responses_parse, responses_stream])
def test_a_fenced_json_answer_is_parsed(mode: Mode, kimi: Emulator, bare: MakeBare, ask: Any) -> None:
    """The bare SDK knows no Markdown."""
    kimi.script(say('```json\n{"number": 3}\n```'))
    with pytest.warns(KimiCompatWarning, match="parsed without the fence"):
        assert ask(mode, client_of(bare, kimi)) == Answer(number=3)


def test_openais_headers_do_not_leave(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """Neither organization and project nor what the bare SDK says of itself; the caller's own headers do."""
    client = client_of(bare, kimi, organization="org-1", project="proj-1", default_headers={"X-Title": "mine"})
    mode.run(client.chat.completions.create(**ASK, extra_headers={"OpenAI-Beta": "x", "Cookie": "a=b"}))
    headers = kimi.requests[-1].headers
    assert headers["x-title"] == "mine"
    assert [name for name in headers if name.lower().startswith("openai-") or name.lower() == "cookie"] == []
    assert headers["user-agent"].startswith(("KimiOpenAI/", "AsyncKimiOpenAI/"))


def test_what_cannot_be_repaired_is_not_sent(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """It is a `BadRequestError` with the text of our `CompatError`, and it is not retried."""
    part = {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}
    client = client_of(bare, kimi)
    with pytest.raises(openai.BadRequestError, match=r"(?s)was not sent.*image_part") as caught:
        mode.run(client.chat.completions.create(model="kimi-k3", messages=[{"role": "user", "content": [part]}]))
    assert caught.value.code == "kimi_compat"
    strict = client_of(bare, kimi, adapting={"compat": "strict"})
    with pytest.raises(openai.BadRequestError, match="temperature"):
        mode.run(strict.chat.completions.create(**ASK, temperature=0.1))
    assert kimi.requests == []


def test_an_error_has_our_text_and_no_key(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """An empty account is asked once; the exception says what to do and does not hold the key."""
    kimi.fail(out_of_quota())
    with pytest.raises(openai.RateLimitError, match=r"no balance left; .* \(not retried\)") as caught:
        mode.run(client_of(bare, kimi).chat.completions.create(**ASK))
    assert caught.value.type == "exceeded_current_quota_error"
    assert kimi.api_key not in str(vars(caught.value)) + str(caught.value.request.headers.raw)
    assert len(kimi.requests) == 1


def test_retries_are_steered(mode: Mode, kimi: Emulator, bare: MakeBare, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bare SDK's loop waits as long as the message says, and longer each time if the engine is overloaded."""
    import anyio

    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(anyio, "sleep", sleep)
    monkeypatch.setattr("time.sleep", waits.append)
    kimi.fail(rate_limited(seconds=1), overloaded(), overloaded())
    client = client_of(bare, kimi, max_retries=2)
    with pytest.raises(openai.RateLimitError, match=r"overloaded; .* \(retried 2 times\)"):
        mode.run(client.chat.completions.create(**ASK))
    assert len(waits) == 2
    assert 1 <= waits[0] <= 2
    assert 6 <= waits[1] <= 9


def test_a_connection_that_breaks_is_retried(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """By the bare SDK, which gets the exception that it knows; without retries it is an `APIConnectionError`."""
    kimi.fail(reset(), reset())
    with pytest.raises(openai.APIConnectionError):
        mode.run(client_of(bare, kimi, max_retries=0).chat.completions.create(**ASK))
    assert mode.run(client_of(bare, kimi, max_retries=1).chat.completions.create(**ASK)).choices
    assert len(kimi.requests) == 3


@pytest.mark.parametrize("fault", [ends_after(3), reset_after(3), error_event(3)], ids=["ends", "reset", "error"])
def test_a_stream_that_breaks_is_an_error(mode: Mode, kimi: Emulator, bare: MakeBare, fault: Any) -> None:
    """The bare SDK raises an `APIError` with our text, after the chunks that came."""
    kimi.fail(fault)
    stream = mode.run(client_of(bare, kimi).chat.completions.create(**ASK, stream=True))
    for _ in range(3):
        assert mode.run(anext(stream) if mode.is_async else next(stream)).choices
    with pytest.raises(openai.APIError, match=r"side; .* \(not retried\)"):
        mode.each(stream)


def test_a_page_instead_of_an_answer_is_an_error(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """Status 200 with HTML: a bare SDK would return an empty object or fail in pydantic."""
    kimi.fail(html(200))
    with pytest.raises(openai.InternalServerError, match="check that base_url is Kimi's"):
        mode.run(client_of(bare, kimi).chat.completions.create(**ASK))
    assert len(kimi.requests) == 1


def test_other_endpoints_pass(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """Lists, uploads (with the rule for their purpose), contents of files, and errors, which are explained."""
    client = client_of(bare, kimi)
    assert [model.id for model in mode.run(client.models.list()).data]
    with pytest.warns(KimiCompatWarning, match="purpose"):
        file = mode.run(client.files.create(file=("a.txt", b"tuesday\r\n--x"), purpose="assistants"))
    assert "tuesday" in mode.run(client.files.content(file.id)).text
    assert mode.run(client.files.delete(file.id)).deleted
    with pytest.raises(openai.NotFoundError, match="check its id"):
        mode.run(client.files.retrieve(file.id))
    assert mode.run(client.get("/users/me/balance", cast_to=object))["data"]["available_balance"]


def test_the_raw_response_is_whole(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """Headers with Kimi's request id and the notes, and the time that it took."""
    client = client_of(bare, kimi)
    with pytest.warns(KimiCompatWarning):
        raw = mode.run(client.chat.completions.with_raw_response.create(**ASK, temperature=0.3))
    assert raw.headers["x-request-id"] == raw.parse()._request_id
    assert raw.headers["x-kimi-notes"] == "temperature: left out"
    assert raw.elapsed.total_seconds() > 0


def test_a_request_for_another_api_passes_as_it_is(mode: Mode, answering: Any, bare: MakeBare) -> None:
    """Nothing of ours is added to it."""
    server = answering(200, b"picture", {"Content-Type": "image/png"})
    http = bare(api_key="sk-1")._client
    response = mode.run(http.get(server.base_url.replace("/v1", "/a.png")))
    assert response.content == b"picture"
    assert "authorization" not in response.request.headers


def test_limits_hold_for_all_clients_of_an_http_client(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """`max_concurrency` counts a stream until it is closed, and `patience` ends the wait for a permit."""
    client = client_of(bare, kimi, max_retries=0, adapting={"max_concurrency": 1, "patience": 0.2})
    other = client.with_options(api_key=kimi.api_key, base_url=kimi.base_url.replace("127.0.0.1", "localhost"))
    stream = mode.run(client.chat.completions.create(**ASK, stream=True))
    with instant(), pytest.raises(openai.APITimeoutError):
        mode.run(other.chat.completions.create(**ASK))
    mode.run(stream.close())
    assert mode.run(other.chat.completions.create(**ASK)).choices


def test_a_stream_that_is_closed_early_ends_the_request(mode: Mode, kimi: Emulator, bare: MakeBare) -> None:
    """The connection to Kimi is closed with the bare SDK's stream."""
    kimi.script(say("one two"), pause(3600), say("three"))
    stream = mode.run(client_of(bare, kimi).chat.completions.create(**ASK, stream=True))
    assert mode.run(anext(stream) if mode.is_async else next(stream)).choices
    mode.run(stream.close())
    wait_until(lambda: kimi.requests[-1].disconnected)


def test_the_functions_show_our_options() -> None:
    """`help` has the options of `create_client`."""
    import inspect

    import kimi_openai

    assert "model_aliases" in inspect.signature(kimi_openai.adapting_http_client).parameters
    assert "fetch_images" in inspect.signature(kimi_openai.adapting_async_http_client).parameters


@pytest.mark.parametrize(
    ("wrong", "error"),
    [({"timeot": 3}, TypeError), ({"compat": "loose"}, SettingsError), ({"patience": 0}, SettingsError)],
)
def test_options_are_checked_at_once(bare: MakeBare, wrong: dict[str, Any], error: type[Exception]) -> None:
    """Also if there is no key yet."""
    with pytest.raises(error, match=next(iter(wrong))):
        bare(api_key="sk-1", adapting=wrong)
