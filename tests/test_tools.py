"""`run_tools`: what callables look like to Kimi, what runs, what goes back, and how the loop ends."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import openai
import pydantic
import pytest

from kimi_openai import ToolCall, TooManyTurnsError, instant, run_tools
from kimi_openai.docstrings import described_parameters
from kimi_openai.emulator import Emulator, call, error, rate_limited, reset_after, say, think
from kimi_openai.toolbox import BadArguments, result_text, toolbox

from .conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Weather?"}]}
SEARCH = {"type": "builtin_function", "function": {"name": "$web_search"}}


def weather(city: str, days: Annotated[int, pydantic.Field(ge=1)] = 1) -> dict[str, Any]:
    """The weather in a city.

    Args:
        city: Where.
        days: How long.
    """
    if city == "Atlantis":
        raise LookupError("no such city")
    return {"city": city, "sun": days}


async def clock() -> str:
    """The time."""
    await asyncio.sleep(0)
    return "noon"


def run(mode: Mode, kimi: Emulator, *turns: Any, tools: Any = (weather, clock, SEARCH), **params: Any) -> Any:
    """A run in which Kimi's answers are these, each a list of steps."""
    for turn in turns:
        kimi.script(*turn)
    with instant():
        return mode.run(run_tools(mode.client(kimi), **{**ASK, **params}, tools=tools))


def results(kimi: Emulator) -> list[str]:
    """What the tools' messages of the last request say."""
    return [message["content"] for message in kimi.chats[-1]["messages"] if message["role"] == "tool"]


def test_a_turn_of_calls_and_an_answer(mode: Mode, kimi: Emulator) -> None:
    """Plain and async callables and a builtin; the transcript is what was sent, and the answer."""
    calls = [think("hm"), call("weather", {"city": "Paris"}), call("clock"), call("$web_search", {"q": [1]})]
    found = run(mode, kimi, calls, [say("Sunny.")])
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


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (call("weather", {"city": "Atlantis"}), "Error: LookupError: no such city"),
        (call("weather", '{"city": '), "Error: the arguments do not fit: Invalid JSON"),
        (call("weather", "[]"), "Error: the arguments do not fit: Input should be an object"),
        (call("weather", {"town": "Paris"}), "Error: the arguments do not fit: city: Field required; town: Extra"),
        (call("weather", {"city": "Paris", "days": 0}), "Error: the arguments do not fit: days: Input should be"),
        (call("wether", {}), "Error: there is no tool named 'wether'; there are: weather, clock, $web_search"),
        (call("clock", ""), "noon"),
    ],
    ids=["exception", "half JSON", "no object", "other names", "out of range", "unknown tool", "no arguments"],
)
def test_what_goes_wrong_is_told_to_the_model(mode: Mode, kimi: Emulator, step: Any, told: str) -> None:
    """Not raised: it may try again, and here does."""
    found = run(mode, kimi, [step], [call("weather", {"city": "Rome"})], [say("ok")])
    assert (found.turns, results(kimi)[0][: len(told)]) == (3, told)


def test_ids_may_repeat_between_turns(mode: Mode, kimi: Emulator) -> None:
    """Kimi counts them anew in each answer; results stay with their turn."""
    found = run(mode, kimi, [call("weather", {"city": "A"})], [call("weather", {"city": "B"})], [say("ok")])
    assert [m["tool_call_id"] for m in found.messages if m["role"] == "tool"] == ["weather_0", "weather_0"]
    assert results(kimi) == ['{"city":"A","sun":1}', '{"city":"B","sun":1}']


def test_ids_that_repeat_within_a_turn_are_told_apart(mode: Mode, kimi: Emulator) -> None:
    """Each call has its own result, in the message that is sent back as well."""
    same = [call("weather", {"city": "A"}, id="x"), call("weather", {"city": "B"}, id="x")]
    found = run(mode, kimi, same, [say("ok")])
    ids = [each["id"] for each in found.messages[1]["tool_calls"]]
    assert ids == [m["tool_call_id"] for m in found.messages if m["role"] == "tool"]
    assert len(set(ids)) == 2


