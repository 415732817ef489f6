"""Fields of other APIs, and names that look misspelt."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.compat.pipeline import shape
from kimi_openai.compat.spelling import FOREIGN, KNOWN
from kimi_openai.emulator import Emulator
from kimi_openai.errors.exceptions import CompatError
from tests.conftest import Mode

from .bodies import HI, K3, check_parameters

SENT = [
    pytest.param({"max_output_tokens": 9}, {"max_completion_tokens": 9}, ["foreign_name"], id="another name"),
    pytest.param(
        {"max_output_tokens": 9, "max_completion_tokens": 8}, {"max_completion_tokens": 8}, ["foreign_name"], id="both"
    ),
    pytest.param(
        {"max_new_tokens": 9, "num_predict": 8},
        {"max_completion_tokens": 9},
        ["foreign_name"] * 2,
        id="two of one kind",
    ),
    pytest.param(
        {"stop_sequences": list("abcdef")}, {"stop": list("abcde")}, ["foreign_name", "stop"], id="stop texts"
    ),
    pytest.param(
        {"max_output_tokens": 9, "max_tokens": 8},
        {"max_completion_tokens": 8},
        ["foreign_name", "max_tokens"],
        id="beside the older name",
    ),
    pytest.param({"max_length": 9}, {}, ["foreign_name"], id="another meaning"),
    pytest.param({"max_output_tokens": None}, {"max_output_tokens": None}, [], id="null"),
    pytest.param({"temprature": 1}, {"temprature": 1}, ["misspelt_name"], id="misspelt"),
    pytest.param({"toolz": []}, {"toolz": []}, ["misspelt_name"], id="a short name misspelt"),
    pytest.param({"maxTokens": 9}, {"maxTokens": 9}, ["misspelt_name"], id="letter case"),
    pytest.param({"reasoning-effort": "low"}, {"reasoning-effort": "low"}, ["misspelt_name"], id="a hyphen"),
    pytest.param({"a_field_of_tomorrow": 1}, {"a_field_of_tomorrow": 1}, [], id="new"),
]


@pytest.mark.parametrize(("sent", "expected", "kinds"), SENT)
def test_names(sent: dict[str, Any], expected: dict[str, Any], kinds: list[str]) -> None:
    """What a field of another API means is sent if Kimi has it; a misspelt name is sent as it is."""
    check_parameters(K3, sent, expected, kinds)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_field_of_another_api_is_noted(name: str) -> None:
    """The note says whose field it is and what to write; the name is not one of Kimi's or OpenAI's."""
    (note,) = shape({"model": K3, "messages": HI, name: "x"}).notes
    assert note.where == name
    assert "it is a field of" in note.why
    assert note.fix
    assert name not in KNOWN


def test_the_note_names_the_likely_field() -> None:
    """So that the caller need not search for the slip."""
    (note,) = shape({"model": K3, "messages": HI, "temprature": 1}).notes
    assert (note.where, note.fix) == ("temprature", "write temperature")


def test_a_strict_client_refuses_wrong_names(mode: Mode, kimi: Emulator) -> None:
    """An option without effect is an error there."""
    client = mode.client(kimi, compat="strict")
    with pytest.raises(CompatError, match="2 things"):
        mode.run(
            client.chat.completions.create(model=K3, messages=HI, extra_body={"max_new_tokens": 9, "temprature": 1})
        )
    assert kimi.requests == []
