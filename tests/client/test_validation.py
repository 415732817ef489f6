"""Completions are the same objects as the SDK's, also in which fields count as set."""

from __future__ import annotations

import json
from typing import Any

import openai
import pydantic
import pytest

from kimi_openai import complete, create_client, run_tools, stream
from tests.canned import Canned, answering
from tests.conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
USAGE = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10, "cached_tokens": 8}
CALL = {"index": 0, "id": "f_0", "type": "function", "function": {"name": "f", "arguments": "{}", "x": 1}}
TOKEN = {"token": "a", "logprob": -1.0, "bytes": None, "top_logprobs": [], "x": 1}


def body(message: Any = None, usage: Any = USAGE, **more: Any) -> dict[str, Any]:
    answer = {"role": "assistant", "content": "ok", "reasoning_content": "hm", **(message or {})}
    choice = {"index": 0, "message": answer, "finish_reason": "stop", **more.pop("choice", {})}
    head = {"id": "c", "object": "chat.completion", "created": 1, "model": "kimi-k3"}
    return {**head, "choices": [choice], **({"usage": usage} if usage else {}), **more}


BODIES = [
    pytest.param(body(), id="Kimi's"),
    pytest.param(body(usage=None), id="no usage"),
    pytest.param(body(system_fingerprint="fp", x={"y": 1}), id="more fields"),
    pytest.param(body({"tool_calls": [CALL], "refusal": None, "x": 1}), id="a tool call"),
    pytest.param(body(choice={"logprobs": {"content": [TOKEN], "x": 1}}), id="logprobs"),
    pytest.param(body(usage={**USAGE, "prompt_tokens_details": {"cached_tokens": 7, "x": 1}}), id="details"),
    pytest.param(body({"role": "x"}), id="what only the SDK builds"),
]


def fields_set(value: Any) -> Any:
    """The fields that are set, in the object and in those inside it, without the copy of the cached tokens."""
    if isinstance(value, pydantic.BaseModel):
        inner = {name: fields_set(part) for name, part in value.__dict__.items() if name != "prompt_tokens_details"}
        return sorted(value.model_fields_set - {"prompt_tokens_details"}), inner
    return [fields_set(item) for item in value] if isinstance(value, list) else None


@pytest.mark.parametrize("value", BODIES)
def test_the_same_fields_count_as_set(value: Any) -> None:
    """`create`'s completion beside the one of the bare SDK, in all its parts."""

    def ask(kind: Any) -> Any:
        with kind(api_key="sk-1", base_url="http://127.0.0.1/v1", http_client=answering(value).client()) as client:
            return client.chat.completions.create(**ASK)

    ours, theirs = ask(create_client), ask(openai.OpenAI)
    assert fields_set(ours) == fields_set(theirs)
    details = {"usage": {"prompt_tokens_details": True}}
    assert ours.model_dump(exclude=details) == theirs.model_dump(exclude=details)


def streamed(value: dict[str, Any]) -> bytes:
    """The same answer as a stream."""
    choice = {**value["choices"][0], "usage": value.get("usage")}
    delta = choice.pop("message")
    head = {key: part for key, part in value.items() if key not in ("choices", "usage")}
    chunk = {**head, "object": "chat.completion.chunk", "choices": [{**choice, "delta": delta}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def by_stream(mode: Mode, client: Any) -> Any:
    return mode.run(stream(client, **ASK).get_final_completion())


def by_complete(mode: Mode, client: Any) -> Any:
    return mode.run(complete(client, **ASK))


def by_run_tools(mode: Mode, client: Any) -> Any:
    return mode.run(run_tools(client, tools=[], **ASK)).completion


@pytest.mark.parametrize("way", [by_stream, by_complete, by_run_tools])
@pytest.mark.parametrize("value", [body(), body(usage=None), body(system_fingerprint="fp")])
def test_every_way_gives_the_same_object(mode: Mode, way: Any, value: dict[str, Any]) -> None:
    """The fields of `create`, in the same places, and the same ones set: the cached tokens in the details too."""
    whole = mode.client(api_key="sk-1", http_client=answering(value).client(mode.is_async))
    created = mode.run(whole.chat.completions.create(**ASK))
    client = mode.client(api_key="sk-1", http_client=Canned(streamed(value)).client(mode.is_async))
    found = way(mode, client)
    assert type(found) is type(created)
    assert found.model_dump() == created.model_dump()
    assert fields_set(found) == fields_set(created)
    if value.get("usage"):
        assert found.usage.prompt_tokens_details.cached_tokens == found.usage.cached_tokens == 8


def test_usages_have_cached_tokens_in_both_places(mode: Mode) -> None:
    """In events, replies, parts and runs, which hold them as JSON."""
    details = {**USAGE, "prompt_tokens_details": {"cached_tokens": 8}}
    client = mode.client(api_key="sk-1", http_client=Canned(streamed(body())).client(mode.is_async))
    answer = stream(client, **ASK)
    assert mode.each(answer)[-1].usage == answer.reply.usage == answer.parts[0].usage == details
    assert mode.run(run_tools(client, tools=[], **ASK)).usage == details
