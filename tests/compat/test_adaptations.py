"""Each entry of the list in `help(kimi_openai.compat)`, proved by requests over a socket."""

from __future__ import annotations

import json
import re
from typing import Any

import openai
import pytest

from kimi_openai import compat
from kimi_openai.compat import images
from kimi_openai.emulator import Emulator
from kimi_openai.emulator.endpoints.multipart import form_fields
from kimi_openai.errors.exceptions import CompatError, Note
from tests.conftest import Mode

from .adaptation_examples import DATA_URL, EXAMPLES, Example
from .bodies import HI, K3

pytestmark = pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")

ENTRIES = re.findall(
    r"^ {4}(\S.*)\n {8}Kimi: (.*)\n {8}client: ", re.sub(r"\n {12}", " ", compat.__doc__ or ""), re.MULTILINE
)
ROWS: dict[str, str] = dict(ENTRIES)
"""What OpenAI code says, and what the entry says that Kimi answers."""


@pytest.fixture(autouse=True)
def downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here reaches the internet."""
    monkeypatch.setattr(images, "fetch_image", lambda _: DATA_URL)


def send(mode: Mode, client: Any, request: dict[str, Any]) -> Any:
    """The answer to the request."""
    if "purpose" in request:
        return mode.run(client.files.create(**request))
    return mode.run(client.chat.completions.create(**{"model": K3, "messages": HI, **request}))


def sent_body(kimi: Emulator) -> Any:
    """The JSON body of the last request; the purpose of an upload, and the body in the line of a batch file."""
    last = kimi.requests[-1]
    form = form_fields(last.headers["Content-Type"], last.body)
    if not form:
        return last.json
    purpose = form["purpose"].data.decode()
    return {"purpose": purpose, **({"body": json.loads(form["file"].data)["body"]} if purpose == "batch" else {})}


def test_every_row_has_an_example() -> None:
    """And every example belongs to a row; no entry is written in another form."""
    assert ROWS.keys() == EXAMPLES.keys()
    assert len(re.findall(r"^ {4}\S", compat.__doc__ or "", re.MULTILINE)) == len(EXAMPLES)


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(example, id=f"{row}-{number}")
        for row, examples in EXAMPLES.items()
        for number, example in enumerate(examples)
    ],
)
def test_the_request_is_changed_as_the_row_says(kimi: Emulator, mode: Mode, example: Example) -> None:
    """The expected body is sent and a note says so, or `CompatError` names the place and nothing is sent."""
    notes: list[Note] = []
    client = mode.client(kimi, on_note=notes.append, **example.options)
    if isinstance(example.sent, str):
        with pytest.raises(CompatError, match=f"- {re.escape(example.sent)}: "):
            send(mode, client, example.request)
        assert kimi.requests == []
        return
    send(mode, client, example.request)
    is_upload = "purpose" in example.request
    assert sent_body(kimi) == (example.sent if is_upload else {"model": K3, "messages": HI, **example.sent})
    assert bool(notes) == example.is_noted


REFUSALS = {row: re.findall("`([^`]+)`", kimi) for row, kimi in ROWS.items() if re.search("40[04] (to )?`", kimi)}
"""The rows that quote an error of Kimi's, each with its quotations."""


def refusal(mode: Mode, client: Any, request: dict[str, Any]) -> str:
    """The error that answers the request; empty if Kimi accepts it."""
    try:
        send(mode, client, request)
    except openai.APIStatusError as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    "row", [pytest.param(row, marks=pytest.mark.k2 if ROWS[row].startswith("K2: ") else ()) for row in REFUSALS]
)
def test_kimi_refuses_the_request_as_the_row_says(kimi: Emulator, mode: Mode, row: str) -> None:
    """Unchanged, at least one example of the row is answered with the error that the row quotes."""
    client = mode.client(kimi, compat="off")
    errors = [refusal(mode, client, example.request) for example in EXAMPLES[row]]
    patterns = [re.escape(text).replace(r"\ N", r"\ \d+") for text in REFUSALS[row]]
    patterns = [re.sub(r"(\\ )?(\\\.){3}", ".*", pattern) for pattern in patterns]  # " ..." stands for any text
    assert any(re.search(pattern, error) for pattern in patterns for error in errors), errors
