"""langchain-openai takes our clients, and langgraph its model: tools, structured output and streams."""

from __future__ import annotations

import linecache
from typing import Annotated, Any, TypedDict

import pydantic
import pytest

from kimi_openai import adapting_async_http_client, adapting_http_client
from kimi_openai.emulator import Emulator, call, say, think
from kimi_openai.errors.exceptions import KimiCompatWarning
from tests.conftest import Mode

from . import tool_loop

langchain_openai = pytest.importorskip("langchain_openai")
graph = pytest.importorskip("langgraph.graph")
prebuilt = pytest.importorskip("langgraph.prebuilt")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


class State(TypedDict):
    """The messages of a conversation."""

    messages: Annotated[list[Any], graph.message.add_messages]


def model(mode: Mode, kimi: Emulator, name: str = "kimi-k3", **options: Any) -> Any:
    """A chat model on our client, which langchain asks for as its resource."""
    which = "async_client" if mode.is_async else "client"
    client = mode.client(kimi)
    clients = {which: client.chat.completions, f"root_{which}": client}
    # langchain builds the client of the other kind itself and wants a key for it
    return langchain_openai.ChatOpenAI(model=name, api_key="unused", base_url=kimi.base_url, **clients, **options)


def agent(mode: Mode, llm: Any) -> Any:
    """A graph of two nodes: the model, and the tools that it calls."""
    bound = llm.bind_tools([tool_loop.get_city, tool_loop.get_weather])

    def answer(state: State) -> Any:
        return {"messages": [bound.invoke(state["messages"])]}

    async def answer_async(state: State) -> Any:
        return {"messages": [await bound.ainvoke(state["messages"])]}

    build = graph.StateGraph(State)
    build.add_node("model", answer_async if mode.is_async else answer)
    build.add_node("tools", prebuilt.ToolNode([tool_loop.get_city, tool_loop.get_weather]))
    build.add_edge(graph.START, "model")
    build.add_conditional_edges("model", prebuilt.tools_condition)
    build.add_edge("tools", "model")
    return build.compile()


def invoke(mode: Mode, runnable: Any, value: Any) -> Any:
    return mode.run(runnable.ainvoke(value)) if mode.is_async else runnable.invoke(value)


@pytest.mark.parametrize("name", tool_loop.MODELS)
def test_a_graph_with_two_tools(mode: Mode, kimi: Emulator, name: str) -> None:
    """Model, tools, model, tools, model: langgraph's loop."""
    tool_loop.script(kimi)
    state = invoke(mode, agent(mode, model(mode, kimi, name)), {"messages": [("user", tool_loop.QUESTION)]})
    assert state["messages"][-1].content == tool_loop.ANSWER
    tool_loop.check(kimi)


def test_a_graph_on_our_http_client(mode: Mode, kimi: Emulator) -> None:
    """langchain's own OpenAI client with our HTTP client in it: the reasoning is sent back as well."""
    tool_loop.script(kimi)
    http: Any = adapting_async_http_client() if mode.is_async else adapting_http_client()
    llm = langchain_openai.ChatOpenAI(
        model="kimi-k2.6",
        base_url=kimi.base_url,
        api_key=kimi.api_key,
        **{"http_async_client" if mode.is_async else "http_client": http},
    )
    state = invoke(mode, agent(mode, llm), {"messages": [("user", tool_loop.QUESTION)]})
    assert state["messages"][-1].content == tool_loop.ANSWER
    tool_loop.check(kimi)
    mode.run(http.aclose() if mode.is_async else http.close())


def test_a_streamed_graph(mode: Mode, kimi: Emulator) -> None:
    """The tokens of each answer arrive one by one."""
    tool_loop.script(kimi)
    value = {"messages": [("user", tool_loop.QUESTION)]}
    built = agent(mode, model(mode, kimi, "kimi-k2.6"))
    stream = (built.astream if mode.is_async else built.stream)(value, stream_mode="messages")
    texts = [message.content for message, _ in mode.each(stream) if message.type == "AIMessageChunk"]
    assert "".join(texts) == tool_loop.ANSWER
    assert len([text for text in texts if text]) > 1
    tool_loop.check(kimi)


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


def test_a_warning_names_the_line_that_called_langchain(mode: Mode, kimi: Emulator) -> None:
    """And neither langchain's own nor that of the event loop: an asynchronous call is made in a task of langchain's."""
    llm = model(mode, kimi, temperature=0.2)

    def ask() -> None:
        llm.invoke("Hi")

    async def ask_async() -> None:
        await llm.ainvoke("Hi")

    with pytest.warns(KimiCompatWarning, match="temperature") as warned:
        mode.run(ask_async()) if mode.is_async else ask()
    line = 'await llm.ainvoke("Hi")' if mode.is_async else 'llm.invoke("Hi")'
    assert [linecache.getline(each.filename, each.lineno).strip() for each in warned] == [line]