def test_the_calls_of_a_turn_run_at_once(mode: Mode, kimi: Emulator) -> None:
    """Two that wait for each other get on."""
    meeting = threading.Barrier(2, timeout=5)

    def meet(number: int) -> int:
        meeting.wait()
        return number

    run(mode, kimi, [call("meet", {"number": 1}), call("meet", {"number": 2})], [say("ok")], tools=[meet])
    assert results(kimi) == ["1", "2"]


def test_no_more_run_at_once_than_allowed(mode: Mode, kimi: Emulator) -> None:
    """One after the other with `max_parallel=1`."""
    open_now: list[int] = []

    async def take(number: int) -> int:
        open_now.append(number)
        await asyncio.sleep(0.01)
        assert open_now == [number]
        return open_now.pop()

    calls = [call("take", {"number": number}) for number in range(3)]
    run(mode, kimi, calls, [say("ok")], tools=[take], max_parallel=1)
    assert results(kimi) == ["0", "1", "2"]


def test_calls_can_be_refused(mode: Mode, kimi: Emulator) -> None:
    """The hook sees each call whose arguments fit; what it says instead of True is what Kimi is told."""
    asked: list[ToolCall] = []

    def approve(waiting: ToolCall) -> bool | str:
        asked.append(waiting)
        return {"Paris": True, "Rome": False}.get(waiting.arguments.get("city", ""), "not today")

    calls = [call("weather", {"city": city}) for city in ("Paris", "Rome", "Oslo")] + [call("weather", "{")]
    run(mode, kimi, [*calls, call("$web_search", {"q": 1})], [say("ok")], approve=approve)
    assert asked[0] == ToolCall("weather", {"city": "Paris"}, "weather_0", 1)
    assert [each.name for each in asked] == ["weather"] * 3 + ["$web_search"]
    assert results(kimi)[1:3] == ["Error: the call was not allowed", "Error: the call was not allowed: not today"]
    assert results(kimi)[0] == '{"city":"Paris","sun":1}'
    assert results(kimi)[4] == "Error: the call was not allowed: not today"


def test_the_hook_may_be_asynchronous(mode: Mode, kimi: Emulator) -> None:
    """In both worlds."""

    async def approve(_: ToolCall) -> bool:
        await asyncio.sleep(0)
        return True

    run(mode, kimi, [call("clock")], [say("ok")], approve=approve)
    assert results(kimi) == ["noon"]


def test_a_loop_may_run_already(kimi: Emulator) -> None:
    """A synchronous client in a notebook: hook and tools may be asynchronous, in whatever form they come."""

    async def approve(_: ToolCall) -> bool:
        return True

    def later() -> Any:
        return clock()

    async def cell() -> None:
        run(Mode("sync"), kimi, [call("later")], [say("Noon.")], tools=[later], approve=approve)

    asyncio.run(cell())
    assert results(kimi) == ["noon"]


def test_some_call_must_be_allowed_to_run(mode: Mode, kimi: Emulator) -> None:
    """None at once would wait for ever."""
    with pytest.raises(ValueError, match="max_parallel is 0"):
        run(mode, kimi, [call("clock"), call("clock")], max_parallel=0)
    assert kimi.chats == []


def test_turns_have_an_end(mode: Mode, kimi: Emulator) -> None:
    """The error has the transcript; the last calls did not run."""
    turn = [call("weather", {"city": "Paris"})]
    with pytest.raises(TooManyTurnsError, match="after 2 turns") as caught:
        run(mode, kimi, turn, turn, max_turns=2)
    found = caught.value.result
    assert [message["role"] for message in found.messages] == ["user", "assistant", "tool", "assistant"]
    assert (found.turns, len(kimi.chats)) == (2, 2)


def test_a_failure_has_the_transcript(mode: Mode, kimi: Emulator) -> None:
    """What was done before an error is not lost with it."""
    refusal = error("Invalid Authentication", type="invalid_authentication_error", status=401)
    with pytest.raises(openai.AuthenticationError) as caught:
        run(mode, kimi, [call("weather", {"city": "Paris"})], [refusal])
    failed: Any = caught.value
    assert [message["role"] for message in failed.messages] == ["user", "assistant", "tool"]


