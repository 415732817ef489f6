"""Tool calls in typed chunks: numbered as accumulators need them, the SDK's and frameworks' alike."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from kimi_openai import create_client
from tests.canned import Canned
from tests.conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}


def event(delta: Any, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "kimi-k3", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def calls(*pieces: Any) -> list[bytes]:
    return [*(event({"tool_calls": [piece]}) for piece in pieces), event({}, "tool_calls"), b"data: [DONE]\n\n"]


def piece(id: str | None = None, name: str | None = None, arguments: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": id, "function": {"name": name, "arguments": arguments}, **more}


TWO = [("a", "function", "get", "{}"), ("b", "function", "put", "[]")]
STREAMS = [
    pytest.param(
        calls(piece("a", "get", "{}", index=0), piece("b", "put", "[]", index=1)), TWO, id="as they should be"
    ),
    pytest.param(calls(piece("a", "get", "{}"), piece("b", "put", "[]")), TWO, id="no index"),
    pytest.param(calls(piece("a", "get", "{}", index=None), piece("b", "put", "[]", index=None)), TWO, id="index null"),
    pytest.param(calls(piece("a", "get", "{}", index=1), piece("b", "put", "[]", index=2)), TWO, id="index from 1"),
    pytest.param(calls(piece("a", "get", "{}", index=0), piece("b", "put", "[]", index=0)), TWO, id="one index"),
    pytest.param(
        calls(piece("a", "get", "{", index=0, type="function"), piece("a", "get", "}", index=0, type=None)),
        TWO[:1],
        id="id and name again",
    ),
    pytest.param(
        calls(piece("a", "g", index=0), piece(name="et", index=0), piece(arguments="{}", index=0)),
        TWO[:1],
        id="a name in fragments",
    ),
    pytest.param(
        calls(piece("a", "get", "{", index=0), {"index": None, "function": {"arguments": "}"}}),
        TWO[:1],
        id="0, then null",
    ),
]


@pytest.mark.parametrize(("stream", "expected"), STREAMS)
def test_the_sdks_accumulator_gets_the_right_calls(mode: Mode, stream: list[bytes], expected: list[Any]) -> None:
    """`.stream()` of the same client."""
    client = mode.client(api_key="sk-1", http_client=Canned(*stream).client(mode.is_async))

    async def ask_async() -> Any:
        async with client.chat.completions.stream(**ASK) as answer:
            return await answer.get_final_completion()

    def ask() -> Any:
        with client.chat.completions.stream(**ASK) as answer:
            return answer.get_final_completion()

    final = mode.run(ask_async() if mode.is_async else ask())
    found = final.choices[0].message.tool_calls
    assert [(each.id, each.type, each.function.name, each.function.arguments) for each in found] == expected


@pytest.mark.parametrize(("stream", "expected"), STREAMS)
def test_simple_accumulators_get_the_right_calls(mode: Mode, stream: list[bytes], expected: list[Any]) -> None:
    """Those of frameworks, which take the index as a key, keep the last id, and add up arguments."""
    client = mode.client(api_key="sk-1", http_client=Canned(*stream).client(mode.is_async))
    found: dict[int, dict[str, str]] = {}
    for chunk in mode.each(mode.run(client.chat.completions.create(**ASK, stream=True))):
        for each in chunk.choices[0].delta.tool_calls or ():
            call = found.setdefault(each.index, {"id": "", "name": "", "arguments": ""})
            call["id"] = each.id or call["id"]
            call["name"] += each.function.name or ""
            call["arguments"] += each.function.arguments or ""
    assert list(found) == list(range(len(expected)))
    assert [tuple(call.values()) for call in found.values()] == [(id, *rest) for id, _, *rest in expected]


def test_calls_that_are_as_they_should_be_stay_as_they_are() -> None:
    """Each chunk equals the SDK's."""
    stream = calls(
        piece("a", "get", "", index=0, type="function"),
        {"index": 0, "function": {"arguments": "{}"}},
        piece("b", "put", "[]", index=1, type="function"),
    )

    def chunks(kind: Any) -> list[Any]:
        with kind(api_key="sk-1", base_url="http://127.0.0.1/v1", http_client=Canned(*stream).client()) as client:
            return [
                (chunk, [piece.model_fields_set for piece in chunk.choices[0].delta.tool_calls or ()])
                for chunk in client.chat.completions.create(**ASK, stream=True)
            ]

    assert chunks(create_client) == chunks(openai.OpenAI)
