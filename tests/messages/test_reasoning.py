"""reasoning.py: the reasoning of everything that an answer is handed over in."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from kimi_openai import complete, reasoning_of
from kimi_openai.emulator import Emulator, say, think
from tests.conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}


class Answer(pydantic.BaseModel):
    value: int


def test_it_reads_answers(mode: Mode, kimi: Emulator) -> None:
    """Completions, parsed ones, those of `complete`, chunks, and their JSON."""
    chat = mode.client(kimi).chat.completions
    steps = think("hm"), say('{"value": 1}')
    kimi.script(*steps)
    kimi.script(*steps)
    kimi.script(*steps)
    created = mode.run(chat.create(**ASK))
    parsed = mode.run(chat.parse(**ASK, response_format=Answer))
    completed = mode.run(complete(mode.client(kimi), **ASK))
    for completion in (created, parsed, completed):
        message = completion.choices[0].message
        assert [*map(reasoning_of, (completion, message, message.to_dict(warnings=False)))] == ["hm"] * 3
    kimi.script(*steps)
    chunks = mode.each(mode.run(chat.create(**ASK, stream=True)))
    assert "".join(reasoning_of(chunk) or "" for chunk in chunks) == "hm"
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(reasoning_of(delta) or "" for delta in deltas) == "hm"


@pytest.mark.parametrize(("value", "expected"), [("hm", "hm"), ("", ""), (None, None), (7, None)])
def test_an_empty_text_is_one(value: Any, expected: str | None) -> None:
    """What is no text is none."""
    message = {"role": "assistant", "content": "ok", "reasoning_content": value}
    choice = {"index": 0, "message": message, "delta": message, "finish_reason": "stop"}
    head: dict[str, Any] = {"id": "c", "created": 1, "model": "kimi-k3", "choices": [choice]}
    assert reasoning_of(message) == expected
    assert reasoning_of(ChatCompletion.construct(**head)) == expected
    assert reasoning_of(ChatCompletionChunk.construct(**head)) == expected


def test_no_choice_has_none() -> None:
    """The usage chunk of a stream."""
    assert reasoning_of(ChatCompletionChunk.construct(id="c", created=1, model="kimi-k3", choices=[])) is None
    assert reasoning_of({}) is None


@pytest.mark.parametrize("wrong", [None, "hm", [], 7])
def test_other_objects_are_refused(wrong: Any) -> None:
    """With an error that names the type."""
    with pytest.raises(TypeError, match=type(wrong).__name__):
        reasoning_of(wrong)
