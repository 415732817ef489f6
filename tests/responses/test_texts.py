"""texts.py and events.py: fences around JSON, and characters whose halves came in two pieces."""

from __future__ import annotations

import json
from typing import Any

import pydantic
import pytest

from kimi_openai import KimiCompatWarning, Note
from kimi_openai.emulator import Emulator, say, think
from tests.canned import Canned
from tests.conftest import Mode

from .shapes import call, events_of, message, reasoning, response, sse

ASK: Any = {"model": "kimi-k3", "input": "Hi"}
PLAIN = '{"x": "a```b"}'
FENCED = f"```json\n{PLAIN}\n```"


class Answer(pydantic.BaseModel):
    """What is asked for."""

    x: str


FORMAT: Any = {
    "format": {"type": "json_schema", "name": "answer", "schema": Answer.model_json_schema(), "strict": True}
}

Found = tuple[str, Any]
"""A text, and what it was parsed as; "" if it was not parsed."""


def create(mode: Mode, client: Any, **options: Any) -> Found:
    return mode.run(client.responses.create(**ASK, **options)).output_text, ""


def retrieve(mode: Mode, client: Any, **options: Any) -> Found:
    id = mode.run(client.responses.create(**ASK, **options)).id
    return mode.run(client.responses.retrieve(id)).output_text, ""


def parse(mode: Mode, client: Any, **_: Any) -> Found:
    found = mode.run(client.responses.parse(**ASK, text_format=Answer))
    return found.output_text, found.output_parsed


def raw_parse(mode: Mode, client: Any, **_: Any) -> Found:
    found = mode.run(client.responses.with_raw_response.parse(**ASK, text_format=Answer)).parse()
    return found.output_text, found.output_parsed


def typed_stream(mode: Mode, client: Any, **options: Any) -> Found:
    return checked(mode.each(mode.run(client.responses.create(**ASK, **options, stream=True)))), ""


def stream_helper(mode: Mode, client: Any, **_: Any) -> Found:
    manager = client.responses.stream(**ASK, text_format=Answer)

    async def read() -> Any:
        async with manager as stream:
            return [event async for event in stream], await stream.get_final_response()

    if mode.is_async:
        events, final = mode.run(read())
    else:
        with manager as stream:
            events, final = [*stream], stream.get_final_response()
    assert checked(events) == final.output_text
    return final.output_text, final.output_parsed


def checked(events: list[Any]) -> str:
    """The text, if the pieces, their ends and the response say the same."""
    pieces = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    (done,) = [event.text for event in events if event.type == "response.output_text.done"]
    (part,) = [event.part.text for event in events if event.type == "response.content_part.done"]
    assert pieces == done == part == events[-1].response.output_text
    return pieces


WAYS = {
    "create": create,
    "retrieve": retrieve,
    "parse": parse,
    "raw parse": raw_parse,
    "typed stream": typed_stream,
    "stream helper": stream_helper,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("text", [FENCED, f"\n```JSON\r\n{PLAIN}\r\n```\n"])
def test_a_fence_around_json_is_removed(kimi: Emulator, mode: Mode, way: Any, text: str) -> None:
    """Everywhere, if JSON was asked for; noted once."""
    notes: list[Note] = []
    kimi.script(say(text))
    with pytest.warns(KimiCompatWarning, match="parsed without the fence"):
        found, parsed = way(mode, mode.client(kimi, on_note=notes.append), text=FORMAT)
    assert (found, parsed or Answer(x="a```b")) == (PLAIN, Answer(x="a```b"))
    assert [(note.kind, note.where) for note in notes] == [("fenced_json", "output")]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_plain_answer_stays(kimi: Emulator, mode: Mode, way: Any) -> None:
    """As it came, without a note."""
    kimi.script(say(f" {PLAIN}\n"))
    assert way(mode, mode.client(kimi), text=FORMAT)[0] == f" {PLAIN}\n"


@pytest.mark.parametrize("way", [create, typed_stream])
@pytest.mark.parametrize(("compat", "text"), [("adapt", {}), ("off", FORMAT)])
def test_a_fence_that_nobody_asked_to_remove_stays(
    kimi: Emulator, mode: Mode, way: Any, compat: str, text: Any
) -> None:
    """Without a format, and with `compat="off"`."""
    kimi.script(say(FENCED))
    assert way(mode, mode.client(kimi, compat=compat), text=text)[0] == FENCED


# Halves of characters -------------------------------------------------------------------------------------------------

CRY = "a😀b"
FIRST, SECOND = "\ud83d", "\ude00"


def split(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The event; a piece of a text in two, within the character."""
    before, is_there, after = str(event.get("delta", "")).partition("😀")
    pieces = [before + FIRST, SECOND + after] if is_there else []
    return [{**event, "delta": piece} for piece in pieces] or [event]


def stream_of(whole: dict[str, Any]) -> bytes:
    """The bytes of a stream whose pieces end in half a character."""
    events = [piece for event in events_of(whole) for piece in split(event)]
    return sse(*({**event, "sequence_number": number} for number, event in enumerate(events)))


@pytest.mark.parametrize("compat", ["adapt", "off"])
@pytest.mark.parametrize("kind", ["output_text", "reasoning_summary_text", "function_call_arguments"])
def test_halves_of_characters_are_joined(mode: Mode, compat: str, kind: str) -> None:
    """In texts, summaries and arguments."""
    arguments = json.dumps({"a": CRY}, ensure_ascii=False)
    stream = stream_of(response(reasoning(CRY), message(CRY), call(arguments=arguments)))
    client = mode.client(api_key="sk-1", http_client=Canned(stream).client(mode.is_async), compat=compat)
    events = mode.each(mode.run(client.responses.create(**ASK, stream=True)))
    pieces = [event.delta for event in events if event.type == f"response.{kind}.delta"]
    assert "".join(pieces) == (arguments if kind == "function_call_arguments" else CRY)


def test_a_half_whose_other_half_does_not_come(mode: Mode) -> None:
    """U+FFFD stands for it, in another piece before the end of the text; the numbers of the events go on."""
    events = events_of(response(message("a")))
    events = [{**event, "delta": f"a{FIRST}"} if "delta" in event else event for event in events]
    client = mode.client(api_key="sk-1", http_client=Canned(sse(*events)).client(mode.is_async))
    found = mode.each(mode.run(client.responses.create(**ASK, stream=True)))
    pieces = [event.delta for event in found if event.type == "response.output_text.delta"]
    assert pieces == ["a", "\ufffd"]
    assert [event.sequence_number for event in found] == list(range(len(found)))


def test_a_half_in_an_event_of_another_kind(mode: Mode) -> None:
    """U+FFFD stands for it, as in plain answers."""
    stream = sse(*events_of(response(message(f"a{FIRST}"))))
    client = mode.client(api_key="sk-1", http_client=Canned(stream).client(mode.is_async))
    assert mode.each(mode.run(client.responses.create(**ASK, stream=True)))[-1].response.output_text == "a\ufffd"


def test_the_text_of_a_response_without_text(kimi: Emulator, mode: Mode) -> None:
    """Reasoning alone has no fence, whatever it begins with."""
    kimi.script(think("```json\n{}"), say(PLAIN))
    found = mode.run(mode.client(kimi).responses.create(**ASK, text=FORMAT))
    assert found.output[0].summary[0].text == "```json\n{}"
