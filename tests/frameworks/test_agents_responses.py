"""openai-agents in its default mode, which is the Responses API: tools, a handoff, streams, what is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from kimi_openai import create_async_client
from kimi_openai.emulator import Behaviour, Emulator, call, cut, say, think

agents = pytest.importorskip("agents")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours

BEHAVIOURS = [
    Behaviour(),
    Behaviour(responses_unsupported="reject"),
    Behaviour(call_ids="conversation"),
    Behaviour(responses_failure="error"),
]


def run(kimi: Emulator, work: Any) -> Any:
    """The result of `work`, with our client as the default client of the framework."""

    async def inside() -> Any:
        agents.set_tracing_disabled(True)
        async with create_async_client(
            base_url=kimi.base_url, api_key=kimi.api_key, model_aliases={DEFAULT_MODEL: "kimi-k3"}
        ) as client:
            agents.set_default_openai_client(client, use_for_tracing=False)
            agents.set_default_openai_api("responses")
            return await work()

    result: Coroutine[Any, Any, Any] = inside()
    return asyncio.run(result)


DEFAULT_MODEL = agents.models.get_default_model()
"""The model that an agent without one asks for."""


def team(**options: Any) -> Any:
    """An agent with two tools that may hand over to another one."""

    @agents.function_tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    @agents.function_tool
    def get_time(city: str) -> str:
        """The time in a city."""
        return f"noon in {city}"

    poet = agents.Agent(name="poet", handoff_description="Writes poems.", instructions="Rhyme.", **options)
    tools = [get_weather, get_time]
    return agents.Agent(name="helper", instructions="Help.", tools=tools, handoffs=[poet], **options)


def two_tools_and_a_handoff(kimi: Emulator) -> None:
    kimi.script(think("look"), call("get_weather", {"city": "Paris"}), call("get_time", {"city": "Paris"}))
    kimi.script(think("again"), call("get_weather", {"city": "Oslo"}))
    kimi.script(call("transfer_to_poet", {}))
    kimi.script(think("so"), say("Sunny at noon, very soon."))


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=["default", "rejects", "ids-go-on", "error-event"])
@pytest.mark.parametrize("options", [{}, {"model": "kimi-k3"}], ids=["no-model", "kimi-k3"])
def test_two_tools_and_a_handoff(behaviour: Behaviour, options: dict[str, Any]) -> None:
    """Two calls in one turn, the same tool again, the handoff, the answer; each call has an id of its own."""
    with Emulator(behaviour=behaviour) as kimi:
        two_tools_and_a_handoff(kimi)
        result = run(kimi, lambda: agents.Runner.run(team(**options), "Weather and time in Paris?"))
        assert result.final_output == "Sunny at noon, very soon."
        assert result.last_agent.name == "poet"
        sent = kimi.responses[-1]
        assert sent["model"] == "kimi-k3"
        calls = [item["call_id"] for item in sent["input"] if item.get("type") == "function_call"]
        outputs = [item["call_id"] for item in sent["input"] if item.get("type") == "function_call_output"]
        assert len(set(calls)) == 4
        assert sorted(calls) == sorted(outputs)


def test_a_streamed_run(kimi: Emulator) -> None:
    """The same, streamed: events arrive, and the final output is whole."""

    async def streamed() -> Any:
        result = agents.Runner.run_streamed(team(), "Weather and time in Paris?")
        events = [event async for event in result.stream_events()]
        return len(events), result.final_output

    two_tools_and_a_handoff(kimi)
    count, output = run(kimi, streamed)
    assert output == "Sunny at noon, very soon."
    assert count > 20


def test_a_cut_stream_is_an_error(kimi: Emulator) -> None:
    """Not an answer that ends in silence."""

    async def streamed() -> Any:
        result = agents.Runner.run_streamed(team(), "Weather?")
        return [event async for event in result.stream_events()]

    kimi.script(say("It is "), cut("drop"))
    with pytest.raises(Exception, match="cut before its last event"):
        run(kimi, streamed)


def test_it_goes_on_by_the_id_of_a_response(kimi: Emulator) -> None:
    """With `auto_previous_response_id` only the new items come from the framework; the client knows the others."""

    async def twice() -> Any:
        first = await agents.Runner.run(team(), "I am Ann. Weather in Paris?", auto_previous_response_id=True)
        return await agents.Runner.run(team(), "Who am I?", previous_response_id=first.last_response_id)

    kimi.script(call("get_weather", {"city": "Paris"}))
    kimi.script(say("Sunny."))
    kimi.script(say("Ann."))
    assert run(kimi, twice).final_output == "Ann."
    kinds = [item.get("type") for item in kimi.responses[-1]["input"]]
    assert kinds.count("function_call") == kinds.count("function_call_output") == 1
    assert kimi.responses[-1]["input"][0]["content"] == "I am Ann. Weather in Paris?"


def test_a_conversation(kimi: Emulator) -> None:
    """The framework's session over the conversations of the API."""

    async def twice() -> Any:
        session = agents.OpenAIConversationsSession()
        await agents.Runner.run(team(), "I am Ann.", session=session)
        return await agents.Runner.run(team(), "Who am I?", session=session)

    kimi.script(say("Hello Ann."))
    kimi.script(say("Ann."))
    assert run(kimi, twice).final_output == "Ann."
    assert "I am Ann." in str(kimi.responses[-1]["input"])


def test_the_hosted_web_search(kimi: Emulator) -> None:
    """The framework's search tool, with the context size that it sends and Kimi refuses."""
    searcher = agents.Agent(name="searcher", tools=[agents.WebSearchTool()])
    kimi.script(call("web_search", {"query": "news"}), say("News."))
    assert run(kimi, lambda: agents.Runner.run(searcher, "What is new?")).final_output == "News."
    assert kimi.responses[-1]["tools"] == [{"type": "web_search"}]
