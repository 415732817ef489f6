"""Ctrl-C and cancelled tasks: what had come is on the exception."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kimi_openai import StreamCutError, complete, create_async_client, create_client, instant, live, run_tools, stream
from kimi_openai.emulator import Emulator, reset_after, say, stall, think

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
ARRIVAL = 0.3
"""Seconds in which the chunks arrive after the request."""

HALT = 6
"""Chunks that come: the role, the reasoning, and some of the text."""


@pytest.fixture(autouse=True)
def halting(kimi: Emulator) -> None:
    """The server sends the beginning of an answer and then nothing."""
    kimi.reply = lambda _: [think("hm"), say("one two three four five six")]
    kimi.fail(stall(HALT))


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """SIGINT raises `KeyboardInterrupt`, also where the tests were started with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def came(reply: Any) -> bool:
    """Whether it is the beginning of the answer."""
    return reply.reasoning == "hm" and "one two three four five six".startswith(reply.content.strip()) and reply.content


def read(answer: Any) -> None:
    for _ in answer:
        pass


def read_in_block(answer: Any) -> None:
    with answer:
        read(answer)


SYNC: list[Any] = [
    pytest.param(lambda client: read(stream(client, **ASK)), id="stream"),
    pytest.param(lambda client: read_in_block(stream(client, **ASK)), id="with stream"),
    pytest.param(lambda client: stream(client, **ASK).get_final_completion(), id="get_final_completion"),
    pytest.param(lambda client: complete(client, **ASK), id="complete"),
    pytest.param(lambda client: run_tools(client, tools=[], **ASK), id="run_tools"),
    pytest.param(lambda client: live(stream(client, **ASK)), id="live"),
    pytest.param(lambda client: live(client.chat.completions.create(**ASK, stream=True)), id="live(create)"),
]


@pytest.mark.parametrize("run", SYNC)
def test_an_interrupted_call_leaves_what_came(kimi: Emulator, run: Callable[[Any], Any]) -> None:
    """On the `KeyboardInterrupt`, as `reply`."""

    def interrupt() -> None:
        while not kimi.chats:
            time.sleep(0.01)
        time.sleep(ARRIVAL)
        os.kill(os.getpid(), signal.SIGINT)

    with create_client(base_url=kimi.base_url, api_key=kimi.api_key) as client:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt) as caught:
            run(client)
    error: Any = caught.value
    assert came(error.reply)


async def read_async(answer: Any) -> None:
    async for _ in answer:
        pass


async def live_of(stream: Any) -> Any:
    return await live(stream)


async def of(awaitable: Any) -> Any:
    return await awaitable


ASYNC: list[Any] = [
    pytest.param(lambda client: read_async(stream(client, **ASK)), id="stream"),
    pytest.param(lambda client: of(stream(client, **ASK).get_final_completion()), id="get_final_completion"),
    pytest.param(lambda client: of(complete(client, **ASK)), id="complete"),
    pytest.param(lambda client: of(run_tools(client, tools=[], **ASK)), id="run_tools"),
    pytest.param(lambda client: live_of(stream(client, **ASK)), id="live"),
    pytest.param(lambda client: live_of(client.chat.completions.create(**ASK, stream=True)), id="live(create)"),
]


@pytest.mark.parametrize("how", ["cancel", "timeout"])
@pytest.mark.parametrize("run", ASYNC)
def test_a_cancelled_task_leaves_what_came(kimi: Emulator, run: Callable[[Any], Any], how: str) -> None:
    """On the `CancelledError`, as `reply`; that is the cause of a timeout of asyncio. Outside of the task, Python 3.10
    raises another one, whose context it is."""

    async def main() -> Any:
        async with create_async_client(base_url=kimi.base_url, api_key=kimi.api_key) as client:
            if how == "timeout":
                try:
                    await asyncio.wait_for(run(client), 2 * ARRIVAL)
                except asyncio.TimeoutError as error:
                    return error.__cause__
            task = asyncio.ensure_future(run(client))
            while not kimi.chats:
                await asyncio.sleep(0.01)
            await asyncio.sleep(ARRIVAL)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError as error:
                return error

    error: Any = asyncio.run(main())
    assert came(error.reply if sys.version_info >= (3, 11) else error.__context__.reply)


def raise_in_block(answer: Any, kind: type[BaseException]) -> None:
    with answer:
        for event in answer:
            if event.type == "content.delta":
                raise kind


@pytest.mark.parametrize("kind", [KeyboardInterrupt, KeyError])
def test_an_interruption_of_the_callers_own_code_leaves_it_too(kimi: Emulator, kind: type[BaseException]) -> None:
    """Inside the `with` block of the stream; another exception of the caller's is left alone."""
    with create_client(base_url=kimi.base_url, api_key=kimi.api_key) as client, pytest.raises(kind) as caught:
        raise_in_block(stream(client, **ASK), kind)
    assert hasattr(caught.value, "reply") == (kind is KeyboardInterrupt)


def test_what_came_before_a_new_start_is_not_lost(kimi: Emulator) -> None:
    """An exception has the fullest of what had come, although the answer starts over after a cut."""
    kimi.clear()
    kimi.fail(reset_after(HALT), *[reset_after(1)] * 9)
    kimi.reply = lambda _: [think("hm"), say("one two three four five six")]
    client = create_client(base_url=kimi.base_url, api_key=kimi.api_key)
    with client, instant(), pytest.raises(StreamCutError) as caught:
        read(stream(client, **ASK, on_cut="restart"))
    error: Any = caught.value
    assert came(error.reply)
    assert error.text == error.reply.content
