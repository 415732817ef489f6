"""What tracing tools and mocks put in place of the SDK's methods is called once, with the caller's own arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from types import FunctionType
from typing import Any
from unittest import mock

import pytest
from openai.resources.chat.completions import AsyncCompletions, Completions

from kimi_openai.emulator import Emulator, ends_after
from kimi_openai.errors.exceptions import StreamCutError
from tests.conftest import Mode

PARAMETERS = {"type": "object", "properties": {}}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": PARAMETERS, "strict": True}}]
MESSAGES = [{"role": "user", "content": "Hi"}]
ASK: dict[str, Any] = {"model": "kimi-k3", "messages": MESSAGES, "tools": TOOLS, "extra_body": {"x": 1}}
SENT = {"model": "kimi-k3", "messages": MESSAGES, "tools": TOOLS, "x": 1}
METHODS = ["create", "create, streamed", "parse", "stream"]
WHEN = ["before the client", "after the client", "after a call"]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The SDK's methods are put back after each test."""
    names = "create", "parse", "stream"
    kept = [(kind, name, kind.__dict__[name]) for kind in (Completions, AsyncCompletions) for name in names]
    yield
    for kind, name, value in kept:
        setattr(kind, name, value)


def class_of(mode: Mode) -> Any:
    return AsyncCompletions if mode.is_async else Completions


def wrapped(function: Callable[..., Any], seen: list[dict[str, Any]]) -> Callable[..., Any]:
    """As tracing tools do it: reads the messages, notes the arguments, calls what was there before."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        assert [message["role"] for message in kwargs["messages"]] == ["user"]
        seen.append(kwargs)
        return function(*args, **kwargs)

    return wrapper


def call(mode: Mode, completions: Any, method: str) -> dict[str, Any]:
    """Make a call to its end; the arguments with which it was made."""
    name, _, streamed = method.partition(", ")
    ask = {**ASK, "stream": True} if streamed else ASK
    made = getattr(completions, name)(**ask)
    if name == "stream":
        mode.run(read_async(made) if mode.is_async else read(made))
    elif streamed:
        mode.each(mode.run(made))
    else:
        mode.run(made)
    return ask


def read(manager: Any) -> None:
    with manager as stream:
        stream.until_done()


async def read_async(manager: Any) -> None:
    async with manager as stream:
        await stream.until_done()


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("method", METHODS)
def test_a_wrapper_on_the_class_sees_the_arguments(mode: Mode, kimi: Emulator, when: str, method: str) -> None:
    """Whenever it was put there, each call comes through it once and is sent once."""
    seen: list[dict[str, Any]] = []
    kind, name = class_of(mode), method.partition(",")[0]

    def patch() -> None:
        setattr(kind, name, wrapped(getattr(kind, name), seen))

    if when == "before the client":
        patch()
    client = mode.client(kimi)
    if when == "after a call":
        call(mode, client.chat.completions, method)
    if when != "before the client":
        patch()
    before = len(kimi.chats)
    ask = call(mode, client.chat.completions, method)
    assert seen == [ask]
    assert seen[0]["messages"] is MESSAGES
    assert len(kimi.chats) == before + 1
    assert kimi.chats[-1]["messages"] == MESSAGES


def test_wrappers_are_let_go(mode: Mode, kimi: Emulator) -> None:
    """When the class has its own method again, it is called without the wrapper, and again without the SDK's conversion
    of messages."""
    seen: list[dict[str, Any]] = []
    posted: list[Any] = []
    client, kind = mode.client(kimi), class_of(mode)
    own, post = kind.create, client.post

    def posting(*args: Any, body: Any, **options: Any) -> Any:
        posted.append(body["messages"] is MESSAGES)
        return post(*args, body=body, **options)

    client.post = posting
    for method in (own, wrapped(own, seen), own, moved_to_another_file(own)):
        kind.create = method
        mode.run(client.chat.completions.create(**ASK))
    assert len(seen) == 1
    assert posted == [True, False, True, True]


def moved_to_another_file(function: Any) -> Any:
    """The SDK's function as it is in a frozen program."""
    code = function.__code__.replace(co_filename="completions.py")
    moved = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    return functools.update_wrapper(moved, function)


@pytest.mark.parametrize("method", METHODS)
def test_a_wrapper_on_the_object_sees_the_arguments(mode: Mode, kimi: Emulator, method: str) -> None:
    """One call through a wrapper on the instance and one on the class: each sees it once."""
    on_object: list[dict[str, Any]] = []
    on_class: list[dict[str, Any]] = []
    kind, name = class_of(mode), method.partition(",")[0]
    completions = mode.client(kimi).chat.completions
    setattr(kind, name, wrapped(getattr(kind, name), on_class))
    setattr(completions, name, wrapped(getattr(completions, name), on_object))
    ask = call(mode, completions, method)
    assert on_object == on_class == [ask]
    assert len(kimi.chats) == 1


