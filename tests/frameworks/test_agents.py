"""openai-agents takes our asynchronous client through its chat completions model: runs with tools, plain and streamed,
and structured output."""

from __future__ import annotations

import asyncio
import linecache
from collections.abc import Callable, Iterator
from typing import Any

import pydantic
import pytest

from kimi_openai.emulator import Emulator, say, think
from kimi_openai.errors.exceptions import KimiCompatWarning

from . import tool_loop

agents = pytest.importorskip("agents")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


@pytest.fixture(autouse=True)
def default_loop() -> Iterator[None]:
    """`Runner.run_sync` uses the default event loop of the thread; if there is none it makes one and leaves it open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


def helper(client: Any, name: str, **options: Any) -> Any:
    """An agent with two tools, on our client."""
    agents.set_tracing_disabled(True)
    return agents.Agent(
        name="helper",
        instructions="Help.",
        model=agents.OpenAIChatCompletionsModel(model=name, openai_client=client),
        tools=[agents.function_tool(tool_loop.get_city), agents.function_tool(tool_loop.get_weather)],
        **options,
    )


@pytest.mark.parametrize("way", ["sync", "async", "streamed"])
@pytest.mark.parametrize("name", tool_loop.MODELS)
def test_a_run_with_two_tools(kimi: Emulator, async_client: Any, name: str, way: str) -> None:
    """Two turns of calls with thinking on, then the answer."""
    tool_loop.script(kimi)
    agent = helper(async_client, name)

    async def streamed() -> Any:
        result = agents.Runner.run_streamed(agent, tool_loop.QUESTION)
        assert len([event async for event in result.stream_events()]) > 3
        return result

    if way == "sync":
        result = agents.Runner.run_sync(agent, tool_loop.QUESTION)
    else:
        result = asyncio.run(agents.Runner.run(agent, tool_loop.QUESTION) if way == "async" else streamed())
    assert result.final_output == tool_loop.ANSWER
    tool_loop.check(kimi)


def test_structured_output(kimi: Emulator, async_client: Any) -> None:
    """The final output is an object of the type that the agent names."""
    kimi.script(think("hm"), say('{"city": "Paris", "degrees": 21}'))
    agent = helper(async_client, "kimi-k3", output_type=Weather)
    assert asyncio.run(agents.Runner.run(agent, "As JSON")).final_output == Weather(city="Paris", degrees=21)
    assert kimi.chats[-1]["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize("way", ["sync", "async", "streamed"])
def test_a_warning_names_a_line_of_the_user(async_client: Any, way: str) -> None:
    """The call of the runner. Nothing waits for the task of a streamed run: it is the line that runs the loop."""
    agent = helper(async_client, "kimi-k3", model_settings=agents.ModelSettings(temperature=0.2))

    async def ask() -> None:
        await agents.Runner.run(agent, "Hi")

    async def read() -> None:
        async for _ in agents.Runner.run_streamed(agent, "Hi").stream_events():
            pass

    ways: dict[str, Callable[[], Any]] = {
        "sync": lambda: agents.Runner.run_sync(agent, "Hi"),
        "async": lambda: asyncio.run(ask()),
        "streamed": lambda: asyncio.run(read()),
    }
    with pytest.warns(KimiCompatWarning, match="temperature") as warned:
        ways[way]()
    line = {
        "sync": '"sync": lambda: agents.Runner.run_sync(agent, "Hi"),',
        "async": 'await agents.Runner.run(agent, "Hi")',
        "streamed": '"streamed": lambda: asyncio.run(read()),',
    }[way]
    ours = [each for each in warned if each.category is KimiCompatWarning]
    assert [linecache.getline(each.filename, each.lineno).strip() for each in ours] == [line]
