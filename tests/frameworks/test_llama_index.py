"""llama-index's OpenAI-like model takes our http settings: a tool call, and a stream."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.emulator import Emulator, call, say, think
from tests.conftest import Mode

openai_like = pytest.importorskip("llama_index.llms.openai_like")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


def model(mode: Mode, kimi: Emulator) -> Any:
    """Their model on our client."""
    client = mode.client(kimi)
    options = {"async_openai_client" if mode.is_async else "openai_client": client}
    return openai_like.OpenAILike(
        model="kimi-k3",
        api_base=kimi.base_url,
        api_key=kimi.api_key,
        is_chat_model=True,
        is_function_calling_model=True,
        context_window=1_048_576,
        **options,
    )


def test_a_tool_call(mode: Mode, kimi: Emulator) -> None:
    """The tool is offered, chosen, and its arguments are read; thinking is on."""
    from llama_index.core.tools import FunctionTool

    kimi.script(think("look"), call("get_weather", {"city": "Paris"}))
    llm, tool = model(mode, kimi), FunctionTool.from_defaults(fn=get_weather)
    chat = llm.achat_with_tools if mode.is_async else llm.chat_with_tools
    answer = mode.run(chat([tool], user_msg="Weather in Paris?"))
    (asked,) = llm.get_tool_calls_from_response(answer)
    assert (asked.tool_name, asked.tool_kwargs) == ("get_weather", {"city": "Paris"})


def test_a_stream(mode: Mode, kimi: Emulator) -> None:
    """The text arrives in pieces."""
    from llama_index.core.llms import ChatMessage

    kimi.script(think("hm"), say("one two three"))
    llm, question = model(mode, kimi), [ChatMessage(role="user", content="Count")]
    pieces = mode.each(mode.run(llm.astream_chat(question)) if mode.is_async else llm.stream_chat(question))
    assert pieces[-1].message.content == "one two three"
