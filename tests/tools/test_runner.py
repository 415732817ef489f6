"""`run_tools`: what is sent in each turn, what the run returns, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import openai
import pytest

from kimi_openai import ToolCall, TooManyTurnsError, create_async_client, instant, run_tools
from kimi_openai.emulator import Emulator, call, error, rate_limited, reset_after, say, think
from tests.conftest import Mode
from tests.servers import MakeAnswering

from .helpers import ASK, clock, results, run_turns, weather

OLD = {"name": "weather", "arguments": '{"city": "Z"}'}


def pack(days: list[int]) -> int:
    """Packs."""
    return sum(days)


def test_a_turn_of_calls_and_an_answer(mode: Mode, kimi: Emulator) -> None:
    """Plain and async functions and a builtin; the messages are those of the last request and the answer."""
    calls = [think("hm"), call("weather", {"city": "Paris"}), call("clock"), call("$web_search", {"q": [1]})]
    found = run_turns(mode, kimi, calls, [say("Sunny.")])
    assert (found.completion.choices[0].message.content, found.turns) == ("Sunny.", 2)
    assert found.messages[:-1] == kimi.chats[1]["messages"]
    asked, *answers, last = found.messages[1:]
    assert (asked["role"], asked["reasoning_content"], len(asked["tool_calls"])) == ("assistant", "hm", 3)
    assert answers == [
        {"role": "tool", "tool_call_id": "weather_0", "content": '{"city":"Paris","sun":1}'},
        {"role": "tool", "tool_call_id": "clock_1", "content": "noon"},
        {"role": "tool", "tool_call_id": "$web_search_2", "content": '{"q":[1]}', "name": "$web_search"},
    ]
    assert last["content"] == "Sunny."
    assert found.usage["completion_tokens"] > found.completion.usage.completion_tokens
    assert ASK["messages"] == [{"role": "user", "content": "Weather?"}]


def test_ids_are_unique_in_the_conversation(mode: Mode, kimi: Emulator) -> None:
    """Kimi numbers the calls of each answer from 0; from the second answer on, a repeated id is changed, in the call
    and in its result. An id of the passed messages counts too.
    """
    asked = {"role": "assistant", "tool_calls": [{"id": "weather_1", "type": "function", "function": OLD}]}
    old = [*ASK["messages"], asked, {"role": "tool", "tool_call_id": "weather_1", "content": "old"}]
    turns = [[call("weather", {"city": "A"})], [call("weather", {"city": "B"}), call("clock")], [call("clock")]]
    found = run_turns(mode, kimi, *turns, [say("ok")], messages=old)
    ids = ["weather_1", "weather_0", "weather_2", "clock_1", "clock_0"]
    for messages in (kimi.chats[-1]["messages"], found.messages):
        assert [each["id"] for message in messages for each in message.get("tool_calls", ())] == ids
        assert [message["tool_call_id"] for message in messages if message["role"] == "tool"] == ids
    assert results(kimi)[1:] == ['{"city":"A","sun":1}', '{"city":"B","sun":1}', "noon", "noon"]


def test_an_id_that_occurs_once_is_kept(mode: Mode, kimi: Emulator) -> None:
    """Also where it has the form of a new one."""
    calls = [call("weather", {"city": city}, id=id) for city, id in (("A", "x"), ("B", "x"), ("C", "weather_0"))]
    found = run_turns(mode, kimi, calls, [say("ok")])
    assert [each["id"] for each in found.messages[1]["tool_calls"]] == ["x", "weather_1", "weather_0"]
    assert [each["tool_call_id"] for each in found.messages if each["role"] == "tool"] == [
        "x",
        "weather_1",
        "weather_0",
    ]


BROKEN = {
    "raw newline": ('{"city": "A\nB"}', '{"city": "A\\nB"}', '{"city":"A\\nB","sun":1}'),
    "an object in a text": ('"{\\"city\\": \\"A\\"}"', '{"city": "A"}', '{"city":"A","sun":1}'),
    "cut off": ('{"city": "A', "{}", "Error: the arguments do not fit: the arguments are not valid JSON: Unterminated"),
    "no object": ("[]", "{}", "Error: the arguments do not fit: the arguments are not a JSON object; they were: []"),
    "empty": ("", "{}", "Error: the arguments do not fit: city: Field required"),
}


@pytest.mark.parametrize(("written", "replayed", "result"), BROKEN.values(), ids=BROKEN)
def test_broken_arguments_are_not_sent_back(
    mode: Mode, kimi: Emulator, written: str, replayed: str, result: str
) -> None:
    """The history has a valid object in their place, and the tool gets what can be read or the model what was wrong."""
    found = run_turns(mode, kimi, [call("weather", written)], [say("ok")])
    for messages in (kimi.chats[-1]["messages"], found.messages):
        assert messages[1]["tool_calls"][0]["function"] == {"name": "weather", "arguments": replayed}
    assert results(kimi)[0].startswith(result)


def test_valid_arguments_are_sent_back_to_the_letter(mode: Mode, kimi: Emulator) -> None:
    """Also where a part of them was unwrapped for the tool: Kimi's cache compares letters."""
    written = '{"days":  "[1, 2]"}'
    run_turns(mode, kimi, [call("pack", written)], [say("ok")], tools=[pack])
    assert kimi.chats[-1]["messages"][1]["tool_calls"][0]["function"]["arguments"] == written
    assert results(kimi) == ["3"]


