"""Turns: how their calls run, what is sent for one that fails or takes too long, and how calls are approved."""

from __future__ import annotations

import asyncio
import builtins
import contextvars
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pydantic
import pytest

from kimi_openai import ToolCall
from kimi_openai.emulator import Emulator, call, say
from kimi_openai.tools import turn
from tests.conftest import Mode

from .helpers import clock, results, run_turns


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (call("weather", {"city": "Atlantis"}), "Error: LookupError: no such city"),
        (call("weather", '{"city": '), "Error: the arguments do not fit: the arguments are not valid JSON: Expecting"),
        (call("weather", "[]"), "Error: the arguments do not fit: the arguments are not a JSON object; they were: []"),
        (call("weather", {"town": "Paris"}), "Error: the arguments do not fit: city: Field required; town: Extra"),
        (call("weather", {"city": "Paris", "days": 0}), "Error: the arguments do not fit: days: Input should be"),
        (call("wether", {}), "Error: there is no tool named 'wether'; there are: weather, clock, $web_search"),
        (call("clock", ""), "noon"),
    ],
    ids=["exception", "half JSON", "no object", "other names", "out of range", "unknown tool", "no arguments"],
)
def test_the_model_gets_the_error_of_a_call(mode: Mode, kimi: Emulator, step: Any, text: str) -> None:
    """Nothing is raised; the model may try again, and does so here."""
    found = run_turns(mode, kimi, [step], [call("weather", {"city": "Rome"})], [say("ok")])
    assert (found.turns, results(kimi)[0][: len(text)]) == (3, text)


class Mute(Exception):
    """An exception whose text cannot be read."""

    def __str__(self) -> str:
        raise ValueError


class Base(BaseException):
    """An exception that `except Exception` does not catch."""


GROUP: Any = vars(builtins).get("BaseExceptionGroup", lambda text, _: Base(text))

RAISED: dict[str, tuple[Callable[[], BaseException], str]] = {
    "StopIteration": (StopIteration, "Error: "),
    "StopAsyncIteration": (StopAsyncIteration, "Error: StopAsyncIteration"),
    "GeneratorExit": (GeneratorExit, "Error: GeneratorExit"),
    "CancelledError": (asyncio.CancelledError, "Error: CancelledError"),
    "SystemExit": (lambda: SystemExit(2), "Error: SystemExit: 2"),
    "BaseException": (lambda: Base("b"), "Error: Base: b"),
    "group": (lambda: GROUP("two", [Base("b")]), "Error: "),
    "no text": (Mute, "Error: Mute: (Mute without a text)"),
    "RecursionError": (RecursionError, "Error: RecursionError"),
}


@pytest.mark.parametrize("other_calls", [0, 1], ids=["alone", "beside another"])
@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
@pytest.mark.parametrize(("raised", "text"), RAISED.values(), ids=RAISED)
def test_the_model_gets_whatever_a_tool_raises(
    mode: Mode, kimi: Emulator, raised: Callable[[], BaseException], text: str, is_async: bool, other_calls: int
) -> None:
    """The loop neither ends nor hangs. (Python makes a RuntimeError of a coroutine's StopIteration.)"""

    def fail() -> None:
        raise raised()

    async def fail_later() -> None:
        await asyncio.sleep(0)
        raise raised()

    tool: Any = fail_later if is_async else fail
    calls = [call(tool.__name__), *[call("clock")] * other_calls]
    found = run_turns(mode, kimi, calls, [say("ok")], tools=[tool, clock])
    assert found.turns == 2
    assert results(kimi)[0].startswith(text)


def test_a_result_without_json_is_sent_as_the_nearest_text(mode: Mode, kimi: Emulator) -> None:
    """`test_results` has many more."""
    loop: list[Any] = [float("nan"), b"\xff", "\ud83d"]
    loop.append(loop)

    def odd() -> list[Any]:
        return loop

    run_turns(mode, kimi, [call("odd")], [say("ok")], tools=[odd])
    assert results(kimi) == ['["NaN","/w==","\ufffd","(circular)"]']


def test_the_model_gets_what_a_validator_raises(mode: Mode, kimi: Emulator) -> None:
    """pydantic passes on all but ValueError and AssertionError."""

    class Place(pydantic.BaseModel):
        name: str

        @pydantic.field_validator("name")
        @classmethod
        def known(cls, name: str) -> str:
            raise LookupError(name)

    def go(place: Place) -> None:
        raise AssertionError(place)

    go.__annotations__["place"] = Place
    run_turns(mode, kimi, [call("go", {"place": {"name": "Rome"}})], [say("ok")], tools=[go])
    assert results(kimi) == ["Error: the arguments do not fit: LookupError: Rome"]


