"""The warning about a prefix that the cache knew and that was changed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from kimi_openai import KimiCompatWarning, replay_message, track
from kimi_openai.emulator import Emulator
from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.usage.prefixes import first_difference
from tests.conftest import Mode

LONG = "You are a helper. " * 80
"""More than a block of the cache, 256 tokens: what is lost of a smaller message is not seen."""


def system(text: str = LONG) -> dict[str, Any]:
    """A system message."""
    return {"role": "system", "content": text}


def user(text: str) -> dict[str, Any]:
    """A user message."""
    return {"role": "user", "content": text}


TOOL = {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}
OTHER = {"type": "function", "function": {"name": "then", "parameters": {"type": "object", "properties": {}}}}


class Chat:
    """Asks with a ledger that warns, and collects what it says."""

    def __init__(self, mode: Mode, kimi: Emulator, model: str = "kimi-k3", **options: Any) -> None:
        self.mode, self.model = mode, model
        self.client = mode.client(kimi)
        track(self.client, **options)

    def __call__(self, *messages: Any, **fields: Any) -> tuple[Any, str]:
        """The answer as a message, and the place that the warning names."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", KimiCompatWarning)
            call = self.client.chat.completions.create(model=self.model, messages=list(messages), **fields)
            answer = self.mode.run(call)
        found = [str(each.message) for each in caught if "the prompt cache does not know" in str(each.message)]
        return replay_message(answer), found[0].split(": ")[1].split(" is not")[0] if found else ""


@pytest.fixture(params=[True, False], ids=["writes reported", "writes not reported"])
def chat(request: pytest.FixtureRequest, mode: Mode) -> Iterator[Chat]:
    """On K3, whether or not it reports writes: then only reads are known to have been cached."""
    with Emulator(behaviour=Behaviour(cache_write_tokens=request.param)) as kimi:
        yield Chat(mode, kimi, warn_on_broken_prefix=True)


def turns(chat: Chat, first: Any = None, **fields: Any) -> list[Any]:
    """A conversation of two turns, whose beginning is in the cache."""
    messages = [first or system(), user(f"Name a prime. {LONG}")]
    for text in (f"And another? {LONG}", "And one more?"):
        answer, warned = chat(*messages, **fields)
        assert warned == ""
        messages += [answer, user(text)]
    return messages


def test_a_conversation_that_goes_on_is_fine(chat: Chat) -> None:
    """So is asking again, and another conversation with the same beginning."""
    messages = turns(chat)
    assert chat(*messages)[1] == chat(*messages)[1] == ""
    assert chat(system(), user("Who was Ada Lovelace, and what did she write?"))[1] == ""


def changed(messages: list[Any], index: int, **fields: Any) -> list[Any]:
    """The messages with one changed."""
    return [{**each, **fields} if at == index else each for at, each in enumerate(messages)]


@pytest.mark.parametrize(
    ("index", "fields", "named"),
    [
        (0, {"content": f"It is 10:02. {LONG}"}, "messages.0 (system)"),
        (1, {"content": f"Name a prime! {LONG}"}, "messages.1 (user)"),
    ],
    ids=["the time in the system message", "an edited question"],
)
def test_the_first_message_that_differs_is_named(chat: Chat, index: int, fields: Any, named: str) -> None:
    """It costs what the cache would have saved."""
    messages = turns(chat, system(f"It is 10:01. {LONG}") if index == 0 else None)
    assert chat(*changed(messages, index, **fields))[1] == named


def test_reasoning_that_differs_is_named(mode: Mode, kimi: Emulator) -> None:
    """It is part of the prefix."""
    chat = Chat(mode, kimi, warn_on_broken_prefix=True)
    messages = turns(chat)
    assert chat(*changed(messages, 2, reasoning_content="other"))[1] == "messages.2 (assistant)"


def test_tools_come_before_the_messages(mode: Mode, kimi: Emulator) -> None:
    """Another order of them is another prefix."""
    chat = Chat(mode, kimi, warn_on_broken_prefix=True)
    messages = turns(chat, tools=[TOOL, OTHER], tool_choice="none")
    assert chat(*messages, tools=[OTHER, TOOL], tool_choice="none")[1] == "tools"


@pytest.mark.parametrize("second", [f"It is 10:01. {LONG}", f"It is 10:02. {LONG}"])
def test_instructions_come_before_the_input(mode: Mode, kimi: Emulator, second: str) -> None:
    """Of a Responses request."""
    client = mode.client(kimi)
    track(client, warn_on_broken_prefix=True)
    first: Any = mode.run(client.responses.create(model="kimi-k3", input=LONG, instructions=f"It is 10:01. {LONG}"))
    more: Any = {"previous_response_id": first.id, "input": [user("And?")], "instructions": second}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", KimiCompatWarning)
        mode.run(client.responses.create(model="kimi-k3", **more))
    named = [str(each.message).split(": ")[1].split(" is not")[0] for each in caught]
    assert named == ([] if "10:01" in second else ["instructions"])


@pytest.mark.k2
def test_models_that_report_no_writes_are_watched_too(mode: Mode, kimi: Emulator) -> None:
    """Every prompt of theirs counts as cached."""
    chat = Chat(mode, kimi, "kimi-k2.6", warn_on_broken_prefix=True)
    messages = turns(chat)
    assert chat(*changed(messages, 0, content=f"Now. {LONG}"))[1] == "messages.0 (system)"


def test_it_is_off_by_default(mode: Mode, kimi: Emulator) -> None:
    """A ledger counts, and says nothing."""
    chat = Chat(mode, kimi)
    messages = turns(chat)
    assert chat(*changed(messages, 0, content="Now."))[1] == ""


@pytest.mark.parametrize(
    ("before", "now", "index"),
    [
        (["s", "a"], ["s", "a", "b"], None),
        (["s", "a", "b"], ["s"], None),
        (["s1", "question"], ["t2", "something else"], None),
        (["system 10:01", "question"], ["system 10:02", "something else"], 0),
        (["s", "the same question"], ["s", "the same question?"], None),
        (["s", "the same question"], ["s", "the same question?", "a", "b"], 1),
        (["x", "a", "b"], ["y", "a", "b"], 0),
        ([], ["a"], None),
    ],
)
def test_what_goes_on_with_a_change(before: list[str], now: list[str], index: int | None) -> None:
    """And what is another conversation."""
    assert first_difference(before, now) == index
