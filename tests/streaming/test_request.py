"""What `stream`, `complete` and `run_tools` take: the same as `create`, copied at the call."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np
import openai
import pydantic
import pytest
from openai.types.chat import ChatCompletionMessage

from kimi_openai import CompatError, complete, estimate_tokens, run_tools, stream
from kimi_openai.emulator import Emulator, say
from kimi_openai.errors.exceptions import KimiCompatWarning
from tests.canned import Canned
from tests.conftest import Mode

HI: Any = [{"role": "user", "content": "Hi"}]
PART = {"type": "text", "text": "a"}


def by_create(mode: Mode, client: Any, **ask: Any) -> Any:
    return mode.run(client.chat.completions.create(**ask))


def by_stream(mode: Mode, client: Any, **ask: Any) -> Any:
    return mode.each(stream(client, **ask))


def by_complete(mode: Mode, client: Any, **ask: Any) -> Any:
    return mode.run(complete(client, **ask))


def by_run_tools(mode: Mode, client: Any, **ask: Any) -> Any:
    return mode.run(run_tools(client, tools=[], **ask))


WAYS = [by_create, by_stream, by_complete, by_run_tools]
NOT_COMPARED = {"stream", "stream_options", "tools"}


class Turn(Enum):
    USER = "user"


class Part(pydantic.BaseModel):
    type: str = "text"
    text: str


class City(pydantic.BaseModel):
    name: str


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


MESSAGE = ChatCompletionMessage(role="assistant", content="ok", reasoning_content="hm")  # type: ignore[call-arg]

TAKEN = [
    pytest.param(lambda: {"messages": iter(HI)}, {"messages": HI}, id="an iterator"),
    pytest.param(lambda: {"messages": tuple(HI)}, {"messages": HI}, id="a tuple"),
    pytest.param(lambda: {"messages": np.array(HI)}, {"messages": HI}, id="an array"),
    pytest.param(
        lambda: {"messages": [user(part for part in [PART])]}, {"messages": [user([PART])]}, id="parts from a generator"
    ),
    pytest.param(
        lambda: {"messages": [user([Part(type="text", text="a")])]}, {"messages": [user([PART])]}, id="parts as objects"
    ),
    pytest.param(
        lambda: {"messages": [*HI, MESSAGE, *HI]},
        {"messages": [*HI, {"role": "assistant", "content": "ok", "reasoning_content": "hm"}, *HI]},
        id="an SDK message",
    ),
    pytest.param(
        lambda: {"messages": [{**HI[0], "name": openai.omit}], "stop": openai.NOT_GIVEN}, {"messages": HI}, id="omitted"
    ),
    pytest.param(lambda: {"messages": [{**HI[0], "role": Turn.USER}]}, {"messages": HI}, id="an Enum"),
    pytest.param(
        lambda: {"messages": HI, "stop": (word for word in "ab"), "max_completion_tokens": np.int64(50)},
        {"messages": HI, "stop": ["a", "b"], "max_completion_tokens": 50},
        id="parameters",
    ),
    pytest.param(
        lambda: {"messages": HI, "extra_body": {"x": ("a",)}, "extra_headers": None, "extra_query": None},
        {"messages": HI, "x": ["a"]},
        id="extra_body",
    ),
    pytest.param(
        lambda: {"messages": HI, "n": 3, "temperature": 0.2}, {"messages": HI}, id="what Kimi does not accept"
    ),
    pytest.param(lambda: {"messages": [user("caf\udce9")]}, {"messages": [user("caf\ufffd")]}, id="half a character"),
]


@pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("make", "sent"), TAKEN)
def test_every_way_takes_what_create_takes(
    mode: Mode, kimi: Emulator, way: Callable[..., Any], make: Any, sent: dict[str, Any]
) -> None:
    """The same body is sent."""
    way(mode, mode.client(kimi), model="kimi-k3", **make())
    body = {name: value for name, value in kimi.chats[0].items() if name not in NOT_COMPARED}
    assert body == {"model": "kimi-k3", **sent}


LOOP: list[Any] = []
LOOP.append(LOOP)

REFUSED = [
    pytest.param({"messages": "Hi"}, CompatError, "messages: cannot be sent.*not a str", id="a text"),
    pytest.param({"messages": HI[0]}, CompatError, "messages: cannot be sent.*not a dict", id="one message"),
    pytest.param({"messages": None}, CompatError, "messages: cannot be sent.*not a NoneType", id="none"),
    pytest.param({"messages": [*HI, "Hi"]}, CompatError, r"messages\.1: .*not a str", id="a text in the list"),
    pytest.param({"messages": [user([object()])]}, CompatError, r"messages\.0\.content\.0: ", id="an object"),
    pytest.param({"messages": [user([float("nan")])]}, CompatError, r"messages\.0\.content\.0: ", id="nan"),
    pytest.param({"messages": [user([LOOP])]}, CompatError, "it holds itself", id="a list in itself"),
    pytest.param({"messages": HI, "extra_body": {"x": LOOP}}, CompatError, "it holds itself", id="in extra_body"),
    pytest.param({"messages": HI, "response_format": City}, TypeError, "You tried to pass", id="a class"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("ask", "kind", "words"), REFUSED)
def test_every_way_refuses_what_create_refuses(
    mode: Mode, kimi: Emulator, way: Callable[..., Any], ask: dict[str, Any], kind: type[Exception], words: str
) -> None:
    """With the same error, and before anything is sent."""
    with pytest.raises(kind, match=words):
        way(mode, mode.client(kimi), model="kimi-k3", **ask)
    assert kimi.requests == []


def test_the_estimate_takes_the_same_messages(mode: Mode, kimi: Emulator) -> None:
    """And refuses the same."""
    mode.run(estimate_tokens(mode.client(kimi), model="kimi-k3", messages=iter([user([Part(type="text", text="a")])])))
    assert kimi.requests[-1].json["messages"] == [user([PART])]
    with pytest.raises(CompatError, match="messages: cannot be sent"):
        estimate_tokens(mode.client(kimi), model="kimi-k3", messages="Hi")  # type: ignore[call-overload]


LATER: Any = [
    pytest.param(lambda client, **ask: stream(client, **ask), id="stream"),
    pytest.param(lambda client, **ask: complete(client, **ask), id="complete"),
    pytest.param(lambda client, **ask: run_tools(client, tools=[], **ask), id="run_tools"),
]


@pytest.mark.parametrize("start", LATER)
def test_changes_after_the_call_change_nothing(mode: Mode, kimi: Emulator, start: Callable[..., Any]) -> None:
    """Neither of the list, nor of the dicts in it, nor of the parameters."""
    if not mode.is_async and start is not LATER[0].values[0]:
        return  # the call has ended when it returns
    messages: Any = [user([dict(PART)])]
    stop, extra = ["a"], {"x": {"y": [1]}}
    call = start(mode.client(kimi), model="kimi-k3", messages=messages, stop=stop, extra_body=extra)
    messages[0]["content"][0]["text"] = "changed"
    messages.append("later")
    stop.clear()
    extra["x"]["y"].append(2)
    mode.each(call) if hasattr(call, "text_stream") else mode.run(call)
    sent = kimi.chats[0]
    assert (sent["messages"], sent["stop"], sent["x"]) == ([user([PART])], ["a"], {"y": [1]})


@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_the_callers_is_changed(mode: Mode, kimi: Emulator, way: Callable[..., Any]) -> None:
    """The list, the dicts and the parameters are as before."""
    kimi.script(say("ok"))
    messages, extra = [user([dict(PART)])], {"x": [1]}
    way(mode, mode.client(kimi), model="kimi-k3", messages=messages, extra_body=extra)
    assert (messages, extra) == ([user([PART])], {"x": [1]})


def test_a_header_may_be_removed(mode: Mode, kimi: Emulator) -> None:
    """The marker of the SDK in `extra_headers` keeps its meaning."""
    client = mode.client(kimi, default_headers={"X-A": "1"})
    mode.each(stream(client, model="kimi-k3", messages=HI, extra_headers={"X-A": openai.Omit(), "X-B": "2"}))
    headers = {name.lower(): value for name, value in kimi.requests[-1].headers.items()}
    assert ("x-a" in headers, headers["x-b"]) == (False, "2")


def test_a_client_of_the_sdk_sends_valid_json_too(mode: Mode) -> None:
    """`stream` and `complete` repair the body for it, and warn."""
    kind: Any = openai.AsyncOpenAI if mode.is_async else openai.OpenAI
    event = b'data: {"choices": [{"index": 0, "delta": {"content": "ok"}, "finish_reason": "stop"}]}\n\n'
    canned = Canned(event)
    client = kind(api_key="sk-1", base_url="http://127.0.0.1/v1", http_client=canned.client(mode.is_async))
    with pytest.warns(KimiCompatWarning, match=r"messages\.0\.content: sent with U\+FFFD"):
        mode.run(complete(client, model="kimi-k3", messages=[user("caf\udce9")]))
    assert "caf\ufffd".encode() in canned.bodies[0]
    with pytest.raises(CompatError, match=r"messages\.0\.content: "):
        complete(client, model="kimi-k3", messages=[user(object())])
    mode.run(client.close())
