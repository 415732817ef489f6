"""llama-index takes our clients for its OpenAI-like model: tool loops, plain and streamed, an agent, output classes."""

from __future__ import annotations

import asyncio
from typing import Any

import pydantic
import pytest

from kimi_openai.emulator import Emulator, call, think
from tests.conftest import Mode

from . import tool_loop

openai_like = pytest.importorskip("llama_index.llms.openai_like")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


def model(client: Any, is_async: bool, name: str = "kimi-k3") -> Any:
    """Their model on our client."""
    return openai_like.OpenAILike(
        model=name,
        is_chat_model=True,
        is_function_calling_model=True,
        context_window=1_048_576,
        **{"async_openai_client" if is_async else "openai_client": client},
    )


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("name", tool_loop.MODELS)
def test_a_tool_loop(mode: Mode, kimi: Emulator, name: str, is_streamed: bool) -> None:
    """The loop is the user's, who appends the messages that the model returns."""
    from llama_index.core.llms import ChatMessage
    from llama_index.core.tools import FunctionTool

    tool_loop.script(kimi)
    tools = {each.__name__: FunctionTool.from_defaults(each) for each in (tool_loop.get_city, tool_loop.get_weather)}
    llm = model(mode.client(kimi), mode.is_async, name)
    which = f"{'a' * mode.is_async}{'stream_' * is_streamed}chat_with_tools"
    history = [ChatMessage(role="user", content=tool_loop.QUESTION)]
    for _ in range(3):
        answer = mode.run(getattr(llm, which)(list(tools.values()), chat_history=history))
        if is_streamed:
            *earlier, answer = mode.each(answer)
            assert earlier
        history.append(answer.message)
        for made in llm.get_tool_calls_from_response(answer, error_on_no_tool_call=False):
            result = tools[made.tool_name](**made.tool_kwargs)
            kept = {"tool_call_id": made.tool_id}
            history.append(ChatMessage(role="tool", content=str(result), additional_kwargs=kept))
    assert history[-1].content == tool_loop.ANSWER
    tool_loop.check(kimi)


def test_an_agent(kimi: Emulator, async_client: Any) -> None:
    """Their FunctionAgent, which is asynchronous and streams."""
    from llama_index.core.agent.workflow import FunctionAgent

    tool_loop.script(kimi)

    async def run() -> str:
        agent = FunctionAgent(
            tools=[tool_loop.get_city, tool_loop.get_weather], llm=model(async_client, is_async=True, name="kimi-k2.6")
        )
        return str(await agent.run(tool_loop.QUESTION))

    assert asyncio.run(run()) == tool_loop.ANSWER
    tool_loop.check(kimi)


def test_structured_output(mode: Mode, kimi: Emulator) -> None:
    """The fields of a pydantic class, by a tool."""
    from llama_index.core.llms import ChatMessage

    kimi.script(think("hm"), call("Weather", {"city": "Paris", "degrees": 21}))
    llm = model(mode.client(kimi), mode.is_async).as_structured_llm(Weather)
    question = [ChatMessage(role="user", content="Weather in Paris?")]
    answer = mode.run((llm.achat if mode.is_async else llm.chat)(question))
    assert answer.raw == Weather(city="Paris", degrees=21)