def test_a_call_without_an_id_gets_one(mode: Mode, answering: MakeAnswering) -> None:
    """Its name and its position in the turn."""
    pieces = [{"index": index, "function": {"name": "weather", "arguments": "{}"}} for index in range(2)]
    chunk = {
        "id": "c",
        "model": "kimi-k3",
        "choices": [{"delta": {"tool_calls": pieces}, "finish_reason": "tool_calls"}],
    }
    stream = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()
    client = mode.client(
        api_key="sk-1", base_url=answering(200, stream, {"Content-Type": "text/event-stream"}).base_url
    )
    with pytest.raises(TooManyTurnsError) as caught:
        mode.run(run_tools(client, **ASK, tools=[weather], max_turns=1))
    (*_, message) = caught.value.result.messages
    assert [each["id"] for each in message["tool_calls"]] == ["weather_0", "weather_1"]


def test_too_many_turns_are_an_error(mode: Mode, kimi: Emulator) -> None:
    """The error has the messages so far; the last calls did not run."""
    turn = [call("weather", {"city": "Paris"})]
    with pytest.raises(TooManyTurnsError) as caught:
        run_turns(mode, kimi, turn, turn, max_turns=2)
    found = caught.value.result
    assert [message["role"] for message in found.messages] == ["user", "assistant", "tool", "assistant"]
    assert (found.turns, len(kimi.chats)) == (2, 2)
    assert str(caught.value) == (
        "after 2 turns the model still calls tools; the request's side; raise max_turns, or look in result.messages "
        "for what it is trying to do"
    )
    failed: Any = caught.value
    assert failed.messages[:-1] == found.messages
    assert failed.messages[-1]["content"] == "Error: the call did not run, because the run was ended"


def test_an_error_has_the_messages_so_far(mode: Mode, kimi: Emulator) -> None:
    """The calls that ran and their results are not lost."""
    refusal = error("Invalid Authentication", type="invalid_authentication_error", status=401)
    with pytest.raises(openai.AuthenticationError) as caught:
        run_turns(mode, kimi, [call("weather", {"city": "Paris"})], [refusal])
    failed: Any = caught.value
    assert [message["role"] for message in failed.messages] == ["user", "assistant", "tool"]


def interrupt() -> None:
    """Does what Ctrl-C does."""
    raise KeyboardInterrupt


def test_an_interrupt_has_the_messages_so_far(mode: Mode, kimi: Emulator) -> None:
    """With the results of the calls that ended and an error for each other one, so that they can be sent again."""
    calls = [call("clock"), call("interrupt"), call("weather", {"city": "A"})]
    with pytest.raises(KeyboardInterrupt) as caught:
        run_turns(mode, kimi, calls, tools=[weather, clock, interrupt], max_parallel=1)
    so_far: Any = caught.value
    assert [message["content"] for message in so_far.messages[2:]] == [
        "noon",
        "Error: the call did not end, because the run was ended",
        "Error: the call did not run, because the run was ended",
    ]
    run_turns(mode, kimi, [say("ok")], messages=so_far.messages)
    assert kimi.chats[-1]["messages"] == so_far.messages


def test_an_interrupt_of_the_only_call_ends_the_run(mode: Mode, kimi: Emulator) -> None:
    """It may have been meant for the tool or for the loop; the loop cannot know."""
    with pytest.raises(KeyboardInterrupt) as caught:
        run_turns(mode, kimi, [call("interrupt")], tools=[interrupt])
    so_far: Any = caught.value
    assert len(so_far.messages) == 3


HOOK_ERRORS = [ValueError("no"), StopIteration(), SystemExit(1), KeyboardInterrupt()]


@pytest.mark.parametrize("raised", HOOK_ERRORS, ids=lambda error: type(error).__name__)
def test_what_the_hook_raises_ends_the_run(mode: Mode, kimi: Emulator, raised: BaseException) -> None:
    """Its exception has the messages so far. (Python makes a RuntimeError of StopIteration.)"""

    def approve(waiting: ToolCall) -> bool:
        if waiting.name == "weather":
            raise raised
        return True

    expected = RuntimeError if isinstance(raised, StopIteration) else type(raised)
    with pytest.raises(expected) as caught:
        run_turns(mode, kimi, [call("clock")], [call("clock"), call("weather", {"city": "A"})], approve=approve)
    so_far: Any = caught.value
    assert [message["role"] for message in so_far.messages] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "tool",
        "tool",
    ]
    assert so_far.messages[-1]["content"] == "Error: the call did not run, because the run was ended"


