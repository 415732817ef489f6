"""openai-agents takes our asynchronous client through its chat completions model: a run with tools, and a streamed
one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kimi_openai import create_async_client
from kimi_openai.emulator import Emulator, call, say, think

agents = pytest.importorskip("agents")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


def helper(kimi: Emulator, name: str) -> Any:
    """An agent with one tool, on our client."""
    agents.set_tracing_disabled(True)
    client = create_async_client(base_url=kimi.base_url, api_key=kimi.api_key)

    @agents.function_tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    model = agents.OpenAIChatCompletionsModel(model=name, openai_client=client)
    return agents.Agent(name="helper", instructions="Help.", model=model, tools=[get_weather])


@pytest.mark.parametrize("name", ["kimi-k3", "kimi-k2.6"])
def test_a_run_with_tools(kimi: Emulator, name: str) -> None:
    """A call, its result, the answer; thinking is on."""
    kimi.script(think("look"), call("get_weather", {"city": "Paris"}))
    kimi.script(think("so"), say("Sunny."))
    result = asyncio.run(agents.Runner.run(helper(kimi, name), "Weather in Paris?"))
    assert result.final_output == "Sunny."
    assert [message["role"] for message in kimi.chats[-1]["messages"]] == ["system", "user", "assistant", "tool"]


def test_a_streamed_run(kimi: Emulator) -> None:
    """Events arrive, and the final output is whole."""
    kimi.script(think("look"), call("get_weather", {"city": "Paris"}))
    kimi.script(think("so"), say("It is sunny."))

    async def run() -> Any:
        result = agents.Runner.run_streamed(helper(kimi, "kimi-k3"), "Weather in Paris?")
        events = [event async for event in result.stream_events()]
        return len(events), result.final_output

    count, output = asyncio.run(run())
    assert output == "It is sunny."
    assert count > 3
