"""smolagents makes a client of its own, which ours replaces: an agent with two tools, plain and streamed, and a schema.

It is synchronous only, and sends earlier calls and results as text, so there is no reasoning to send back.
"""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai import adapting_http_client, create_client
from kimi_openai.emulator import Emulator, call, say, think

from . import tool_loop

smolagents = pytest.importorskip("smolagents")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours

FORMAT = {"type": "json_schema", "json_schema": {"name": "weather", "schema": {"type": "object", "properties": {}}}}


def model(kimi: Emulator, name: str) -> Any:
    """Their model with our client in the place of its own."""
    made = smolagents.OpenAIModel(name, api_key="unused")
    made.client = create_client(base_url=kimi.base_url, api_key=kimi.api_key)
    return made


def model_with_http_client(kimi: Emulator, name: str) -> Any:
    """Their model on its own client, with our HTTP client in it."""
    options = {"http_client": adapting_http_client()}
    return smolagents.OpenAIModel(name, api_base=kimi.base_url, api_key=kimi.api_key, client_kwargs=options)


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("name", tool_loop.MODELS)
@pytest.mark.parametrize("model", [model, model_with_http_client])
def test_an_agent_with_two_tools(kimi: Emulator, model: Any, name: str, is_streamed: bool) -> None:
    """It ends with a call of its own tool `final_answer`."""
    kimi.script(think("where"), call("get_city", {}))
    kimi.script(think("and how"), call("get_weather", {"city": "Paris"}))
    kimi.script(think("so"), call("final_answer", {"answer": tool_loop.ANSWER}))
    tools = [smolagents.tool(tool_loop.get_city), smolagents.tool(tool_loop.get_weather)]
    agent = smolagents.ToolCallingAgent(tools, model(kimi, name), stream_outputs=is_streamed, verbosity_level=0)
    if is_streamed:
        *steps, last = agent.run(tool_loop.QUESTION, stream=True)
        assert len(steps) > 3
        assert last.output == tool_loop.ANSWER
    else:
        assert agent.run(tool_loop.QUESTION) == tool_loop.ANSWER
    messages = kimi.chats[-1]["messages"]
    assert [message["role"] for message in messages if message["role"] == "assistant"] == ["assistant"] * 2
    assert not any("tool_calls" in message for message in messages)
    assert "sunny in Paris" in str(messages[-1]["content"])


def test_structured_output(kimi: Emulator) -> None:
    """A response format goes through."""
    kimi.script(think("hm"), say('{"city": "Paris"}'))
    message = [{"role": "user", "content": [{"type": "text", "text": "Where?"}]}]
    answer = model(kimi, "kimi-k3").generate(message, response_format=FORMAT)
    assert answer.content == '{"city": "Paris"}'
    assert kimi.chats[-1]["response_format"]["type"] == "json_schema"
