"""pydantic-ai takes our asynchronous client: an agent with two tools, and a stream."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kimi_openai import create_async_client
from kimi_openai.emulator import Emulator, call, say, think

pydantic_ai = pytest.importorskip("pydantic_ai")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


def agent(kimi: Emulator, name: str) -> Any:
    """An agent with two tools, on our client."""
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    client = create_async_client(base_url=kimi.base_url, api_key=kimi.api_key)
    found = pydantic_ai.Agent(OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client)))

    @found.tool_plain
    def get_city() -> str:
        """The user's city."""
        return "Paris"

    @found.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    return found


@pytest.mark.parametrize("name", ["kimi-k3", "kimi-k2.6"])
def test_an_agent_with_two_tools(kimi: Emulator, name: str) -> None:
    """Two turns of calls with thinking on, then the answer; K2.6 gets its reasoning back."""
    kimi.script(think("where"), call("get_city", {}))
    kimi.script(think("how"), call("get_weather", {"city": "Paris"}))
    kimi.script(think("so"), say("Sunny."))
    result = asyncio.run(agent(kimi, name).run("How is the weather?"))
    assert result.output == "Sunny."
    assert [message["role"] for message in kimi.chats[-1]["messages"]] == ["user", *["assistant", "tool"] * 2]
    assert len(kimi.chats) == 3


def test_a_stream(kimi: Emulator) -> None:
    """The text arrives in pieces."""
    kimi.script(think("hm"), say("one two three four"))

    async def pieces() -> list[str]:
        async with agent(kimi, "kimi-k3").run_stream("Count") as result:
            return [piece async for piece in result.stream_text(delta=True, debounce_by=None)]

    found = asyncio.run(pieces())
    assert "".join(found) == "one two three four"
