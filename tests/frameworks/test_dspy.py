"""dspy takes our clients through its litellm engine: ReAct with two tools, streams and typed outputs.

Its tools are its own: they are in the prompt and not in the request, so there is no reasoning to send back.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_openai.emulator import Emulator, say, think
from tests.conftest import Mode

from . import tool_loop

dspy = pytest.importorskip("dspy")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


def lm(client: Any) -> Any:
    """Their language model on our client."""
    return dspy.LM("openai/kimi-k3", engine="litellm", cache=False, client=client)


def fields(**values: Any) -> Any:
    """An answer in the form of dspy's chat adapter."""
    return say("\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in {**values, "completed": ""}.items()))


def test_react_with_two_tools(mode: Mode, kimi: Emulator) -> None:
    """Two turns of calls with thinking on, the end, and the answer."""
    for tool, arguments in (("get_city", {}), ("get_weather", {"city": "Paris"}), ("finish", {})):
        step = {"next_thought": "so", "next_tool_name": tool, "next_tool_args": json.dumps(arguments)}
        kimi.script(think("hm"), fields(**step))
    kimi.script(think("so"), fields(reasoning="so", answer=tool_loop.ANSWER))
    react = dspy.ReAct("question -> answer", tools=[tool_loop.get_city, tool_loop.get_weather])
    with dspy.context(lm=lm(mode.client(kimi))):
        answer = mode.run((react.acall if mode.is_async else react)(question=tool_loop.QUESTION))
    assert answer.answer == tool_loop.ANSWER
    assert "sunny in Paris" in str(kimi.chats[-1]["messages"])


def test_a_typed_output(mode: Mode, kimi: Emulator) -> None:
    """The types of a signature."""
    kimi.script(think("hm"), fields(degrees=21))
    predict = dspy.Predict("city -> degrees: int")
    with dspy.context(lm=lm(mode.client(kimi))):
        answer = mode.run((predict.acall if mode.is_async else predict)(city="Paris"))
    assert answer.degrees == 21


def test_a_stream(mode: Mode, kimi: Emulator, async_client: Any) -> None:
    """`streamify` gives the field in pieces, then the prediction; it wants the asynchronous client in both modes."""
    kimi.script(think("hm"), fields(answer="one two three four five six"))
    predict = dspy.streamify(
        dspy.Predict("question -> answer"),
        stream_listeners=[dspy.streaming.StreamListener(signature_field_name="answer")],
        async_streaming=mode.is_async,
    )
    with dspy.context(lm=lm(async_client)):
        found = mode.each(predict(question="Count"))
    *pieces, last = [piece for piece in found if not isinstance(piece, dspy.streaming.StatusMessage)]
    assert last.answer == "one two three four five six"
    assert "".join(piece.chunk for piece in pieces).strip() == last.answer
    assert len(pieces) > 1
