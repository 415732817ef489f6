"""What the client returns is what the SDK's client returns, and nothing of the SDK is replaced."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pydantic
import pytest

from kimi_openai import complete
from tests.canned import Canned
from tests.conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
HEAD = {"id": "c", "created": 1788439520, "model": "kimi-k3"}
USAGE = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
CALL = {"index": 0, "id": "f_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
MESSAGE = {"role": "assistant", "content": '{"value": 1}', "reasoning_content": "hm", "tool_calls": [CALL]}
CHOICE = {"index": 0, "message": MESSAGE, "finish_reason": "tool_calls"}
COMPLETION = {**HEAD, "object": "chat.completion", "choices": [CHOICE], "usage": USAGE}
DELTAS: list[dict[str, Any]] = [
    {"role": "assistant", "content": ""},
    {"reasoning_content": "hm"},
    {"content": '{"value": 1}'},
    {"tool_calls": [CALL]},
    {},
]
CHUNKS = [
    {
        **HEAD,
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": None if delta else "tool_calls"}],
    }
    for delta in DELTAS
]


class Answer(pydantic.BaseModel):
    value: int


def created(mode: Mode, client: Any) -> Any:
    return mode.run(client.chat.completions.create(**ASK))


def parsed(mode: Mode, client: Any) -> Any:
    return mode.run(client.chat.completions.parse(**ASK, response_format=Answer))


def raw(mode: Mode, client: Any) -> Any:
    return mode.run(client.chat.completions.with_raw_response.create(**ASK)).parse()


def chunks(mode: Mode, client: Any) -> Any:
    return mode.each(mode.run(client.chat.completions.create(**ASK, stream=True)))


def helper(mode: Mode, client: Any) -> Any:
    async def read() -> Any:
        async with client.chat.completions.stream(**ASK) as stream:
            return await stream.get_final_completion()

    if mode.is_async:
        return mode.run(read())
    with client.chat.completions.stream(**ASK) as stream:
        return stream.get_final_completion()


def answers_of(mode: Mode, ask: Callable[[Mode, Any], Any]) -> tuple[Any, Any]:
    """What the SDK's client and ours return for the same bytes."""
    if ask in (chunks, helper):
        body, kind = b"".join(b"data: %s\n\n" % json.dumps(each).encode() for each in CHUNKS), "text/event-stream"
        body += b"data: [DONE]\n\n"
    else:
        body, kind = json.dumps(COMPLETION).encode(), "application/json"

    def http() -> Any:
        return Canned(body, content_type=kind).client(mode.is_async)

    bare: Any = openai.AsyncOpenAI if mode.is_async else openai.OpenAI
    theirs = ask(mode, bare(api_key="sk-1", http_client=http()))
    return theirs, ask(mode, mode.client(api_key="sk-1", http_client=http()))


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # the SDK's: of parsed answers
@pytest.mark.parametrize("ask", [created, parsed, raw, chunks, helper])
def test_answers_are_the_sdks(mode: Mode, ask: Callable[[Mode, Any], Any]) -> None:
    """Equal to what the SDK's client makes of the same bytes, with the same dumps; copies and pickles are equal too."""
    theirs, ours = answers_of(mode, ask)
    for one, other in zip(theirs, ours, strict=True) if ask is chunks else [(theirs, ours)]:
        assert type(one) is type(other)
        assert one == other
        assert repr(one) == repr(other)
        assert one.model_fields_set == other.model_fields_set
        assert one.model_dump() == other.model_dump()
        assert one.model_dump(exclude_unset=True) == other.model_dump(exclude_unset=True)
        assert one.model_dump_json() == other.model_dump_json()
        assert copy.deepcopy(other) == copy.copy(other) == other.model_copy(deep=True) == other
        assert getattr(copy.deepcopy(other), "_request_id", None) == getattr(one, "_request_id", None)
        if ask not in (parsed, helper):  # the SDK's classes of parsed answers have no name that pickle finds
            assert pickle.loads(pickle.dumps(other)) == other


def test_the_answer_of_complete_is_that_of_create(mode: Mode) -> None:
    """Equal, although it was streamed; it can be copied and pickled."""
    _, streamed = answers_of(mode, chunks)
    body = b"".join(b"data: %s\n\n" % each.model_dump_json(exclude_unset=True).encode() for each in streamed)
    client = mode.client(api_key="sk-1", http_client=Canned(body).client(mode.is_async))
    completion = mode.run(complete(client, **ASK))
    whole, _ = answers_of(mode, created)
    assert type(completion) is type(whole)
    assert completion.choices == whole.choices
    assert pickle.loads(pickle.dumps(completion)) == copy.deepcopy(completion) == completion


def test_responses_can_be_pickled(mode: Mode) -> None:
    """The HTTP library's response behind an answer: as its own class, with its body."""

    def response(mode: Mode, client: Any) -> Any:
        return mode.run(client.chat.completions.with_raw_response.create(**ASK)).http_response

    theirs, ours = answers_of(mode, response)
    for again in (pickle.loads(pickle.dumps(ours)), copy.deepcopy(ours)):
        assert type(again) is type(theirs)
        assert (again.status_code, again.json(), again.headers) == (200, COMPLETION, theirs.headers)
    assert isinstance(ours, type(theirs))


@pytest.mark.parametrize("name", ["create", "parse", "stream"])
def test_methods_have_the_sdks_signatures(mode: Mode, name: str) -> None:
    """Also their names and documentation."""
    bare: Any = (openai.AsyncOpenAI if mode.is_async else openai.OpenAI)(api_key="sk-1")
    client = mode.client(api_key="sk-1")
    theirs, ours = getattr(bare.chat.completions, name), getattr(client.chat.completions, name)
    assert isinstance(client, type(bare))
    assert type(client.chat.completions) is type(bare.chat.completions)
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert (ours.__name__, ours.__doc__) == (theirs.__name__, theirs.__doc__)
    mode.run(bare.close())


PATCHED = """
import sys
import openai

def attributes():
    found = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "openai":
            continue
        for key, value in list(vars(module).items()):
            found[name, key] = value
            if isinstance(value, type) and value.__module__.partition(".")[0] == "openai":
                for inner, part in list(vars(value).items()):
                    found[value.__module__, value.__qualname__, inner] = part
    return found

def changed(before, after):
    return [key for key, value in before.items() if key[-1][:2] != "__" and after.get(key) is not value]

first = attributes()
import kimi_openai, tests.client.test_genuine as genuine
from tests.conftest import Mode

at_import = changed(first, attributes())
WAYS = (genuine.created, genuine.parsed, genuine.raw, genuine.chunks, genuine.helper)

def answer(kinds):
    for name in ("sync", "async"):
        mode = Mode(name)
        mode.client = lambda **options: kinds[mode.is_async](**options)
        for ask in WAYS:
            genuine.answers_of(mode, ask)

answer((openai.OpenAI, openai.AsyncOpenAI))  # the SDK fills in what it makes at first use
before = attributes()
answer((kimi_openai.create_client, kimi_openai.create_async_client))
print(len(first), at_import + changed(before, attributes()))
"""


def test_nothing_of_the_sdk_is_replaced() -> None:
    """In a fresh process: the attributes of its modules and classes are the same objects after our import and after
    calls of every kind."""
    code = [sys.executable, "-W", "ignore", "-c", PATCHED]
    shown = subprocess.run(code, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True).stdout
    count, _, changed = shown.partition(" ")
    assert int(count) > 5_000
    assert changed.strip() == "[]"