@pytest.mark.parametrize("name", ["create", "parse", "stream"])
def test_mocks_replace_the_method(mode: Mode, kimi: Emulator, name: str) -> None:
    """`unittest.mock` on the class and on the object, as in tests of OpenAI programs."""
    completions, kind = mode.client(kimi).chat.completions, class_of(mode)
    is_awaited = mode.is_async and name != "stream"
    with mock.patch(f"{kind.__module__}.{kind.__name__}.{name}", mock.AsyncMock() if is_awaited else mock.Mock()) as on:
        mode.run(getattr(completions, name)(**ASK))
    on.assert_called_once_with(**ASK)
    with mock.patch.object(kind, name, autospec=True) as on:
        if is_awaited:
            on.side_effect = mock.AsyncMock()
        mode.run(getattr(completions, name)(**ASK))
    on.assert_called_once_with(completions, **ASK)
    with mock.patch.object(completions, name) as on:
        mode.run(getattr(completions, name)(**ASK))
    on.assert_called_once_with(**ASK)
    assert kimi.chats == []
    call(mode, completions, name)
    assert len(kimi.chats) == 1


def test_the_sdks_stream_comes_through_create(mode: Mode, kimi: Emulator) -> None:
    """As with the SDK: a tool that only wraps `create` sees a call of `stream`, `parse` it does not see."""
    seen: list[dict[str, Any]] = []
    completions, kind = mode.client(kimi).chat.completions, class_of(mode)
    kind.create = wrapped(kind.create, seen)
    call(mode, completions, "parse")
    assert seen == []
    call(mode, completions, "stream")
    assert [each["messages"] for each in seen] == [MESSAGES]
    assert len(kimi.chats) == 2


@pytest.mark.parametrize("find", [lambda client: client.beta.chat, lambda client: client.with_options(timeout=5).chat])
def test_other_ways_to_the_methods_are_seen_too(mode: Mode, kimi: Emulator, find: Callable[[Any], Any]) -> None:
    """`client.beta.chat`, copies of the client, and raw responses of all of them."""
    seen: list[dict[str, Any]] = []
    completions, kind = find(mode.client(kimi)).completions, class_of(mode)
    completions.with_raw_response.create  # noqa: B018 - what it wraps is looked up at the call
    kind.create = wrapped(kind.create, seen)
    call(mode, completions, "create")
    call(mode, completions.with_raw_response, "create")
    assert [each["messages"] for each in seen] == [MESSAGES, MESSAGES]
    assert len(kimi.chats) == 2


@pytest.mark.parametrize("where", ["on the object", "on the class"])
@pytest.mark.parametrize("name", ["request", "post"])
@pytest.mark.parametrize("method", METHODS)
def test_a_wrapper_of_the_client_sees_the_whole_body(
    mode: Mode, kimi: Emulator, monkeypatch: pytest.MonkeyPatch, method: str, name: str, where: str
) -> None:
    """`request` has it in `options.json_data`, `post` in `body`; nothing is left in `extra_json`."""
    seen: list[Any] = []
    client = mode.client(kimi)
    holder = client if where == "on the object" else type(client)
    own = getattr(holder, name)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        options = kwargs["options"] if name == "post" else args[-1]
        body = kwargs["body"] if name == "post" else options.json_data
        extra = options.get("extra_json") if name == "post" else options.extra_json
        seen.append(({key: body[key] for key in SENT}, extra))
        return own(*args, **kwargs)

    monkeypatch.setattr(holder, name, wrapper)
    call(mode, client.chat.completions, method)
    assert seen == [(SENT, None)]
    assert len(kimi.chats) == 1


def test_a_wrapper_of_the_client_may_extend_the_stream(mode: Mode, kimi: Emulator) -> None:
    """As logfire does it: a subclass of the stream's class sees the chunks as we adapt them, and errors."""
    seen: list[Any] = []
    client = mode.client(kimi)
    own = client.request

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        asked_for = kwargs["stream_cls"]

        class Watched(asked_for):
            def __stream__(self) -> Iterator[Any]:
                for chunk in super().__stream__():
                    seen.append(chunk)
                    yield chunk

        class AsyncWatched(asked_for):
            async def __stream__(self) -> AsyncIterator[Any]:
                async for chunk in super().__stream__():
                    seen.append(chunk)
                    yield chunk

        return own(*args, **{**kwargs, "stream_cls": AsyncWatched if mode.is_async else Watched})

    client.request = wrapper
    chunks = mode.each(mode.run(client.chat.completions.create(**ASK, stream=True)))
    assert seen == chunks
    assert chunks[-1].usage.prompt_tokens > 0
    kimi.fail(ends_after(2))
    with pytest.raises(StreamCutError):
        mode.each(mode.run(client.chat.completions.create(**ASK, stream=True)))


def test_the_class_is_the_sdks(mode: Mode, kimi: Emulator) -> None:
    """What introspection finds: the SDK's class with its own methods, bound ones on the object, and two `chat`s."""
    client = mode.client(kimi)
    completions = client.chat.completions
    assert type(completions) is class_of(mode)
    assert inspect.getattr_static(type(completions), "create") is class_of(mode).__dict__["create"]
    assert completions.create.__self__ is completions
    assert inspect.iscoroutinefunction(completions.create) == mode.is_async
    assert "self" not in inspect.signature(completions.create).parameters
    assert client.chat is client.chat
    assert client.beta.chat is not client.chat
    assert client.beta.chat.completions is not completions
