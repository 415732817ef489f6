"""chunks.py: the chunks of the SDK, however the bytes are cut, and an error if the answer is not whole."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice

import kimi_openai
from kimi_openai.client.chunks import AsyncChunkStream, ChunkStream
from kimi_openai.emulator import Emulator, drop_after, ends_after, error_event, garbage, reset_after, say, think
from kimi_openai.errors import exceptions as errors
from tests.canned import Canned
from tests.conftest import Mode
from tests.servers import MakeAnswering

WIRE = Path(__file__).parents[1] / "wire"
ASK: Any = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
FINISH = {"index": 0, "delta": {}, "finish_reason": "stop"}
DONE = b"data: [DONE]\n\n"


def chunk(*choices: object, **fields: object) -> dict[str, Any]:
    base = {"id": "c", "object": "chat.completion.chunk", "created": 1788439520, "model": "kimi-k3"}
    return {**base, "choices": list(choices), **fields}


def delta(finish_reason: str | None = None, **fields: object) -> dict[str, Any]:
    return {"index": 0, "delta": fields, "finish_reason": finish_reason}


def event(value: object) -> bytes:
    return b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n"


def whole(*values: object) -> bytes:
    """A stream of these chunks that ends well."""
    return b"".join(map(event, [*values, chunk(FINISH)])) + DONE


def cut(stream: bytes, size: int) -> list[bytes]:
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def read(canned: Canned, kind: Any = kimi_openai.create_client, **ask: Any) -> list[Any]:
    with kind(api_key="sk-1", base_url="http://127.0.0.1/v1", http_client=canned.client()) as client:
        return list(client.chat.completions.create(**{**ASK, **ask}, stream=True))


def seen(chunks: list[Any], *, calls: bool = True) -> list[Any]:
    """Everything visible of chunks except usage, which ours have in one more place, and perhaps tool calls."""
    for each in chunks:
        if isinstance(each, ChatCompletionChunk):
            each.__dict__["usage"] = None
            each.__pydantic_fields_set__.discard("usage")
        for part in parts(each):
            if not calls and "tool_calls" in part.__dict__:
                part.__dict__["tool_calls"] = None
    return [(type(each), repr(each), [part.model_fields_set for part in parts(each)]) for each in chunks]


def parts(each: Any) -> list[Any]:
    """The chunk, its choices and their deltas."""
    if not isinstance(each, ChatCompletionChunk):
        return []
    choices = [choice for choice in each.choices or [] if isinstance(choice, Choice)]
    return [each, *choices, *(choice.delta for choice in choices if choice.delta is not None)]


def assert_same(stream: bytes, size: int = 4096, *, calls: bool = True) -> None:
    """Ours, fed in pieces, yields what the SDK's yields."""
    theirs = seen(read(Canned(stream), openai.OpenAI), calls=calls)
    assert seen(read(Canned(*cut(stream, size))), calls=calls) == theirs


@pytest.mark.parametrize("size", [1, 5, 100, 10000])
@pytest.mark.parametrize("name", sorted(path.name for path in WIRE.glob("*.sse")))
def test_chunks_of_recorded_streams_are_the_sdks(name: str, size: int) -> None:
    """Recorded bytes, cut anywhere: the same classes, values and fields set."""
    assert_same((WIRE / name).read_bytes(), size)


BUILTIN = {"index": 0, "id": "s_0", "type": "builtin_function", "function": {"name": "$web_search", "arguments": "{}"}}
ODD = [
    pytest.param(chunk(delta("weird")), id="unknown finish_reason"),
    pytest.param(chunk(delta(tool_calls=[BUILTIN])), id="builtin_function"),
    pytest.param(chunk(delta(content="a"), new={"x": [1]}, system_fingerprint=None), id="unknown fields"),
    pytest.param({"choices": [delta(content="a")]}, id="missing fields"),
    pytest.param(chunk(delta(content="a"), created=1.5, id=7), id="other types"),
    pytest.param(chunk(delta(content="a"), created="12", service_tier="turbo"), id="convertible types"),
    pytest.param(chunk(delta(content="a"), usage={"prompt_tokens": "many"}), id="odd usage"),
    pytest.param(chunk({**delta(), "usage": {"a": 1}}), id="odd usage in the choice"),
    pytest.param(chunk({**delta(), "logprobs": {"content": [{"token": "a", "logprob": -1}]}}), id="logprobs"),
    pytest.param(b'{"id": "c", "id": "d", "created": NaN, "choices": []}', id="not quite JSON"),
    pytest.param(b'{"created": 123456789012345678901234567890, "choices": []}', id="a large number"),
    pytest.param(chunk(error=None), id="an error that is null"),
]


