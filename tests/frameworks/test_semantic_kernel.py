"""semantic-kernel takes our asynchronous client: its loop with two tools, plain and streamed, and structured output.

Its functions have names of two parts, of a plugin and of a function. It is asynchronous only.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pydantic
import pytest

from kimi_openai.emulator import Emulator, say, think

from . import tool_loop

semantic_kernel = pytest.importorskip("semantic_kernel")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


async def ask(client: Any, name: str, *, is_streamed: bool = False, **options: Any) -> str:
    """The answer of their service on our client, whose kernel calls the functions of a plugin."""
    from semantic_kernel.connectors.ai import FunctionChoiceBehavior
    from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
    from semantic_kernel.contents import ChatHistory
    from semantic_kernel.functions import kernel_function

    kernel, history = semantic_kernel.Kernel(), ChatHistory()
    kernel.add_functions("here", [kernel_function(tool_loop.get_city), kernel_function(tool_loop.get_weather)])
    history.add_user_message(tool_loop.QUESTION)
    service = OpenAIChatCompletion(ai_model_id=name, async_client=client)
    settings = OpenAIChatPromptExecutionSettings(function_choice_behavior=FunctionChoiceBehavior.Auto(), **options)
    if not is_streamed:
        return str(await service.get_chat_message_content(history, settings, kernel=kernel))
    stream = service.get_streaming_chat_message_content(history, settings, kernel=kernel)
    pieces = [str(piece) async for piece in stream]
    assert len(pieces) > 3
    return "".join(pieces)


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("name", tool_loop.MODELS)
def test_a_loop_with_two_tools(kimi: Emulator, async_client: Any, name: str, is_streamed: bool) -> None:
    """Two turns of calls with thinking on, then the answer."""
    tool_loop.script(kimi, "here-")
    assert asyncio.run(ask(async_client, name, is_streamed=is_streamed)) == tool_loop.ANSWER
    tool_loop.check(kimi, "here-")


def test_structured_output(kimi: Emulator, async_client: Any) -> None:
    """A pydantic class as response format."""
    kimi.script(think("hm"), say('{"city": "Paris", "degrees": 21}'))
    answer = asyncio.run(ask(async_client, "kimi-k3", response_format=Weather))
    assert Weather.model_validate_json(answer) == Weather(city="Paris", degrees=21)
    assert kimi.chats[-1]["response_format"]["type"] == "json_schema"
