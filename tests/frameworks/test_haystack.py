"""haystack makes clients of its own, which ours replace: an agent with two tools, plain and streamed, and structured
output."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest

from kimi_openai.emulator import Emulator, say, think
from tests.conftest import Mode

from . import tool_loop

haystack_tools = pytest.importorskip("haystack.tools")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


def generator(mode: Mode, kimi: Emulator, name: str, **options: Any) -> Any:
    """Their generator with our client in the place of its own."""
    from haystack.components.generators.chat import OpenAIChatGenerator

    made = OpenAIChatGenerator(model=name, **options)
    setattr(made, "async_client" if mode.is_async else "client", mode.client(kimi))
    return made


def ask(mode: Mode, component: Any, text: str) -> Any:
    """What a component answers."""
    from haystack.dataclasses import ChatMessage

    messages = [ChatMessage.from_user(text)]
    return mode.run(component.run_async(messages=messages) if mode.is_async else component.run(messages=messages))


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("name", tool_loop.MODELS)
def test_an_agent_with_two_tools(mode: Mode, kimi: Emulator, name: str, is_streamed: bool) -> None:
    """Two turns of calls with thinking on, then the answer."""
    from haystack.components.agents import Agent

    tool_loop.script(kimi)
    pieces: list[str] = []

    def collect(chunk: Any) -> None:
        pieces.append(chunk.content)

    async def collect_async(chunk: Any) -> None:
        pieces.append(chunk.content)

    agent = Agent(
        chat_generator=generator(mode, kimi, name),
        tools=[haystack_tools.create_tool_from_function(each) for each in (tool_loop.get_city, tool_loop.get_weather)],
        streaming_callback=(collect_async if mode.is_async else collect) if is_streamed else None,
    )
    if not mode.is_async:
        agent.warm_up()
    assert ask(mode, agent, tool_loop.QUESTION)["last_message"].text == tool_loop.ANSWER
    assert (len(pieces) > 3) is is_streamed
    tool_loop.check(kimi)


def test_structured_output(mode: Mode, kimi: Emulator) -> None:
    """A pydantic class as response format."""
    kimi.script(think("hm"), say('{"city": "Paris", "degrees": 21}'))
    made = generator(mode, kimi, "kimi-k3", generation_kwargs={"response_format": Weather})
    (answer,) = ask(mode, made, "As JSON")["replies"]
    assert Weather.model_validate_json(answer.text) == Weather(city="Paris", degrees=21)
    assert kimi.chats[-1]["response_format"]["type"] == "json_schema"
