"""The rules for Responses requests: each example over a socket, changed and unchanged."""

from __future__ import annotations

import copy
import re
from typing import Any

import openai
import pytest

from kimi_openai import responses
from kimi_openai.compat import images
from kimi_openai.emulator import Behaviour, Emulator, say
from kimi_openai.errors.exceptions import CompatError, Note
from kimi_openai.responses.rules import shape_response
from tests.conftest import Mode

from .examples import CHANGED, DATA_URL, REFUSED, Example, F, G

pytestmark = pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")


@pytest.fixture(autouse=True)
def downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here reaches the internet."""
    monkeypatch.setattr(images, "fetch_image", lambda _: DATA_URL)


def send(mode: Mode, client: Any, example: Example) -> Any:
    """The answer to the request of the example."""
    return mode.run(client.responses.create(**{"model": "kimi-k3", "input": "Hi", **example.request}))


def body_of(example: Example) -> dict[str, Any]:
    """The body that the SDK makes of the request."""
    fields = {name: value for name, value in example.request.items() if name != "extra_body"}
    return {"model": "kimi-k3", "input": "Hi", **fields, **example.request.get("extra_body", {})}


@pytest.fixture
def strict_kimi() -> Any:
    """An emulator that refuses fields that Kimi does not have. The other reading, that it ignores them, is possible."""
    with Emulator(behaviour=Behaviour(responses_unsupported="reject")) as kimi:
        yield kimi


@pytest.mark.parametrize("example", CHANGED.values(), ids=CHANGED)
def test_a_request_is_changed(strict_kimi: Emulator, mode: Mode, example: Example) -> None:
    """The expected body is sent, each change has a note, nothing of the caller's changes, and Kimi accepts it."""
    notes: list[Note] = []
    client = mode.client(strict_kimi, on_note=notes.append, **example.options)
    before = copy.deepcopy(example.request)
    answer = send(mode, client, example)
    assert answer.status == "completed"
    assert strict_kimi.responses == [{"model": "kimi-k3", "input": "Hi", **example.sent}]
    assert sorted(note.where for note in notes) == sorted(example.noted)
    assert example.request == before
    strict = client.with_options(compat="strict")
    if example.noted:
        with pytest.raises(CompatError, match=re.escape(example.noted[0])):
            send(mode, strict, example)
        assert len(strict_kimi.responses) == 1
    else:
        send(mode, strict, example)


@pytest.mark.parametrize("example", REFUSED.values(), ids=REFUSED)
def test_a_request_is_refused(kimi: Emulator, mode: Mode, example: Example) -> None:
    """The error names the place, says what to do, and nothing is sent."""
    with pytest.raises(CompatError) as raised:
        send(mode, mode.client(kimi), example)
    assert {note.where for note in raised.value.notes if note.fatal} == set(example.noted)
    assert all(note.fix for note in raised.value.notes)
    assert kimi.requests == []


def test_help_quotes_what_kimi_says() -> None:
    """The errors in `help(kimi_openai.responses)` are those of the examples."""
    said = "\n".join(example.kimi for example in (CHANGED | REFUSED).values())
    lines = re.findall(r"^ {8}Kimi: .*400 .*$", responses.__doc__ or "", re.MULTILINE)
    quoted = [text for line in lines for text in re.findall("`([^`]+)`", line)]
    assert len(quoted) >= 6
    assert [text for text in quoted if text not in said] == []


DOCUMENTED = {name: example for name, example in (CHANGED | REFUSED).items() if example.kimi}


@pytest.mark.parametrize("example", DOCUMENTED.values(), ids=DOCUMENTED)
def test_kimi_refuses_the_unchanged_request(kimi: Emulator, mode: Mode, example: Example) -> None:
    """With `compat="off"` it is sent as it is, and answered with the documented error, explained."""
    with pytest.raises(openai.BadRequestError) as raised:
        send(mode, mode.client(kimi, compat="off"), example)
    assert example.kimi in raised.value.message
    assert "the request's side" in raised.value.message
    assert kimi.responses[-1] == body_of(example)


def test_a_model_without_the_face_names_chat_completions(kimi: Emulator, mode: Mode) -> None:
    """The K2 series, also behind an alias."""
    client = mode.client(kimi, model_aliases={"gpt-5": "kimi-k2.7-code"})
    with pytest.raises(CompatError, match=r"client\.chat\.completions"):
        mode.run(client.responses.create(model="gpt-5", input="Hi"))


@pytest.mark.parametrize("example", CHANGED.values(), ids=CHANGED)
def test_shaping_is_idempotent(example: Example) -> None:
    """A second pass changes nothing and notes nothing."""
    once = shape_response(body_of(example))
    if not any(note.fatal for note in once.notes):  # an image that was not fetched
        again = shape_response(once.body)
        assert (again.body, again.notes) == (once.body, ())


def test_a_misspelt_field_is_sent_with_a_note() -> None:
    """It may be a new field of Kimi's; a field that is near no known one has no note."""
    body = {"model": "kimi-k3", "input": "Hi", "max_output_token": 5, "a_new_field": 1}
    shaped = shape_response(body)
    assert shaped.body == body
    assert [(note.where, note.fix) for note in shaped.notes] == [("max_output_token", "write max_output_tokens")]


def test_what_is_remembered_is_shaped_without_notes(kimi: Emulator, mode: Mode) -> None:
    """An answer without text and tools that an earlier request added; the tools of the new request count."""
    notes: list[Note] = []
    client = mode.client(kimi, on_note=notes.append)
    added = {"type": "additional_tools", "role": "developer", "tools": [F]}
    first = mode.run(client.responses.create(model="kimi-k3", input=[added, {"role": "user", "content": "Hi"}]))
    empty = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": ""}]}]
    conversation = mode.run(client.conversations.create(items=[added, *empty]))
    mode.run(client.responses.create(model="kimi-k3", input="Go on", previous_response_id=first.id, tools=[G, F]))
    mode.run(client.responses.create(model="kimi-k3", input="Go on", conversation=conversation.id, tools=[F]))
    assert [item.get("type") for item in kimi.responses[1]["input"]].count("additional_tools") == 0
    assert kimi.responses[2]["input"] == [{"type": "message", "role": "user", "content": "Go on"}]
    assert notes == []


def test_the_beta_is_refused(kimi: Emulator, mode: Mode) -> None:
    """OpenAI's beta has other events and agents, which Kimi does not have."""
    client = mode.client(kimi)
    if not hasattr(client.beta, "responses"):
        pytest.skip("this SDK has no beta of Responses")
    kimi.script(say("no"))
    with pytest.raises(CompatError, match=r"client\.responses"):
        mode.run(client.beta.responses.create(model="kimi-k3", input="Hi"))