@pytest.mark.parametrize("odd", ODD)
def test_odd_chunks_are_the_sdks(odd: object) -> None:
    """What validation refuses is built by the SDK."""
    assert_same(whole(odd))


def test_what_a_chunk_can_do_without_is_filled_in() -> None:
    """Code that reads `chunk.choices[0].delta.content` works; the SDK alone has wrong types in these places."""
    call = {"index": "x", "id": "a", "type": 1, "function": {"name": "f", "arguments": None}}
    odd = [
        {"id": "c", "choices": None},
        chunk({"delta": None, "finish_reason": 5, "logprobs": [1], "usage": "x"}, usage=[1]),
        chunk(delta(reasoning_content=["hm"], refusal=1, role=[], content=[{"type": "text", "text": "a"}, "b"])),
        chunk(delta(tool_calls=[call])),
        chunk({**delta(content="c"), "_fields_set": 1}, usage={"_fields_set": [], "prompt_tokens": True}),
    ]
    empty, bare, text, called, named, _ = read(Canned(whole(*odd)))
    assert empty.choices == []
    choice = bare.choices[0]
    assert (choice.index, choice.delta.content, choice.finish_reason, choice.logprobs, bare.usage) == (0, *[None] * 4)
    assert text.choices[0].delta.content == "ab"
    assert (text.choices[0].delta.reasoning_content, text.choices[0].delta.refusal) == (None, None)
    assert called.choices[0].delta.tool_calls[0].function.name == "f"
    assert (named.choices[0].delta.content, named.usage.prompt_tokens) == ("c", None)


REFUSED = [
    pytest.param(b'"text"', "the answer is text instead of an object", id="a string"),
    pytest.param(b"null", "the answer is null instead of an object", id="null"),
    pytest.param(b"[1]", "the answer is a list instead of an object", id="a list"),
    pytest.param({"choices": {"a": 1}}, "choices is an object instead of a list", id="choices"),
    pytest.param(chunk("x"), "choices.0 is text instead of an object", id="a choice"),
    pytest.param(chunk({"delta": [1]}), "choices.0.delta is a list instead of an object", id="a delta"),
    pytest.param(chunk(delta(content=5)), "delta.content is a number instead of text", id="content"),
    pytest.param(chunk(delta(content=[{"type": "image"}])), "content.0 is null instead of text", id="a part"),
    pytest.param(chunk(delta(tool_calls={})), "tool_calls is an object instead of a list", id="tool calls"),
    pytest.param(chunk(delta(tool_calls=[1])), "tool_calls.0 is a number instead of an object", id="a call"),
    pytest.param(chunk(delta(tool_calls=[{"id": 1}])), "id is a number instead of text", id="an id"),
    pytest.param(
        chunk(delta(tool_calls=[{"function": "f"}])), "function is text instead of an object", id="a function"
    ),
    pytest.param(
        chunk(delta(tool_calls=[{"function": {"name": ["f"]}}])), "name is a list instead of text", id="a name"
    ),
    pytest.param(b"{", "EOF|Expecting", id="half an object"),
    pytest.param(b'{"a": "\xff"}', "codec|unicode", id="not UTF-8"),
    pytest.param(b"[" * 3000 + b"]" * 3000, "nested too deeply", id="nested"),
    pytest.param(b'{"created": ' + b"9" * 5000 + b"}", "digits", id="a very large number"),
]


@pytest.mark.parametrize(("odd", "why"), REFUSED)
def test_what_is_no_chunk_is_an_error_with_what_had_come(mode: Mode, odd: object, why: str) -> None:
    """An `openai.OpenAIError` that says where the chunk is wrong, and shows it."""
    canned = Canned(event(chunk(delta(reasoning_content="hm"))) + event(chunk(delta(content="a"))) + whole(odd))
    client = mode.client(api_key="sk-1", http_client=canned.client(mode.is_async))
    with pytest.raises(errors.UnexpectedAnswerError, match=f"a chunk in every event of its stream .*{why}") as caught:
        mode.each(mode.run(client.chat.completions.create(**ASK, stream=True)))
    reply: Any = caught.value.reply  # type: ignore[attr-defined]
    assert (reply.content, reply.reasoning) == ("a", "hm")
    assert caught.value.body == event(odd).decode(errors="replace")[6:-2]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