def test_turns_survive_what_streams_survive(mode: Mode, kimi: Emulator) -> None:
    """Limits and cuts within the loop."""
    kimi.fail(rate_limited(), reset_after(3))
    kimi.reply = lambda request: [say("Sunny.")] if "tool" in str(request.json["messages"][-1]) else None
    question = {"role": "user", "content": "Call weather."}
    with instant():
        found = mode.run(run_tools(mode.client(kimi), model="kimi-k3", messages=[question], tools=[weather]))
    assert (found.turns, found.completion.choices[0].message.content) == (2, "Sunny.")


def test_a_forced_call_is_forced_once(mode: Mode, kimi: Emulator) -> None:
    """Else it would never end."""
    run(mode, kimi, [call("clock")], [say("ok")], tool_choice="required")
    assert [chat.get("tool_choice") for chat in kimi.chats] == ["required", "auto"]


def test_a_definition_with_its_callable(mode: Mode, kimi: Emulator) -> None:
    """Whole or only its function; the arguments must fit the callable's parameters."""
    schema = {"name": "echo", "description": "Echo.", "parameters": {"type": "object", "properties": {}}}

    def echo(**values: Any) -> Any:
        return values

    run(mode, kimi, [call("echo", {"a": 1}), call("echo", "[")], [say("ok")], tools=[(schema, echo)])
    assert kimi.chats[0]["tools"] == [{"type": "function", "function": schema}]
    assert results(kimi)[0] == '{"a":1}'
    assert results(kimi)[1].startswith("Error: the arguments do not fit: the arguments are not valid JSON")
    box = toolbox([({"type": "function", "function": {"name": "one"}}, lambda a: a)])
    with pytest.raises(BadArguments, match="missing a required argument: 'a'"):
        box["one"].bind('{"b": 1}')
    with pytest.raises(BadArguments, match="not a JSON object"):
        box["one"].bind("1")


class Place(pydantic.BaseModel):
    name: str
    kind: Literal["city", "village"] = "city"


@dataclass
class Trip:
    days: int


def test_a_schema_comes_from_signature_and_docstring() -> None:
    """Pydantic's types, dataclasses, defaults, names that pydantic keeps for itself, positional parameters."""

    def plan(place: Place, /, trip: Trip, *, schema: str | None = None, model_config: int = 0, _tag: str = "") -> str:
        """Plan a trip.

        :param place: Where to.
        :param str schema: A pattern
            of days.
        """
        return f"{place.kind} {trip.days} {schema} {model_config} {_tag}"

    tool = toolbox([plan])["plan"]
    about = tool.definition["function"]
    assert about["description"] == "Plan a trip."
    properties = about["parameters"]["properties"]
    assert list(properties) == ["place", "trip", "schema", "model_config", "_tag"]
    assert properties["schema"]["description"] == "A pattern of days."
    assert about["parameters"]["required"] == ["place", "trip"]
    assert tool.run is not None
    bound = tool.bind('{"place": {"name": "Rome"}, "trip": {"days": 3}, "_tag": "x"}')
    assert tool.run(*bound.args, **bound.kwargs) == "city 3 None 0 x"


def numbered(*numbers: int) -> None:
    """Takes any number."""


@pytest.mark.parametrize(
    ("tools", "why"),
    [
        ([weather, weather], "two tools are named 'weather'"),
        ([lambda: None], "cannot be a tool"),
        ([numbered], r"takes \*numbers"),
        ([{"type": "function", "function": {"name": "a"}}], "needs its callable"),
    ],
    ids=["twice", "no name", "any number", "no callable"],
)
def test_what_cannot_be_a_tool_is_refused_at_once(tools: Any, why: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match=why):
        toolbox(tools)


@pytest.mark.parametrize(
    ("result", "text"),
    [("as it is", "as it is"), (3, "3"), (None, "null"), (Place(name="é"), '{"name":"é","kind":"city"}'), ({1}, "[1]")],
)
def test_results_become_text(result: Any, text: str) -> None:
    """Text stays, anything else is JSON."""
    assert result_text(result) == text
    assert json.loads(result_text(object()))


def test_docstrings_of_any_kind() -> None:
    """Sections that are not there, entries without a text of their own, other sections after them."""
    assert described_parameters("") == ("", {})
    text = "Do.\n\nMore.\n\nArgs:\n    a (int, optional):\n        First.\n\n        Still.\n    **b: Second: yes\n"
    text += "Raises:\n    c: d"
    assert described_parameters(text) == ("Do.\n\nMore.", {"a": "First. Still.", "b": "Second: yes"})
