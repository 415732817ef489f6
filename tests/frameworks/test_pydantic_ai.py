"""pydantic-ai takes our asynchronous client: agents with two tools, plain and streamed, and structured output."""

from __future__ import annotations

import asyncio
from typing import Any

import pydantic
import pytest

from kimi_openai.emulator import Emulator, call, cut, say, think

from . import tool_loop

pydantic_ai = pytest.importorskip("pydantic_ai")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


def agent(client: Any, name: str, kind: str = "OpenAIChatModel", **options: Any) -> Any:
    """An agent on our client, by one of the APIs."""
    from pydantic_ai.models import openai
    from pydantic_ai.providers.openai import OpenAIProvider

    return pydantic_ai.Agent(getattr(openai, kind)(name, provider=OpenAIProvider(openai_client=client)), **options)


@pytest.mark.parametrize("way", ["sync", "async", "streamed"])
@pytest.mark.parametrize("name", tool_loop.MODELS)
def test_an_agent_with_two_tools(kimi: Emulator, async_client: Any, name: str, way: str) -> None:
    """Two turns of calls with thinking on, then the answer; the reasoning is sent back."""
    tool_loop.script(kimi)
    helper = agent(async_client, name, tools=[tool_loop.get_city, tool_loop.get_weather])

    async def streamed() -> str:
        async with helper.run_stream(tool_loop.QUESTION) as result:
            pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
        assert len(pieces) > 1
        return "".join(pieces)

    if way == "streamed":
        output = asyncio.run(streamed())
    elif way == "async":
        output = asyncio.run(helper.run(tool_loop.QUESTION)).output
    else:
        output = helper.run_sync(tool_loop.QUESTION).output
    assert output == tool_loop.ANSWER
    tool_loop.check(kimi)


@pytest.mark.parametrize("kind", ["ToolOutput", "NativeOutput", "PromptedOutput"])
def test_structured_output(kimi: Emulator, async_client: Any, kind: str) -> None:
    """By each of its ways: a tool, a response format, the prompt."""
    arguments = {"city": "Paris", "degrees": 21}
    answer = call("final_result", arguments) if kind == "ToolOutput" else say('{"city": "Paris", "degrees": 21}')
    kimi.script(think("hm"), answer)
    helper = agent(async_client, "kimi-k3", output_type=getattr(pydantic_ai, kind)(Weather))
    assert asyncio.run(helper.run("Weather in Paris?")).output == Weather(**arguments)


class City(pydantic.BaseModel):
    """A city."""

    name: str


def test_the_responses_api(kimi: Emulator, async_client: Any) -> None:
    """Tools and an output type, which is a forced tool; then the next run goes on by the id of the response."""
    kimi.script(think("where"), call("get_city", {}))
    kimi.script(think("so"), call("final_result", {"name": "Paris"}))
    kimi.script(call("final_result", {"name": "Oslo"}))
    found = agent(async_client, "kimi-k3", "OpenAIResponsesModel", tools=[tool_loop.get_city], output_type=City)

    async def twice() -> Any:
        first = await found.run("Where am I?")
        settings = {"openai_previous_response_id": "auto"}
        return first, await found.run("And now?", message_history=first.all_messages(), model_settings=settings)

    first, second = asyncio.run(twice())
    assert (first.output, second.output) == (City(name="Paris"), City(name="Oslo"))
    assert "Where am I?" in str(kimi.responses[-1]["input"])


def test_a_stream_of_the_responses_api(kimi: Emulator, async_client: Any) -> None:
    """The text arrives in pieces; a cut stream is an error."""
    kimi.script(think("hm"), say("one two three four"))
    kimi.script(think("hm"), say("one two"), cut("drop"))

    async def pieces() -> list[str]:
        async with agent(async_client, "kimi-k3", "OpenAIResponsesModel").run_stream("Count") as result:
            return [piece async for piece in result.stream_text(delta=True, debounce_by=None)]

    assert "".join(asyncio.run(pieces())) == "one two three four"
    with pytest.raises(Exception, match="cut before its last event"):
        asyncio.run(pieces())
