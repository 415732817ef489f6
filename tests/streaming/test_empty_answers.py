"""Answers that end with reasoning only: asked for once more by `stream` and `complete`, and always noted."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import openai
import pytest

from kimi_openai import UnexpectedAnswerError, complete, last_notes, live, partial_message, run_tools, stream
from kimi_openai.emulator import Emulator, call, finish, reset_after, say, think
from kimi_openai.errors.exceptions import KimiCompatWarning, Note
from tests.canned import Canned
from tests.conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "What is 2+2?"}]}
EMPTY = (think("I know the answer, it is 4."),)
WHOLE = (think("hm"), say("4"))

pytestmark = pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")


def add() -> str:
    """Adds."""
    return "4"


def by_complete(mode: Mode, client: Any, **params: Any) -> Any:
    return mode.run(complete(client, **{**ASK, **params}))


def by_run_tools(mode: Mode, client: Any, **params: Any) -> Any:
    return mode.run(run_tools(client, tools=[add], **{**ASK, **params})).completion


def by_stream(mode: Mode, client: Any, **params: Any) -> Any:
    answer = stream(client, **{**ASK, **params})
    mode.each(answer)
    return mode.run(answer.get_final_completion())


def by_create(mode: Mode, client: Any, **params: Any) -> Any:
    return mode.run(client.chat.completions.create(**{**ASK, **params}))


def by_create_stream(mode: Mode, client: Any, **params: Any) -> Any:
    return mode.each(mode.run(client.chat.completions.create(**{**ASK, **params}, stream=True)))


ASK_AGAIN = [by_complete, by_run_tools, by_stream]


def noted(notes: list[Note]) -> list[str]:
    return [note.change for note in notes if note.kind == "empty_answer"]


@pytest.mark.parametrize("way", ASK_AGAIN)
@pytest.mark.parametrize("first", [EMPTY, (think("hm"), say(" \n")), (finish("stop"),)], ids=["", "blank", "nothing"])
def test_an_answer_without_text_is_asked_for_once_more(
    mode: Mode, kimi: Emulator, way: Callable[..., Any], first: Any
) -> None:
    """The second answer is returned, with the usage of both; a note says what was done."""
    kimi.script(*first)
    kimi.script(*WHOLE)
    kimi.script(*WHOLE)
    notes: list[Note] = []
    client = mode.client(kimi, on_note=notes.append)
    completion = way(mode, client)
    message = completion.choices[0].message
    assert (message.content, message.reasoning_content, len(kimi.chats)) == ("4", "hm", 2)
    assert kimi.chats[0] == kimi.chats[1]
    assert noted(notes) == ["asked for once more"]
    assert completion.usage.prompt_tokens == 2 * way(mode, client).usage.prompt_tokens > 0


@pytest.mark.parametrize("way", ASK_AGAIN)
def test_two_answers_without_text_are_enough(mode: Mode, kimi: Emulator, way: Callable[..., Any]) -> None:
    """The second one is returned, with a note about both."""
    kimi.reply = lambda _: list(EMPTY)
    notes: list[Note] = []
    completion = way(mode, mode.client(kimi, on_note=notes.append))
    assert (completion.choices[0].message.content, len(kimi.chats)) == ("", 2)
    assert noted(notes) == ["asked for once more", "returned without text, as it came twice"]
    if not mode.is_async:
        assert [note.kind for note in last_notes()] == ["empty_answer"] * 2


def test_a_stream_says_that_it_starts_over(mode: Mode, kimi: Emulator) -> None:
    """One `restarted` event with its cause; the parts tell what each request brought."""
    kimi.script(*EMPTY)
    kimi.script(*WHOLE)
    answer = stream(mode.client(kimi), **ASK)
    events = mode.each(answer)
    (restarted,) = [event for event in events if event.type == "restarted"]
    assert isinstance(restarted.cause, UnexpectedAnswerError)
    assert (restarted.cause.body, restarted.number) == ("I know the answer, it is 4.", 1)
    after = events[events.index(restarted) :]
    assert [event.delta for event in after if event.type in ("reasoning.delta", "content.delta")] == ["hm", "4"]
    assert [part.how for part in answer.parts] == ["first", "repeated"]
    assert answer.resumptions == 0


def test_a_cut_after_it_is_survived(mode: Mode, kimi: Emulator) -> None:
    """The second request is continued as any other; no third one follows an answer without text."""
    kimi.script(*EMPTY)
    kimi.script(think("hm"), say("one two three"))
    kimi.script(think("hm"), say("one two three"))
    answer = stream(mode.client(kimi), **ASK)
    kimi.fail(None, reset_after(5))
    mode.each(answer)
    assert answer.reply.content == "one two three"
    assert [part.how for part in answer.parts] == ["first", "repeated", "resumed"]


ADD = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
NOT_AGAIN = [
    pytest.param((think("hm"), call("add", {})), {"tools": [ADD]}, id="a tool call"),
    pytest.param(EMPTY, {"messages": [*ASK["messages"], partial_message("4")]}, id="nothing to add to a text"),
    pytest.param(WHOLE, {}, id="text"),
]


@pytest.mark.parametrize(("script", "params"), NOT_AGAIN)
@pytest.mark.parametrize("way", [by_complete, by_stream, by_create, by_create_stream])
def test_other_answers_are_not_asked_for_again(
    mode: Mode, kimi: Emulator, way: Callable[..., Any], script: Any, params: Any
) -> None:
    """Nor noted."""
    kimi.reply = lambda _: list(script)
    notes: list[Note] = []
    way(mode, mode.client(kimi, on_note=notes.append), **params)
    assert (len(kimi.chats), noted(notes)) == (1, [])


def test_limits_hold(mode: Mode, kimi: Emulator) -> None:
    """Those of `complete` for tokens, and `on_cut="raise"`, which wants one request."""
    kimi.reply = lambda _: list(EMPTY)
    notes: list[Note] = []
    client = mode.client(kimi, on_note=notes.append)
    mode.run(complete(client, **ASK, max_total_tokens=1))
    mode.each(stream(client, **ASK, on_cut="raise"))
    assert len(kimi.chats) == 2
    assert [each.partition(",")[0] for each in noted(notes)] == ["returned without text"] * 2


@pytest.mark.parametrize("way", [by_create, by_create_stream])
def test_create_notes_it(mode: Mode, kimi: Emulator, way: Callable[..., Any]) -> None:
    """By a warning, a log line, `on_note` and `last_notes()`; the answer is what came, after one request."""
    kimi.reply = lambda _: list(EMPTY)
    notes: list[Note] = []
    with pytest.warns(KimiCompatWarning, match="returned without text.*kimi_openai.complete"):
        way(mode, mode.client(kimi, on_note=notes.append))
    assert (noted(notes), len(kimi.chats)) == (["returned without text"], 1)
    assert [note.where for note in last_notes()] == ([] if mode.is_async else ["choices.0.message.content"])
    way(mode, mode.client(kimi, compat="off", on_note=notes.append))
    assert len(notes) == 1


@pytest.mark.parametrize("way", [by_create, by_create_stream, by_complete])
def test_a_note_never_costs_the_answer(mode: Mode, kimi: Emulator, way: Callable[..., Any]) -> None:
    """Not if warnings are errors, and not if `on_note` raises."""
    kimi.reply = lambda _: list(EMPTY)

    def refuse(_: Note) -> None:
        raise RuntimeError("no")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert way(mode, mode.client(kimi, on_note=refuse))


def test_live_starts_over(mode: Mode, kimi: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """The reader sees that, and the whole answer."""
    kimi.script(*EMPTY)
    kimi.script(*WHOLE)
    reply = mode.run(live(stream(mode.client(kimi), **ASK)))
    assert (reply.content, reply.reasoning) == ("4", "hm")
    assert "[the answer broke off; starting over]" in capsys.readouterr().out


def test_an_answer_from_a_bare_client_is_asked_for_again(mode: Mode) -> None:
    """`complete` works alike with a client of the SDK's."""
    kind: Any = openai.AsyncOpenAI if mode.is_async else openai.OpenAI
    chunk = {"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}, "finish_reason": "stop"}]}
    canned = Canned(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    client = kind(api_key="sk-1", base_url="http://127.0.0.1/v1", http_client=canned.client(mode.is_async))
    with pytest.warns(KimiCompatWarning, match="asked for once more"):
        mode.run(complete(client, **ASK))
    assert len(canned.bodies) == 2
    mode.run(client.close())