def test_an_exception_that_takes_no_attribute_is_raised_as_it_is(mode: Mode, kimi: Emulator) -> None:
    """It is the caller's own; the messages are lost."""

    class Frozen(Exception):
        @property
        def messages(self) -> str:
            return "mine"

    def approve(_: ToolCall) -> bool:
        raise Frozen

    with pytest.raises(Frozen) as caught:
        run_turns(mode, kimi, [call("clock")], approve=approve)
    assert caught.value.messages == "mine"


def test_a_cancelled_run_has_the_messages_so_far(kimi: Emulator) -> None:
    """The tools that still run are cancelled, and the caller's cancellation goes on when they have cleaned up."""
    begun, cleaned = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        """Waits for ever."""
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            cleaned.set()

    async def stubborn() -> str:
        """Ends with a result."""
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return "too late"

    async def main() -> Any:
        kimi.script(call("clock"), call("hang"), call("stubborn"))
        client = create_async_client(base_url=kimi.base_url, api_key=kimi.api_key)

        async def caller() -> Any:
            with pytest.raises(asyncio.CancelledError) as caught:
                await run_tools(client, **ASK, tools=[clock, hang, stubborn])
            return caught.value

        running = asyncio.ensure_future(caller())
        await begun.wait()
        await asyncio.sleep(0.1)
        running.cancel()
        so_far = await running
        await client.close()
        return so_far

    so_far = asyncio.run(main())
    assert cleaned.is_set()
    unfinished = "Error: the call did not end, because the run was ended"
    assert [message["content"] for message in so_far.messages[2:]] == ["noon", unfinished, unfinished]


def test_a_tool_that_ignores_its_cancellation_does_not_hold_the_run(kimi: Emulator) -> None:
    """Neither when the caller is cancelled nor when another tool is interrupted; it goes on alone."""
    begun, released = asyncio.Event(), asyncio.Event()
    cancelled: list[str] = []

    async def ignore() -> None:
        """Never ends."""
        begun.set()
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:  # noqa: PERF203
                cancelled.append("ignore")

    async def main() -> None:
        client = create_async_client(base_url=kimi.base_url, api_key=kimi.api_key)
        kimi.script(call("ignore"))
        running = asyncio.ensure_future(run_tools(client, **ASK, tools=[ignore]))
        await begun.wait()
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()
        kimi.script(call("ignore"), call("interrupt"))
        with pytest.raises(KeyboardInterrupt):
            await run_tools(client, **ASK, tools=[ignore, interrupt])
        await asyncio.sleep(0)
        released.set()
        await client.close()

    asyncio.run(main())
    assert cancelled == ["ignore", "ignore"]


def test_turns_survive_what_streams_survive(mode: Mode, kimi: Emulator) -> None:
    """A rate limit and a cut connection inside the loop."""
    kimi.fail(rate_limited(), reset_after(3))
    kimi.reply = lambda request: [say("Sunny.")] if "tool" in str(request.json["messages"][-1]) else None
    question = {"role": "user", "content": "Call weather."}
    with instant():
        found = mode.run(run_tools(mode.client(kimi), model="kimi-k3", messages=[question], tools=[weather]))
    assert (found.turns, found.completion.choices[0].message.content) == (2, "Sunny.")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"tool_choice": "required"}, ["required", "auto"]),
        ({"tool_choice": "none"}, ["none", "none"]),
        ({}, [None, None]),
    ],
    ids=["required", "none", "not given"],
)
def test_a_forced_call_is_forced_in_the_first_turn(
    mode: Mode, kimi: Emulator, given: dict[str, str], sent: list[str | None]
) -> None:
    """A call forced in every turn would have no end; other choices stay."""
    run_turns(mode, kimi, [call("clock")], [say("ok")], **given)
    assert [chat.get("tool_choice") for chat in kimi.chats] == sent


def test_a_definition_with_its_function(mode: Mode, kimi: Emulator) -> None:
    """The definition is sent as it is, and any arguments that fit it are passed to `**values`."""
    schema = {"name": "echo", "description": "Echo.", "parameters": {"type": "object", "properties": {}}}

    def echo(**values: Any) -> Any:
        return values

    run_turns(mode, kimi, [call("echo", {"a": 1}), call("echo", "[")], [say("ok")], tools=[(schema, echo)])
    assert kimi.chats[0]["tools"] == [{"type": "function", "function": schema}]
    assert results(kimi)[0] == '{"a":1}'
    assert results(kimi)[1].startswith("Error: the arguments do not fit: the arguments are not valid JSON")
