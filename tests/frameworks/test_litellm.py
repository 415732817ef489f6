"""litellm takes our clients for its `openai/` models: a tool loop, streams and structured output."""

from __future__ import annotations

import json
from typing import Any

import pydantic
import pytest

from kimi_openai.emulator import Emulator, say, think
from tests.conftest import Mode

from . import tool_loop

litellm = pytest.importorskip("litellm")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [
    {"type": "function", "function": {"name": "get_city", "parameters": {"type": "object", "properties": {}}}},
    {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}},
]
RESULTS = {"get_city": tool_loop.get_city, "get_weather": tool_loop.get_weather}


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


def completion(mode: Mode, client: Any, **options: Any) -> Any:
    """litellm's completion on our client."""
    ask = litellm.acompletion if mode.is_async else litellm.completion
    return mode.run(ask(client=client, **options))


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("name", tool_loop.MODELS)
def test_a_tool_loop(mode: Mode, kimi: Emulator, name: str, is_streamed: bool) -> None:
    """The loop is the user's, who appends the messages that litellm returns or builds from a stream's chunks."""
    tool_loop.script(kimi)
    client = mode.client(kimi)
    messages: list[Any] = [{"role": "user", "content": tool_loop.QUESTION}]
    for _ in range(3):
        answer = completion(mode, client, model=f"openai/{name}", messages=messages, tools=TOOLS, stream=is_streamed)
        if is_streamed:
            chunks = mode.each(answer) if mode.is_async else list(answer)  # the stream is of both kinds
            assert len(chunks) > 1
            answer = litellm.stream_chunk_builder(chunks, messages=messages)
        message = answer.choices[0].message
        messages.append(message)
        for made in message.tool_calls or ():
            result = RESULTS[made.function.name](**json.loads(made.function.arguments))
            messages.append({"role": "tool", "tool_call_id": made.id, "content": result})
    assert message.content == tool_loop.ANSWER
    tool_loop.check(kimi)


def test_structured_output(mode: Mode, kimi: Emulator) -> None:
    """A pydantic class becomes a response format."""
    kimi.script(think("hm"), say('{"city": "Paris", "degrees": 21}'))
    messages = [{"role": "user", "content": "Weather in Paris?"}]
    answer = completion(mode, mode.client(kimi), model="openai/kimi-k3", messages=messages, response_format=Weather)
    assert Weather.model_validate_json(answer.choices[0].message.content) == Weather(city="Paris", degrees=21)
    assert kimi.chats[-1]["response_format"]["type"] == "json_schema"
