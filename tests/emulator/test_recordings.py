"""The emulator against recordings of the platform: same keys, same order, same phases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kimi_openai.emulator import Behaviour, Emulator, call, say, think, usage
from kimi_openai.models.catalog import CURRENT

from .http import chat, error_of, events, recorded, send, upload


@pytest.fixture
def kimi() -> Iterator[Emulator]:
    """An emulator as the platform was when it was recorded: no usage object named writes to the cache."""
    with Emulator(behaviour=Behaviour(cache_write_tokens=False)) as emulator:
        yield emulator


MEASURED = usage(prompt_tokens=89, completion_tokens=22, cached_tokens=89, reasoning_tokens=6)


def shape(value: Any) -> Any:
    """Keys in their order and the JSON types of their values."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return value if value in ("[DONE]", None) else type(value).__name__


def choices(stream: list[Any]) -> list[Any]:
    return [event["choices"] for event in stream if event != "[DONE]"]


def test_text_stream(kimi: Emulator) -> None:
    """A text stream equals the measured one, except id, time and fingerprint."""
    kimi.script(think("User"), say("ok"), MEASURED)
    got = events(chat(kimi, stream=True, stream_options={"include_usage": True}).body)
    assert shape(got) == shape(recorded("text.sse"))
    assert choices(got) == choices(recorded("text.sse"))


def test_tool_call_stream() -> None:
    """The stream of a tool call equals the measured one, except the fragments of its arguments."""
    with Emulator(chunking="word", behaviour=Behaviour(cache_write_tokens=False)) as kimi:
        kimi.script(think("User"), call("get_weather", '{"city":"Paris"}'), MEASURED)
        got = events(chat(kimi, stream=True).body)
    wanted = recorded("tool_call.sse")
    assert choices(got)[:4] == choices(wanted)[:4]
    assert choices(got)[-1] == choices(wanted)[-1]
    for stream in (got, wanted):
        calls = [c[0]["delta"]["tool_calls"][0] for c in choices(stream) if "tool_calls" in c[0]["delta"]]
        assert "".join(one["function"]["arguments"] for one in calls) == '{"city":"Paris"}'
        assert {tuple(one) for one in calls[1:]} == {("index", "function")}
    assert [shape(event) for event in (got[0], got[4], *got[-2:])] == [
        shape(event) for event in (wanted[0], wanted[4], *wanted[-2:])
    ]


def test_length(kimi: Emulator) -> None:
    """Reasoning that uses up the budget gives the measured message."""
    kimi.script(usage(prompt_tokens=89), think("The user wants something long"), say("never"))
    got = chat(kimi, max_completion_tokens=5).json
    assert shape(got) == shape(recorded("length.json"))
    assert (got["choices"], got["usage"]) == (recorded("length.json")["choices"], recorded("length.json")["usage"])


def test_tool_call(kimi: Emulator) -> None:
    """A tool call without streaming has its index and an empty content."""
    measured = usage(prompt_tokens=461, completion_tokens=33, cached_tokens=256, reasoning_tokens=17)
    kimi.script(think("User wants the weather."), call("get_weather", {"city": "Paris"}), measured)
    got, wanted = chat(kimi).json, recorded("tool_call.json")
    assert shape(got) == shape(wanted)
    assert (got["choices"], got["usage"]) == (wanted["choices"], wanted["usage"])


def test_models(kimi: Emulator) -> None:
    """Every recorded entry is listed with all its fields; K3.1 has those of K3."""
    got = {entry["id"]: entry for entry in send(kimi, "GET", "/v1/models").json["data"]}
    wanted = {entry["id"]: entry for entry in recorded("models.json")["data"] if entry["id"] in CURRENT}
    assert {id: got[id] for id in wanted} == wanted
    assert all(list(got[id]) == list(wanted[id]) for id in wanted)
    assert got.keys() - wanted.keys() == {"kimi-k3.1-pro", "kimi-k3.1-pro-highspeed"}
    assert {**got["kimi-k3.1-pro"], "id": "kimi-k3"} == wanted["kimi-k3"]


def test_balance(kimi: Emulator) -> None:
    """A new account has the balance of the documentation's example."""
    assert send(kimi, "GET", "/v1/users/me/balance").json == recorded("balance.json")


def test_estimate(kimi: Emulator) -> None:
    """The estimate has `data.total_tokens` and nothing else."""
    body = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hello, my name is Li Lei, what is 1+1?"}]}
    assert shape(send(kimi, "POST", "/v1/tokenizers/estimate-token-count", body).json) == shape(
        recorded("estimate.json")
    )


def test_files(kimi: Emulator) -> None:
    """FileObject, list and deletion have the documented keys; the list has no has_more."""
    file = upload(kimi, "xlnet.pdf").json
    assert shape(file) == shape(recorded("file.json"))
    assert shape(send(kimi, "GET", "/v1/files").json) == shape(recorded("files.json"))
    assert shape(send(kimi, "DELETE", f"/v1/files/{file['id']}").json) == shape(recorded("file_deleted.json"))


def test_url_not_found(kimi: Emulator) -> None:
    """An unknown path has the body in which `error` is a string."""
    got = send(kimi, "POST", "/chat/completions", {}, User_Agent="OpenAI/Python 1.x")
    assert (got.status, got.json) == (404, recorded("url_not_found.json"))


@pytest.mark.parametrize(("name", "key"), [("no_key", ""), ("bad_key", "Bearer sk-other")])
def test_keys(kimi: Emulator, name: str, key: str) -> None:
    """No key and a wrong key are two different 401s."""
    got = send(kimi, "GET", "/v1/models", Authorization=key)
    assert (got.status, got.json) == error_of(name)
