"""langchain-openai takes our clients: tools, structured output and streams."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest

from kimi_openai.emulator import Emulator, call, say, think
from tests.conftest import Mode

langchain_openai = pytest.importorskip("langchain_openai")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


def model(mode: Mode, kimi: Emulator, **options: Any) -> Any:
    """A chat model on our client, which langchain asks for as its resource."""
    name = "async_client" if mode.is_async else "client"
    client = mode.client(kimi)
    clients = {name: client.chat.completions, f"root_{name}": client}
    # langchain builds the client of the other kind itself and wants a key for it
    return langchain_openai.ChatOpenAI(model="kimi-k3", api_key="unused", base_url=kimi.base_url, **clients, **options)


def invoke(mode: Mode, runnable: Any, value: Any) -> Any:
    return mode.run(runnable.ainvoke(value)) if mode.is_async else runnable.invoke(value)


def test_a_tool_loop(mode: Mode, kimi: Emulator) -> None:
    """bind_tools, the call, its result, the answer; thinking is on."""
    kimi.script(think("look"), call("get_weather", {"city": "Paris"}))
    kimi.script(think("so"), say("It is sunny."))
    bound = model(mode, kimi).bind_tools([get_weather])
    history: list[Any] = [("user", "Weather in Paris?")]
    answer = invoke(mode, bound, history)
    (asked,) = answer.tool_calls
    assert (asked["name"], asked["args"]) == ("get_weather", {"city": "Paris"})
    history += [answer, {"role": "tool", "tool_call_id": asked["id"], "content": get_weather("Paris")}]
    assert invoke(mode, bound, history).content == "It is sunny."
    assert [message["role"] for message in kimi.chats[-1]["messages"]] == ["user", "assistant", "tool"]


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
def test_structured_output(mode: Mode, kimi: Emulator, method: str) -> None:
    """with_structured_output by each of its methods."""
    arguments = {"city": "Paris", "degrees": 21}
    kimi.script(call("Weather", arguments) if method == "function_calling" else say('{"city": "Paris", "degrees": 21}'))
    structured = model(mode, kimi).with_structured_output(Weather, method=method)
    assert invoke(mode, structured, "Weather in Paris as JSON?") == Weather(**arguments)


def test_a_stream(mode: Mode, kimi: Emulator) -> None:
    """Chunks arrive one by one and make up the answer."""
    kimi.script(think("hm"), say("one two three"))
    llm = model(mode, kimi)
    chunks = mode.each(llm.astream("Count") if mode.is_async else llm.stream("Count"))
    assert "".join(chunk.content for chunk in chunks) == "one two three"
    assert len(chunks) > 3
