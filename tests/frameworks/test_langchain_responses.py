"""langchain-openai with `use_responses_api=True`: tools, structured output, streams, a remembered conversation."""

from __future__ import annotations

from typing import Any

import openai
import pydantic
import pytest

from kimi_openai.emulator import Behaviour, Emulator, call, cut, say, think
from tests.conftest import Mode

from .tool_loop import get_weather

langchain_openai = pytest.importorskip("langchain_openai")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


def invoke(mode: Mode, runnable: Any, value: Any) -> Any:
    return mode.run(runnable.ainvoke(value)) if mode.is_async else runnable.invoke(value)


def model(mode: Mode, kimi: Emulator, **options: Any) -> Any:
    """A chat model on our client, which takes the Responses API from the root client."""
    name = "async_client" if mode.is_async else "client"
    client = mode.client(kimi)
    clients = {name: client.chat.completions, f"root_{name}": client}
    return langchain_openai.ChatOpenAI(
        model="kimi-k3", api_key="unused", base_url=kimi.base_url, use_responses_api=True, **clients, **options
    )


@pytest.mark.parametrize("version", ["responses/v1", "v1", "v0"])
@pytest.mark.parametrize(
    "behaviour", [Behaviour(), Behaviour(responses_unsupported="reject")], ids=["default", "rejects"]
)
def test_a_tool_loop(mode: Mode, version: str, behaviour: Behaviour) -> None:
    """bind_tools, the call, its result, the answer, and the answer sent back with the next question."""
    with Emulator(behaviour=behaviour) as kimi:
        kimi.script(think("look"), call("get_weather", {"city": "Paris"}))
        kimi.script(think("so"), say("It is sunny."))
        kimi.script(say("You are welcome."))
        bound = model(mode, kimi, output_version=version, temperature=0.3).bind_tools([get_weather])
        history: list[Any] = [("system", "Be brief."), ("user", "Weather in Paris?")]
        answer = invoke(mode, bound, history)
        (asked,) = answer.tool_calls
        assert (asked["name"], asked["args"]) == ("get_weather", {"city": "Paris"})
        history += [answer, {"role": "tool", "tool_call_id": asked["id"], "content": get_weather("Paris")}]
        answer = invoke(mode, bound, history)
        assert answer.text == "It is sunny."
        assert invoke(mode, bound, [*history, answer, ("user", "Thanks")]).text == "You are welcome."
        assert kimi.responses[-1]["input"][0] == {"role": "developer", "content": "Be brief.", "type": "message"}
        assert "temperature" not in kimi.responses[-1]


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
def test_structured_output(mode: Mode, kimi: Emulator, method: str) -> None:
    """with_structured_output by each of its methods."""
    arguments = {"city": "Paris", "degrees": 21}
    kimi.script(call("Weather", arguments) if method == "function_calling" else say('{"city": "Paris", "degrees": 21}'))
    structured = model(mode, kimi).with_structured_output(Weather, method=method)
    assert invoke(mode, structured, "Weather in Paris as JSON?") == Weather(**arguments)


def test_a_stream(mode: Mode, kimi: Emulator) -> None:
    """Chunks arrive one by one and make up the answer; a cut stream is an error."""
    kimi.script(think("hm"), say("one two three"))
    kimi.script(say("one two"), cut("drop"))
    llm = model(mode, kimi)
    chunks = mode.each(llm.astream("Count") if mode.is_async else llm.stream("Count"))
    assert "".join(chunk.text for chunk in chunks) == "one two three"
    assert len(chunks) > 3
    with pytest.raises(openai.APIConnectionError, match=r"response\.completed"):
        mode.each(llm.astream("Count") if mode.is_async else llm.stream("Count"))


def test_it_goes_on_by_the_id_of_a_response(mode: Mode, kimi: Emulator) -> None:
    """With `use_previous_response_id` only the new messages come from the framework; the client knows the others."""
    kimi.script(think("look"), call("get_weather", {"city": "Paris"}))
    kimi.script(say("Sunny."))
    bound = model(mode, kimi, use_previous_response_id=True).bind_tools([get_weather])
    history: list[Any] = [("user", "Weather in Paris?")]
    answer = invoke(mode, bound, history)
    history += [answer, {"role": "tool", "tool_call_id": answer.tool_calls[0]["id"], "content": "sunny"}]
    assert invoke(mode, bound, history).text == "Sunny."
    kinds = [item.get("type") for item in kimi.responses[-1]["input"]]
    assert kinds == ["message", "reasoning", "function_call", "function_call_output"]
