"""JSON answers inside a Markdown fence: the text functions, and `parse`, `.stream()` and `complete`."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import openai
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai import KimiCompatWarning, Note, complete
from kimi_openai.compat.fenced_json import FenceRemover, unfenced_json
from kimi_openai.emulator import Emulator, call, say
from tests.conftest import Mode

HI: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}


class Answer(pydantic.BaseModel):
    """What is asked for."""

    x: str


FENCED = '```json\n{"x": "a```b"}\n```'
PLAIN = '{"x": "a```b"}'


def parse(mode: Mode, client: Any, **options: Any) -> Any:
    """The message of `parse`."""
    return mode.run(client.chat.completions.parse(**HI, **options)).choices[0].message


def raw_parse(mode: Mode, client: Any, **options: Any) -> Any:
    """The message of `with_raw_response.parse`."""
    return mode.run(client.chat.completions.with_raw_response.parse(**HI, **options)).parse().choices[0].message


def stream(mode: Mode, client: Any, **options: Any) -> Any:
    """The message of `.stream()`; its events have the same text."""
    manager = client.chat.completions.stream(**HI, **options)
    if not mode.is_async:
        with manager as events:
            return checked_events([*events], events.get_final_completion())

    async def read() -> Any:
        async with manager as events:
            return checked_events([event async for event in events], await events.get_final_completion())

    return mode.run(read())


def checked_events(events: list[Any], completion: Any) -> Any:
    """The message, if the deltas and the last content are its content."""
    message = completion.choices[0].message
    deltas = [event.delta for event in events if event.type == "content.delta"]
    (done,) = [event for event in events if event.type == "content.done"]
    assert "".join(deltas) == done.content == message.content
    assert done.parsed == message.parsed
    return message


WAYS = {"parse": parse, "raw parse": raw_parse, "stream": stream}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("text", [FENCED, f"\n```JSON\r\n{PLAIN}\r\n```\n", f"```\n{PLAIN}```"])
def test_a_fenced_answer_is_parsed(kimi: Emulator, mode: Mode, way: Any, text: str) -> None:
    """The fence is removed from the content, and noted."""
    notes: list[Note] = []
    kimi.script(say(text))
    with pytest.warns(KimiCompatWarning, match="parsed without the fence"):
        message = way(mode, mode.client(kimi, on_note=notes.append), response_format=Answer)
    assert (message.parsed, message.content) == (Answer(x="a```b"), PLAIN)
    assert [note.kind for note in notes] == ["fenced_json"]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_plain_answer_has_no_note(kimi: Emulator, mode: Mode, way: Any) -> None:
    """Its content stays as it came."""
    kimi.script(say(f" {PLAIN}\n"))
    message = way(mode, mode.client(kimi), response_format=Answer)
    assert (message.parsed, message.content) == (Answer(x="a```b"), f" {PLAIN}\n")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_tool_call_after_a_fence_is_whole(kimi: Emulator, mode: Mode, way: Any) -> None:
    """The text ends where the call begins."""
    tool = openai.pydantic_function_tool(Answer, name="answer")
    kimi.script(say(FENCED), call("answer", {"x": "y"}))
    with pytest.warns(KimiCompatWarning):
        message = way(mode, mode.client(kimi), response_format=Answer, tools=[tool])
    assert (message.parsed, message.tool_calls[0].function.parsed_arguments) == (Answer(x="a```b"), Answer(x="y"))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_text_without_a_format_keeps_its_fence(kimi: Emulator, mode: Mode, way: Any) -> None:
    """Nobody asked for JSON."""
    kimi.script(say(FENCED))
    assert way(mode, mode.client(kimi)).content == FENCED


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_nothing_is_changed_with_compat_off(kimi: Emulator, mode: Mode, way: Any) -> None:
    """The SDK's parser fails."""
    kimi.script(say(FENCED))
    with pytest.raises((openai.OpenAIError, ValueError)):
        way(mode, mode.client(kimi, compat="off"), response_format=Answer)


def test_complete_notes_it_too(kimi: Emulator, mode: Mode) -> None:
    """Its content is the JSON."""
    kimi.script(say(FENCED))
    with pytest.warns(KimiCompatWarning, match="parsed without the fence"):
        whole = mode.run(complete(mode.client(kimi), **HI, response_format={"type": "json_object"}))
    assert whole.choices[0].message.content == PLAIN


# The text functions --------------------------------------------------------------------------------------------------

INSIDE = st.text(alphabet='{}":a1` \n', max_size=8).map(json.dumps) | st.just('{"a": [1,\n 2]}')
OPENINGS = st.sampled_from(["```json\n", "```\n", " \n```JSON \r\n"])
CLOSINGS = st.sampled_from(["\n```", "```", " \n``` \n"])


@given(opening=OPENINGS, inside=INSIDE, closing=CLOSINGS, cuts=st.lists(st.integers(0, 40), max_size=6))
def test_a_fence_is_removed_however_the_text_is_cut(opening: str, inside: str, closing: str, cuts: list[int]) -> None:
    """From a stream as from the whole text."""
    whole = opening + inside + closing
    bounds = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    remover = FenceRemover()
    pieces = [remover.feed(whole[start:end]) for start, end in pairwise(bounds)]
    assert "".join(pieces) + remover.flush() == inside
    assert unfenced_json(whole) == inside


@given(text=st.text(alphabet="`json{}1 \n", max_size=12), cuts=st.lists(st.integers(0, 12), max_size=4))
def test_no_text_is_lost_without_a_fence(text: str, cuts: list[int]) -> None:
    """What does not begin with a fence passes whole."""
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    remover = FenceRemover()
    pieces = [remover.feed(text[start:end]) for start, end in pairwise(bounds)]
    assert remover.is_fenced or "".join(pieces) + remover.flush() == text
    assert remover.is_fenced <= text.lstrip().startswith("```")


@pytest.mark.parametrize("content", ["see ```{}```", '```json\n{"a": ', "```json\nno JSON\n```", '{"a": NaN}'])
def test_what_is_not_json_is_none(content: str) -> None:
    """With a fence or without."""
    assert unfenced_json(content) is None