ANY = st.text(max_size=8) | st.none() | JSON
INDEX = st.integers(0, 2) | JSON


def fields(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with any of these fields and perhaps some more."""
    some = st.fixed_dictionaries({}, optional=known)
    return st.builds(lambda a, b: {**b, **a}, some, st.dictionaries(st.sampled_from(["x", "y"]), JSON, max_size=1))


def chunks(part: st.SearchStrategy[Any], index: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Chunks with `part` where a text is expected, and `index` where a number is."""
    kinds = st.sampled_from(["function", "builtin_function"])
    calls = st.lists(fields(index=INDEX, id=part, type=kinds, function=fields(name=part, arguments=part)), max_size=2)
    message = fields(role=st.just("assistant"), content=part, reasoning_content=part, refusal=part, tool_calls=calls)
    ends = st.sampled_from(["stop", "length", None, "weird"])
    tokens = fields(prompt_tokens=index, completion_tokens=index, total_tokens=index, cached_tokens=index)
    choice = st.fixed_dictionaries(
        {"index": index, "delta": message}, optional={"finish_reason": ends, "usage": tokens}
    )
    head = {"id": ANY, "created": INDEX, "model": ANY}
    return st.fixed_dictionaries({"choices": st.lists(choice, max_size=2)}, optional=head)


GOOD = st.builds(
    lambda text, key, more: chunk(delta(**{key: text}), **more),
    st.text(max_size=20),
    st.sampled_from(["content", "reasoning_content", "refusal"]),
    fields(system_fingerprint=ANY, service_tier=ANY),
)
TYPED = chunks(st.text(max_size=8) | st.none(), st.integers(0, 2))
LOGPROBS = fields(content=st.lists(fields(token=ANY, logprob=st.floats() | INDEX, bytes=st.lists(INDEX)), max_size=1))
ODD_CHOICE = fields(index=ANY, delta=ANY, finish_reason=ANY, logprobs=LOGPROBS | ANY, usage=ANY)
HOSTILE = chunks(ANY, INDEX) | fields(choices=st.lists(ODD_CHOICE | ANY, max_size=2) | ANY, usage=ANY) | ANY


@given(st.lists(GOOD, max_size=4), st.integers(1, 60))
def test_generated_chunks_are_the_sdks(chunks: list[Any], size: int) -> None:
    """Cut anywhere: the same classes, values and fields set. Calls are numbered anew."""
    assert_same(whole(*chunks), size, calls=False)


@given(st.lists(GOOD | HOSTILE, max_size=4), st.integers(1, 60))
def test_a_chunk_has_the_documented_types_or_is_an_error(chunks: list[Any], size: int) -> None:
    """Whatever comes: code that reads a chunk by the SDK's types never meets another one."""
    try:
        found = read(Canned(*cut(whole(*chunks), size)))
    except openai.OpenAIError:
        return
    for each in found:
        for choice in each.choices:
            texts = (choice.delta.content, choice.delta.refusal, choice.finish_reason)
            texts += (getattr(choice.delta, "reasoning_content", None),)
            for call in choice.delta.tool_calls or ():
                texts += (call.id, call.function and call.function.name, call.function and call.function.arguments)
            assert {type(text) for text in texts} <= {str, type(None)}
            assert type(choice.index) is int


def test_events_of_every_form(mode: Mode) -> None:
    """Comments, names, CRLF, several data lines, characters cut in two; everything after `[DONE]` is ignored."""
    text = json.dumps(chunk(delta(content="你好")), ensure_ascii=False, indent=1).replace("\n", "\r\ndata: ")
    stream = f": hello\r\n\r\nevent: chunk\r\ndata: {text}\r\n\r\n".encode() + whole() + event(b"more")
    canned = Canned(*cut(stream, 1))
    client = mode.client(api_key="sk-1", http_client=canned.client(mode.is_async))
    chunks = mode.each(mode.run(client.chat.completions.create(**ASK, stream=True)))
    assert [each.choices[0].delta.content for each in chunks] == ["你好", None]


def test_it_is_the_sdks_stream(mode: Mode) -> None:
    """It is a subclass with a response, also from the raw wrapper."""
    client = mode.client(api_key="sk-1", http_client=Canned(whole()).client(mode.is_async))
    kind, ours = (openai.AsyncStream, AsyncChunkStream) if mode.is_async else (openai.Stream, ChunkStream)
    stream = mode.run(client.chat.completions.create(**ASK, stream=True))
    assert isinstance(stream, kind)
    assert type(stream) is ours
    assert stream.response.headers["x-request-id"] == "req-1"
    first = mode.run(stream.__anext__() if mode.is_async else next(stream))
    assert first.choices[0].finish_reason == "stop"
    assert mode.each(stream) == []
    raw = mode.run(client.chat.completions.with_raw_response.create(**ASK, stream=True))
    assert type(raw.parse()) is ours
    assert raw.request_id == "req-1"
    mode.run(stream.close())
    assert stream.response.is_closed


def test_a_context_that_is_left_early_closes_the_connection(mode: Mode, kimi: Emulator) -> None:
    """The response is closed, so Kimi can stop."""
    kimi.script(say("word " * 2000))
    client = mode.client(kimi)
    stream = mode.run(client.chat.completions.create(**ASK, stream=True))
    mode.run(leave(stream) if mode.is_async else leave_sync(stream))
    assert stream.response.is_closed


async def leave(stream: Any) -> None:
    async with stream:
        async for _ in stream:
            break


def leave_sync(stream: Any) -> None:
    with stream:
        for _ in stream:
            break


def test_a_dropped_stream_closes_without_the_garbage_collector() -> None:
    """A stream is in no reference cycle: when the last reference is gone, the response is closed."""
    with kimi_openai.create_client(api_key="sk-1", http_client=Canned(whole(), whole()).client()) as client:
        stream = client.chat.completions.create(**ASK, stream=True)
        response = stream.response
        for _ in stream:
            break
        assert not response.is_closed
        del stream
        assert response.is_closed


def test_a_stream_read_to_its_end_leaves_its_connection_usable(mode: Mode, answering: MakeAnswering) -> None:
    """The bytes after `[DONE]` are read, so that the next call needs no new connection."""
    server = answering(200, whole() + b"\n" * 100000, {"Content-Type": "text/event-stream"})
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    for _ in range(2):
        assert len(mode.each(mode.run(client.chat.completions.create(**ASK, stream=True)))) == 1
    assert len(set(server.ports)) == 1


CUTS = [
    pytest.param(drop_after(4), True, id="closed in mid-body"),
    pytest.param(reset_after(4), True, id="reset"),
    pytest.param(ends_after(4), False, id="a clean end"),
    pytest.param(ends_after("finish"), False, id="a clean end before the finish_reason"),
]


@pytest.mark.parametrize(("damage", "has_cause"), CUTS)
def test_a_stream_that_ends_before_its_finish_reason_raises(
    mode: Mode, kimi: Emulator, damage: Any, has_cause: bool
) -> None:
    """In every SDK version, with the text so far; the library's own error is the cause."""
    kimi.script(think("hm"), say("one two three"))
    kimi.fail(damage)
    stream = mode.run(mode.client(kimi).chat.completions.create(**ASK, stream=True))
    with pytest.raises(openai.APIConnectionError) as caught:
        mode.each(stream)
    error = caught.value
    assert isinstance(error, errors.StreamCutError)
    assert "hm".startswith(error.reasoning)
    assert "one two three".startswith(error.text)
    assert (error.__cause__ is not None) == has_cause
    assert error.request.url.path == "/v1/chat/completions"
    assert stream.response.is_closed


@pytest.mark.parametrize("breaks", [False, True], ids=["ends", "breaks"])
def test_after_the_finish_reason_the_answer_is_whole(mode: Mode, breaks: bool) -> None:
    """Without `[DONE]`, or with an error instead of it, nothing of the answer is missing."""
    canned = Canned(event(chunk(delta(content="a"))), event(chunk(FINISH)), breaks=breaks)
    client = mode.client(api_key="sk-1", http_client=canned.client(mode.is_async))
    assert len(mode.each(mode.run(client.chat.completions.create(**ASK, stream=True)))) == 2


def test_done_alone_does_not_make_an_answer_whole() -> None:
    """Gateways send `[DONE]` after answers that were cut."""
    with pytest.raises(errors.StreamCutError, match="after 1 characters"):
        read(Canned(event(chunk(delta(content="a"))) + DONE))


def test_a_body_without_events_is_a_cut_stream() -> None:
    """Otherwise it would be an answer without text."""
    with pytest.raises(errors.StreamCutError):
        read(Canned(b'{"choices": []}', content_type="text/event-stream"))


def test_an_error_event_raises(mode: Mode, kimi: Emulator) -> None:
    """As in the SDK, an `error` in the stream is an `APIError`."""
    kimi.script(say("one two three"))
    kimi.fail(error_event(2, message="engine gone"))
    stream = mode.run(mode.client(kimi).chat.completions.create(**ASK, stream=True))
    with pytest.raises(openai.APIError, match="engine gone"):
        mode.each(stream)
    assert stream.response.is_closed


def test_an_error_beside_a_whole_chunk_raises_too() -> None:
    """The SDK looks for `error` in every event, and so do we."""
    with pytest.raises(openai.APIError, match="gone"):
        read(Canned(event(chunk(delta(), error={"message": "gone"})) + DONE))


def test_data_that_is_not_json_is_shown(mode: Mode, kimi: Emulator) -> None:
    """The error shows the data."""
    kimi.fail(garbage(1))
    stream = mode.run(mode.client(kimi).chat.completions.create(**ASK, stream=True))
    with pytest.raises(errors.UnexpectedAnswerError, match="chatcmpl-"):
        mode.each(stream)


USAGE = {"prompt_tokens": 89, "completion_tokens": 22, "total_tokens": 111, "cached_tokens": 80}


def test_usage_is_where_openai_code_reads_it(mode: Mode, kimi: Emulator) -> None:
    """On the finish chunk, which keeps it in its choice; with `include_usage` on the last chunk only, never twice."""
    client = mode.client(kimi)
    chunks = mode.each(mode.run(client.chat.completions.create(**ASK, stream=True)))
    assert chunks[-1].usage.total_tokens == chunks[-1].choices[0].usage["total_tokens"]
    asked = {**ASK, "stream_options": {"include_usage": True}}
    chunks = mode.each(mode.run(client.chat.completions.create(**asked, stream=True)))
    assert [each.usage is not None for each in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-2].choices[0].usage["total_tokens"] == chunks[-1].usage.total_tokens


def test_flat_cached_tokens_are_in_the_details_too() -> None:
    """A value that is in the details already stays."""
    last = read(Canned(event(chunk({**FINISH, "usage": USAGE})) + DONE))[-1]
    assert last.usage.prompt_tokens_details.cached_tokens == last.usage.cached_tokens == 80
    assert "usage" in last.model_fields_set
    both = {**USAGE, "prompt_tokens_details": {"cached_tokens": 7}}
    assert read(Canned(event(chunk({**FINISH, "usage": both}))))[-1].usage.prompt_tokens_details.cached_tokens == 7
    none = {key: value for key, value in USAGE.items() if key != "cached_tokens"}
    assert read(Canned(event(chunk({**FINISH, "usage": none}))))[-1].usage.prompt_tokens_details is None


def test_the_stream_helper_ends_with_the_usage(mode: Mode, kimi: Emulator) -> None:
    """`.stream()` has it in the final completion, with the reasoning."""
    kimi.script(think("hm"), say("hello"))

    async def ask_async() -> Any:
        async with mode.client(kimi).chat.completions.stream(**ASK) as stream:
            return await stream.get_final_completion()

    def ask() -> Any:
        with mode.client(kimi).chat.completions.stream(**ASK) as stream:
            return stream.get_final_completion()

    final = mode.run(ask_async() if mode.is_async else ask())
    assert final.choices[0].message.content == "hello"
    assert final.choices[0].message.reasoning_content == "hm"
    assert final.usage.total_tokens == final.usage.prompt_tokens + final.usage.completion_tokens > 0


def test_the_private_names_of_the_sdk_that_are_used_are_there() -> None:
    """If a new SDK renames them, this fails by name."""
    for kind in (openai.Stream, openai.AsyncStream):
        source = inspect.getsource(kind.__init__)
        assert "self._iterator = self.__stream__()" in source
        assert "self._client = client" in source
    assert callable(openai.OpenAI._process_response_data)
