"""Tools in messages: `tool_message`, the functions that `run_tools` finds for them, and tools on demand."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from kimi_openai import create_client, estimate_tokens, replay_message, run_tools, tool_message
from kimi_openai.emulator import Behaviour, Emulator, call, say, think
from tests.conftest import Mode
from tests.on_demand import QUESTION, many_tools, measured

from .helpers import ASK, SEARCH, clock, results, weather

REFUND = {"name": "refund", "description": "Refund an order", "parameters": {"type": "object", "properties": {}}}


def refund(order: str) -> str:
    """Refund an order."""
    return f"refunded {order}"


def names(message: Any) -> list[str]:
    """The names of the tools in a message or a request."""
    return [tool["function"]["name"] for tool in message.get("tools", ())]


def test_what_a_tool_message_is() -> None:
    """Whole definitions of functions, pairs and definitions alone, without content."""
    message: Any = tool_message([weather, (REFUND, refund), {**REFUND, "name": "b"}, SEARCH])
    assert {*message} == {"role", "tools"}
    assert (message["role"], names(message)) == ("system", ["weather", "refund", "b", "$web_search"])
    assert message["tools"][1] == {"type": "function", "function": REFUND}
    for copied in (copy.deepcopy(message), copy.copy(message), pickle.loads(pickle.dumps(message))):
        assert copied == message
    assert json.loads(json.dumps(message)) == message == replay_message(message)
    for tools, problem in (([], "needs a tool"), ([refund, (REFUND, refund)], "two tools are named 'refund'")):
        with pytest.raises(ValueError, match=problem):
            tool_message(tools)


@pytest.mark.parametrize("place", ["message", "copy", "tools", "on_demand"])
def test_functions_are_found(mode: Mode, kimi: Emulator, place: str) -> None:
    """In the message itself, or in `tools` or `on_demand`; the tool is not declared twice."""
    message: Any = tool_message([refund])
    given = {"message": message, "copy": copy.deepcopy(message)}.get(place) or dict(message)
    options: dict[str, Any] = {place: [refund]} if place in ("tools", "on_demand") else {"tools": [clock]}
    kimi.script(call("refund", {"order": "7"}))
    kimi.script(say("ok"))
    messages = [given, *ASK["messages"]]
    run = mode.run(run_tools(mode.client(kimi), model="kimi-k3", messages=messages, **options))
    assert kimi.chats[0]["messages"][0] == message
    assert results(kimi) == ["refunded 7"]
    assert "refund" not in names(kimi.chats[0])
    kimi.script(call("refund", {"order": "8"}))
    again = mode.run(run_tools(mode.client(kimi), model="kimi-k3", messages=run.messages, tools=[clock]))
    assert again.messages[: len(run.messages)] == run.messages
    assert results(kimi)[-1] == "refunded 8"


def test_a_declared_tool_without_a_function(mode: Mode, kimi: Emulator) -> None:
    """An error before anything is sent."""
    messages = [tool_message([REFUND]), *ASK["messages"]]
    with pytest.raises(ValueError, match="messages declare 'refund', for which there is no function"):
        mode.run(run_tools(mode.client(kimi), model="kimi-k3", messages=messages, tools=[clock]))
    assert not kimi.chats


@pytest.mark.k2
def test_a_model_without_tools_in_messages(mode: Mode) -> None:
    """The client moves them into `tools`, with a note; the loop runs them all the same."""
    with Emulator() as kimi:
        kimi.script(think("hm"), call("refund", {"order": "7"}))
        kimi.script(say("ok"))
        client = mode.client(kimi)
        messages = [tool_message([refund]), *ASK["messages"]]
        with pytest.warns(match="their tools are offered in tools"):
            mode.run(run_tools(client, model="kimi-k2.6", messages=messages, tools=[clock]))
        assert names(kimi.chats[0]) == ["clock", "refund"]
        assert results(kimi) == ["refunded 7"]


@pytest.mark.parametrize("mode_of_estimate", ["count", "reject"])
def test_an_estimate_counts_them(mode: Mode, mode_of_estimate: Any) -> None:
    """Also where the endpoint refuses tools in messages."""
    with Emulator(behaviour=Behaviour(estimate_dynamic_tools=mode_of_estimate)) as kimi:
        client = mode.client(kimi)
        messages = [*ASK["messages"], tool_message([refund])]
        whole = mode.run(estimate_tokens(client, model="kimi-k3", messages=messages))
        assert whole > 40 + mode.run(estimate_tokens(client, model="kimi-k3", messages=ASK["messages"]))


def test_every_entrance_sends_them(mode: Mode, kimi: Emulator) -> None:
    """`create` takes the message as it is, in any mode of `compat`."""
    for compat in ("adapt", "strict", "off"):
        client = mode.client(kimi, compat=compat)
        messages = [tool_message([refund]), *ASK["messages"]]
        mode.run(client.chat.completions.create(model="kimi-k3", messages=messages, tool_choice="required"))
        assert (names(kimi.chats[-1]["messages"][0]), kimi.chats[-1]["tool_choice"]) == (["refund"], "required")


def demand(mode: Mode, kimi: Emulator, *turns: Any, **options: Any) -> Any:
    """The run with `clock`, and `weather` and `refund` on demand, in which Kimi gives these answers."""
    for turn in turns:
        kimi.script(*turn)
    kimi.script(say("ok"))
    request = {**ASK, "tools": [clock], "on_demand": [weather, refund], **options}
    return mode.run(run_tools(mode.client(kimi), **request))


def test_tools_on_demand(mode: Mode, kimi: Emulator) -> None:
    """The model must call a tool first, sees only what it looked for, and what was sent before is sent unchanged."""
    run = demand(mode, kimi, [call("search_tools", {"query": "refund an order"})], [call("refund", {"order": "7"})])
    assert [names(chat) for chat in kimi.chats] == [["clock", "search_tools"]] * 3
    assert [chat.get("tool_choice") for chat in kimi.chats] == ["required", "auto", "auto"]
    assert results(kimi) == ["Found, and ready to be called: refund", "refunded 7"]
    assert [message["role"] for message in run.messages] == [
        *("user", "assistant", "tool", "system", "assistant", "tool", "assistant")
    ]
    assert names(run.messages[3]) == ["refund"]
    for before, after in zip(kimi.chats, kimi.chats[1:], strict=False):
        assert after["messages"][: len(before["messages"])] == before["messages"]


def test_a_tool_is_declared_once(mode: Mode, kimi: Emulator) -> None:
    """However often it is found, in one turn, in two, or in an earlier run; after that no first call is forced."""
    twice = [call("search_tools", {"query": "refund"}), call("search_tools", {"query": "refund"})]
    run = demand(mode, kimi, twice, [call("search_tools", {"query": "refund"})])
    assert [names(message) for message in run.messages if "tools" in message] == [["refund"]]
    again = demand(mode, kimi, [call("search_tools", {"query": "refund"})], messages=run.messages)
    assert [names(message) for message in again.messages if "tools" in message] == [["refund"]]
    assert "tool_choice" not in kimi.chats[3]


def test_a_tool_that_was_not_found_does_not_run(mode: Mode, kimi: Emulator) -> None:
    """The model is told what there is, and how many tools a search that fails has to choose from."""
    demand(mode, kimi, [call("refund", {"order": "7"}), call("search_tools", {"query": "zebra"})])
    assert results(kimi) == [
        "Error: there is no tool named 'refund'; there are: clock, search_tools",
        "No tool matches; try other words. There are: weather, refund",
    ]


def test_the_choice_of_the_caller_counts(mode: Mode, kimi: Emulator) -> None:
    """`tool_choice` is what was passed."""
    demand(mode, kimi, tool_choice="auto")
    assert kimi.chats[0]["tool_choice"] == "auto"


def test_a_name_of_the_caller_that_clashes(mode: Mode, kimi: Emulator) -> None:
    """With the search itself, or between the two lists."""

    def search_tools(query: str) -> str:
        return query

    for tools, name in (([search_tools], "search_tools"), ([refund], "refund")):
        with pytest.raises(ValueError, match=f"two tools are named '{name}'"):
            demand(mode, kimi, tools=tools)


def test_an_end_in_the_middle_keeps_what_was_found(mode: Mode, kimi: Emulator) -> None:
    """The messages of the exception can be sent again."""

    def stop() -> None:
        """Stop."""
        raise KeyboardInterrupt

    kimi.script(call("search_tools", {"query": "refund"}), call("stop"))
    options: dict[str, Any] = {**ASK, "tools": [stop], "on_demand": [refund], "max_parallel": 1}
    with pytest.raises(KeyboardInterrupt) as caught:
        mode.run(run_tools(mode.client(kimi), **options))
    messages: Any = caught.value.messages  # type: ignore[attr-defined]
    assert names(messages[-1]) == ["refund"]
    kimi.script(call("refund", {"order": "7"}))
    mode.run(run_tools(mode.client(kimi), **{**options, "messages": messages, "tools": [clock]}))
    assert results(kimi)[-1] == "refunded 7"


def test_two_hundred_tools(kimi: Emulator) -> None:
    """The prompt of every turn is a small part of what declaring all of them takes, and the right one is found."""
    all_of_them, on_demand = measured(create_client(base_url=kimi.base_url, api_key=kimi.api_key), kimi)
    assert len(many_tools()) == 200
    assert on_demand.answer == all_of_them.answer == "done: invoice 7"
    assert max(on_demand.prompts) < all_of_them.prompts[0] / 10
    assert sum(on_demand.prompts) < sum(all_of_them.prompts) / 10
    assert QUESTION in json.dumps(kimi.chats)