def test_a_call_that_takes_too_long_is_given_up(mode: Mode, kimi: Emulator) -> None:
    """The model is told; a plain function goes on in a daemon thread, and its result is ignored. An async function is
    cancelled. A call that was given up does not count for `max_parallel`.
    """
    released, cancelled = threading.Event(), threading.Event()

    def hang() -> str:
        assert threading.current_thread().daemon
        released.wait(30)
        return "too late"

    async def hang_later() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            cancelled.set()

    def returns_a_coroutine() -> Any:
        return hang_later()

    calls = [call("hang"), call("hang_later"), call("returns_a_coroutine"), call("clock")]
    tools = [hang, hang_later, returns_a_coroutine, clock]
    found = run_turns(mode, kimi, calls, [say("ok")], tools=tools, tool_timeout=1, max_parallel=3)
    released.set()
    given_up = "Error: the call did not end within 1 seconds; it was given up"
    assert results(kimi) == [given_up, given_up, given_up, "noon"]
    assert [message["content"] for message in found.messages if message["role"] == "tool"] == results(kimi)
    assert cancelled.wait(5)


def test_approval_does_not_count_for_the_time_limit(
    mode: Mode, kimi: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may take an hour."""
    passed = [0.0]
    monkeypatch.setattr(turn, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + sum(passed)))

    def approve(_: ToolCall) -> bool:
        passed.append(3600)
        return True

    run_turns(mode, kimi, [call("clock"), call("clock")], [say("ok")], tool_timeout=60, approve=approve)
    assert results(kimi) == ["noon", "noon"]


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_time_limit_is_a_number_above_zero(mode: Mode, kimi: Emulator, timeout: float) -> None:
    """Raises before anything is sent."""
    with pytest.raises(ValueError, match="tool_timeout is"):
        run_turns(mode, kimi, [call("clock")], tool_timeout=timeout)
    assert kimi.chats == []


def test_a_time_limit_may_be_endless(mode: Mode, kimi: Emulator) -> None:
    """Or longer than any lock can wait."""
    for timeout in (float("inf"), 1e12):
        run_turns(mode, kimi, [call("clock"), call("clock")], [say("ok")], tool_timeout=timeout)
        assert results(kimi) == ["noon", "noon"]


EXITS = """
    import asyncio, sys, time
    from kimi_openai import create_async_client, create_client, run_tools

    def hang() -> None:
        time.sleep(600)

    base_url, api_key = sys.argv[1:]
    ask = dict(model="kimi-k3", messages=[{"role": "user", "content": "Hi"}], tools=[hang], tool_timeout=0.2)

    async def main():
        async with create_async_client(base_url=base_url, api_key=api_key) as client:
            print((await run_tools(client, **ask)).messages[2]["content"])

    asyncio.run(main())
    print(run_tools(create_client(base_url=base_url, api_key=api_key), **ask).messages[2]["content"])
"""


def test_a_call_that_never_ends_does_not_keep_the_interpreter(kimi: Emulator) -> None:
    """The program ends although threads of both kinds of client still wait."""
    for step in (call("hang"), say("ok")) * 2:
        kimi.script(step)
    arguments = [sys.executable, "-c", textwrap.dedent(EXITS), kimi.base_url, kimi.api_key]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("Error: the call did not end within 0.2 seconds; it was given up\n" * 2, "")


def test_ctrl_c_does_not_wait_for_threads(kimi: Emulator) -> None:
    """With a synchronous client and several calls, the interrupt reaches the loop while the tools still run."""
    released = threading.Event()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def stop() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        released.wait(30)

    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            run_turns(Mode("sync"), kimi, [call("stop"), call("clock")], tools=[stop, clock])
    finally:
        signal.signal(signal.SIGINT, before)
        released.set()
    so_far: Any = caught.value
    assert so_far.messages[2]["content"] == "Error: the call did not end, because the run was ended"


def test_tools_see_the_context_variables_of_the_caller(mode: Mode, kimi: Emulator) -> None:
    """In threads and tasks too, as tracing tools need it."""
    variable = contextvars.ContextVar("variable", default="unset")

    def plain() -> str:
        return variable.get()

    async def later() -> str:
        return variable.get()

    variable.set("set")
    run_turns(mode, kimi, [call("plain"), call("later")], [say("ok")], tools=[plain, later])
    assert results(kimi) == ["set", "set"]


def test_a_call_that_is_alone_runs_in_the_thread_of_the_caller(kimi: Emulator) -> None:
    """With a synchronous client: what belongs to one thread (sqlite, browsers) can be used."""

    def where() -> str:
        return threading.current_thread().name

    run_turns(Mode("sync"), kimi, [call("where")], [say("ok")], tools=[where])
    assert results(kimi) == [threading.current_thread().name]


def test_the_calls_of_a_turn_run_at_once(mode: Mode, kimi: Emulator) -> None:
    """Two calls that wait for each other both end."""
    meeting = threading.Barrier(2, timeout=5)

    def meet(number: int) -> int:
        meeting.wait()
        return number

    run_turns(mode, kimi, [call("meet", {"number": 1}), call("meet", {"number": 2})], [say("ok")], tools=[meet])
    assert results(kimi) == ["1", "2"]


def test_max_parallel_limits_the_calls_at_once(mode: Mode, kimi: Emulator) -> None:
    """With `max_parallel=1` they run one after the other."""
    open_now: list[int] = []

    async def take(number: int) -> int:
        open_now.append(number)
        await asyncio.sleep(0.01)
        assert open_now == [number]
        return open_now.pop()

    calls = [call("take", {"number": number}) for number in range(3)]
    run_turns(mode, kimi, calls, [say("ok")], tools=[take], max_parallel=1)
    assert results(kimi) == ["0", "1", "2"]


def test_calls_can_be_refused(mode: Mode, kimi: Emulator) -> None:
    """The hook gets each call whose arguments fit; Kimi gets the text that the hook returns instead of True."""
    asked: list[ToolCall] = []

    def approve(waiting: ToolCall) -> bool | str:
        asked.append(waiting)
        return {"Paris": True, "Rome": False}.get(waiting.arguments.get("city", ""), "not today")

    calls = [call("weather", {"city": city}) for city in ("Paris", "Rome", "Oslo")] + [call("weather", "{")]
    run_turns(mode, kimi, [*calls, call("$web_search", {"q": 1})], [say("ok")], approve=approve)
    assert asked[0] == ToolCall("weather", {"city": "Paris"}, "weather_0", 1)
    assert [each.name for each in asked] == ["weather"] * 3 + ["$web_search"]
    assert results(kimi)[1:3] == ["Error: the call was not allowed", "Error: the call was not allowed: not today"]
    assert results(kimi)[0] == '{"city":"Paris","sun":1}'
    assert results(kimi)[4] == "Error: the call was not allowed: not today"


def test_the_hook_can_be_asynchronous(mode: Mode, kimi: Emulator) -> None:
    """With both kinds of client."""

    async def approve(_: ToolCall) -> bool:
        await asyncio.sleep(0)
        return True

    run_turns(mode, kimi, [call("clock")], [say("ok")], approve=approve)
    assert results(kimi) == ["noon"]


def test_a_synchronous_client_runs_inside_an_event_loop(kimi: Emulator) -> None:
    """As in a notebook; the hook and the tool are asynchronous, the tool a function that returns a coroutine."""

    async def approve(_: ToolCall) -> bool:
        return True

    def later() -> Any:
        return clock()

    async def cell() -> None:
        run_turns(Mode("sync"), kimi, [call("later")], [say("Noon.")], tools=[later], approve=approve)

    asyncio.run(cell())
    assert results(kimi) == ["noon"]


def test_max_parallel_is_at_least_one(mode: Mode, kimi: Emulator) -> None:
    """Raises before anything is sent."""
    with pytest.raises(ValueError, match="max_parallel is 0"):
        run_turns(mode, kimi, [call("clock"), call("clock")], max_parallel=0)
    assert kimi.chats == []


def test_an_empty_result_is_a_short_text(mode: Mode, kimi: Emulator) -> None:
    """The model sees that the tool has run, and no note or warning is made."""

    def quiet() -> str:
        """Does something and says nothing."""
        return ""

    run_turns(mode, kimi, [call("quiet", {})], [say("ok")], tools=(quiet,))
    assert results(kimi) == ["(empty)"]
