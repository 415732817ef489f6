"""agno takes our clients for its OpenAI-like models: agents with two tools, plain and streamed, an output schema."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest

from kimi_openai.emulator import Emulator, say, think
from tests.conftest import Mode

from . import tool_loop

agno = pytest.importorskip("agno.agent")
like = pytest.importorskip("agno.models.openai.like")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


def agent(mode: Mode, kimi: Emulator, name: str, **options: Any) -> Any:
    """An agent on our client."""
    model = like.OpenAILike(id=name, **{"async_client" if mode.is_async else "client": mode.client(kimi)})
    return agno.Agent(model=model, telemetry=False, **options)


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("name", tool_loop.MODELS)
def test_an_agent_with_two_tools(mode: Mode, kimi: Emulator, name: str, is_streamed: bool) -> None:
    """Two turns of calls with thinking on, then the answer."""
    tool_loop.script(kimi)
    helper = agent(mode, kimi, name, tools=[tool_loop.get_city, tool_loop.get_weather])
    run = helper.arun if mode.is_async else helper.run
    if is_streamed:
        pieces = [event.content for event in mode.each(run(tool_loop.QUESTION, stream=True)) if event.content]
        assert len(pieces) > 1
        assert "".join(pieces) == tool_loop.ANSWER
    else:
        assert mode.run(run(tool_loop.QUESTION)).content == tool_loop.ANSWER
    tool_loop.check(kimi)


def test_structured_output(mode: Mode, kimi: Emulator) -> None:
    """The content is an object of the schema's class."""
    kimi.script(think("hm"), say('{"city": "Paris", "degrees": 21}'))
    helper = agent(mode, kimi, "kimi-k3", output_schema=Weather)
    answer = mode.run(helper.arun("As JSON") if mode.is_async else helper.run("As JSON"))
    assert answer.content == Weather(city="Paris", degrees=21)
    assert kimi.chats[-1]["response_format"]["type"] == "json_schema"
