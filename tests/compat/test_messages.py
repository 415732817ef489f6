"""Roles, replayed answers and empty messages."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessage

from kimi_openai import KimiCompatWarning, file_message
from kimi_openai.compat.pipeline import shape
from kimi_openai.emulator import Emulator
from tests.conftest import Mode
from tests.emulator.validation.bodies import verdict

from .bodies import CALL, CALLING, HI, K3, RESULT, check_messages, check_refused, tool

ANSWER = {"role": "assistant", "content": "x"}
PARTIAL = {"role": "assistant", "content": "", "name": "Ada", "partial": True}

CASES = [
    pytest.param(
        [{"role": "developer", "content": "x"}], [{"role": "system", "content": "x"}], ["developer"], id="developer"
    ),
    pytest.param(
        [{"role": "system", "content": "x"}] * 2, [{"role": "system", "content": "x"}] * 2, [], id="several systems"
    ),
    pytest.param(
        [*HI, {**CALLING, "content": ""}, RESULT],
        [*HI, {**CALLING, "content": ""}, RESULT],
        [],
        id="an empty text beside a call",
    ),
    pytest.param([*HI, PARTIAL], [*HI, PARTIAL], [], id="an empty partial message"),
    pytest.param(
        [
            *HI,
            {
                **ANSWER,
                "refusal": None,
                "audio": None,
                "function_call": None,
                "parsed": {"a": 1},
                "tool_calls": [],
                "reasoning_content": "",
            },
        ],
        [*HI, {**ANSWER, "reasoning_content": ""}],
        [],
        id="nulls and the SDK's own fields",
    ),
    pytest.param(
        [
            *HI,
            {**CALLING, "tool_calls": [{**CALL, "index": 0, "function": {**CALL["function"], "parsed_arguments": {}}}]},
            RESULT,
        ],
        [*HI, CALLING, RESULT],
        [],
        id="the SDK's own fields in calls",
    ),
    pytest.param(
        [*HI, {"role": "assistant", "content": None, "refusal": "no"}],
        [*HI, {"role": "assistant", "content": "no"}],
        ["refusal"],
        id="a refusal",
    ),
]


EMPTY_CONTENTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "empty": ({"content": ""}, []),
    "null": ({"content": None}, []),
    "absent": ({}, []),
    "no parts": ({"content": []}, []),
    "an empty part": ({"content": [{"type": "text", "text": ""}]}, ["empty_text"]),
}


@pytest.mark.parametrize(("content", "kinds"), EMPTY_CONTENTS.values(), ids=EMPTY_CONTENTS)
@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_an_empty_message_is_left_out(role: str, content: dict[str, Any], kinds: list[str]) -> None:
    """Kimi refuses an empty message of each role, and the note quotes how."""
    sent = [{"role": role, **content}, *HI]
    assert verdict(messages=sent) == (
        400,
        f"Invalid request: the message at position 0 with role '{role}' must not be empty",
    )
    check_messages(K3, sent, HI, [*kinds, "empty_message"])
    note = shape({"model": K3, "messages": sent}).notes[-1]
    assert (note.where, note.change) == ("messages.0", "left out")
    assert f"with role '{role}' must not be empty" in note.why


@pytest.mark.parametrize(
    "message",
    [
        {"role": "system", "content": "", "tools": [tool("a")]},
        {"role": "system", "tools": [tool("a")]},
        PARTIAL,
        {"role": "assistant", "content": "", "reasoning_content": "r", "partial": True},
    ],
)
def test_an_empty_message_that_brings_something_stays(message: dict[str, Any]) -> None:
    """It brings tools, or begins the answer with a name or with reasoning."""
    check_messages(K3, [*HI, message], [*HI, message], [])


def test_empty_parts_beside_tools_are_left_out() -> None:
    """Kimi accepts no content beside tools in a message."""
    message = {"role": "system", "tools": [tool("a")]}
    empty = {**message, "content": [{"type": "text", "text": ""}]}
    check_messages(K3, [*HI, empty], [*HI, message], ["empty_text"])


def test_an_empty_beginning_is_left_out() -> None:
    """Without a name or reasoning there is nothing to continue."""
    check_messages(K3, [*HI, {"role": "assistant", "content": "", "partial": True}], HI, ["empty_message"])


def test_a_request_without_any_content_is_refused() -> None:
    """If every message is empty, there is nothing to send instead."""
    check_refused({"messages": [{"role": "user", "content": ""}]}, "messages", "every message is empty")


def test_the_message_of_a_file_without_text_is_left_out(mode: Mode, kimi: Emulator) -> None:
    """A scanned document may have no text; the note says what the cause may be."""
    client = mode.client(kimi)
    with pytest.warns(KimiCompatWarning, match="only images"):
        mode.run(client.chat.completions.create(model=K3, messages=[file_message(""), *HI]))
    assert kimi.chats[-1]["messages"] == HI


@pytest.mark.parametrize(("sent", "expected", "kinds"), CASES)
def test_messages(sent: list[Any], expected: list[Any], kinds: list[str]) -> None:
    """Each message is sent in the form that Kimi accepts."""
    check_messages(K3, sent, expected, kinds)


def test_what_only_openai_answers_have_is_left_out() -> None:
    """Empty annotations without a note, others with one; a refusal beside content does not replace it."""
    quiet = shape({"model": K3, "messages": [{**ANSWER, "annotations": []}]})
    assert (quiet.body["messages"], quiet.notes) == ([ANSWER], ())
    noted = shape({"model": K3, "messages": [{**ANSWER, "annotations": [{"type": "url_citation"}], "refusal": "no"}]})
    assert noted.body["messages"] == [ANSWER]
    assert [(note.where, note.change) for note in noted.notes] == [
        ("messages.0.refusal", "left out"),
        ("messages.0.annotations", "left out"),
    ]


def test_objects_of_the_sdk_become_dicts() -> None:
    """A message or a whole answer may stand in the list, and is sent without nulls and without a note."""
    message = {**ANSWER, "reasoning_content": "r", "refusal": None}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}
    completion = ChatCompletion.model_validate(
        {"id": "1", "object": "chat.completion", "created": 1, "model": K3, "choices": [choice]}
    )
    shaped = shape({"model": K3, "messages": [ChatCompletionMessage.model_validate(message), completion]})
    assert shaped.body["messages"] == [{**ANSWER, "reasoning_content": "r"}] * 2
    assert shaped.notes == ()
