"""The lines of a batch file, one by one: what is changed, what is refused, and with which line number."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_openai.compat.batch_lines import MOST_PROBLEMS, BatchLines
from kimi_openai.compat.pipeline import Shaped, shape
from kimi_openai.emulator.validation.batches import batch_requests
from kimi_openai.errors.exceptions import Note

from .bodies import HI, K3, K26, K27, OFF, named, tool

pytestmark = pytest.mark.k2  # no other model takes batches


def line(custom_id: Any = "a", *, method: Any = "POST", url: Any = "/v1/chat/completions", **body: Any) -> bytes:
    """A line of a batch file."""
    whole = {"custom_id": custom_id, "method": method, "url": url, "body": {"model": K26, "messages": HI, **body}}
    return json.dumps(whole).encode()


def shape_body(body: Any) -> Shaped:
    """The body of a line, whose answer the client does not see."""
    return shape(body, are_answers_ours=False)


def shaped(*lines: bytes) -> tuple[bytes, tuple[Note, ...]]:
    """The file that is sent, and the notes."""
    batch = BatchLines(shape_body)
    sent = [batch.shaped(each, number) for number, each in enumerate(lines, 1)]
    return b"\n".join(filter(None, sent)), batch.notes()


def sent_body(*lines: bytes) -> Any:
    """The body in the first line that is sent."""
    return json.loads(shaped(*lines)[0].splitlines()[0])["body"]


def test_a_line_that_kimi_accepts_stays_as_it_is() -> None:
    """Byte for byte, without a note; blank lines and the mark at the beginning of the file go."""
    first, second = line("a"), line("b").replace(b": ", b" :  ")
    sent, notes = shaped(b"\xef\xbb\xbf" + first, b"", b"  \r", second + b"\r")
    assert (sent, notes) == (first + b"\n" + second, ())
    assert batch_requests(sent) is not None


CHANGED: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "sampling": ({"temperature": 0.2, "top_p": 0.5, "n": 2}, {}, ["temperature", "top_p", "n"]),
    "pinned sampling": ({"temperature": 1, "top_p": 0.95, "n": 1, "presence_penalty": 0}, {}, []),
    "a stream": ({"stream": True, "stream_options": {"include_usage": True}}, {}, ["stream", "stream_options"]),
    "no stream": ({"stream": False}, {}, []),
    "max_tokens": ({"max_tokens": 9}, {"max_completion_tokens": 9}, ["max_tokens"]),
    "a forced tool": (
        {"tools": [tool("a")], "tool_choice": named("a"), "temperature": 0.6},
        {"tools": [tool("a")], "tool_choice": named("a"), "thinking": OFF},
        ["tool_choice"],
    ),
}


@pytest.mark.parametrize(("given", "expected", "kinds"), CHANGED.values(), ids=CHANGED)
def test_the_body_is_shaped_like_a_request(given: dict[str, Any], expected: dict[str, Any], kinds: list[str]) -> None:
    """And has neither sampling parameters, which the docs exclude, nor `stream`."""
    sent, notes = shaped(line(**given))
    assert sent_body(line(**given)) == {"model": K26, "messages": HI, **expected}
    assert [note.kind for note in notes] == kinds
    assert batch_requests(sent) is not None


def test_a_change_is_noted_once_with_its_first_line() -> None:
    """A file may have thousands of lines."""
    _, notes = shaped(line("a"), *(line(f"b{number}", seed=number, temperature=0.5) for number in range(5)))
    assert {(note.where, note.change) for note in notes} == {
        ("line 2, body.seed", "left out (in 5 lines)"),
        ("line 2, body.temperature", "left out (in 5 lines)"),
    }


REFUSED: dict[str, tuple[list[bytes], str, str]] = {
    "not JSON": ([line(), b"{"], "line 2", "not JSON"),
    "not UTF-8": ([b'{"custom_id": "\xff"}'], "line 1", "not JSON"),
    "an array": ([b"[]"], "line 1", "not an object with a body"),
    "no body": ([b'{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions"}'], "line 1", "with a body"),
    "nested without end": ([b'{"body":' * 100_000], "line 1", "not JSON"),
    "no custom_id": ([line(None)], "line 1, custom_id", "needs a custom_id"),
    "an empty custom_id": ([line("")], "line 1, custom_id", "needs a custom_id"),
    "a number as custom_id": ([line(3)], "line 1, custom_id", "needs a custom_id"),
    "a custom_id again": ([line("a"), b"", line("a")], "line 3, custom_id", "'a' is the custom_id of line 1 too"),
    "method": ([line(method="GET")], "line 1, method", "'POST' only, not 'GET'"),
    "url": ([line(url="/v1/embeddings")], "line 1, url", "not '/v1/embeddings'"),
    "no messages": ([line(messages=[])], "line 1, body.messages", "it is []"),
    "a limit as text": ([line(), line("b", max_tokens="9")], "line 2, body.max_completion_tokens", "it is '9'"),
    "an unknown role": (
        [line(messages=[{"role": "robot", "content": "x"}])],
        "line 1, body.messages.0.role",
        "'robot'",
    ),
    "K3": ([line(model=K3)], "line 1, body.model", "kimi-k3 is not listed for batches"),
    "highspeed": ([line(model=f"{K27}-highspeed")], "line 1, body.model", "not listed for batches"),
    "a retired model": ([line(model="moonshot-v1-8k")], "line 1, body.model", "kimi-k3 is not listed"),
    "no model": ([line(model=None)], "line 1, body.model", "missing"),
    "two models": ([line("a"), line("b", model=K27)], "line 2, body.model", f"one model, and line 1 has {K26}"),
    "a remote image": (
        [
            line("a"),
            line("b", messages=[{"role": "user", "content": [{"type": "image_url", "image_url": "http://x"}]}]),
        ],
        "line 2, body.messages.0.content.0",
        "Kimi fetches nothing",
    ),
    "a tool's name": (
        [line("a", tools=[tool("fs_read")]), line("b", tools=[tool("fs.read")])],
        "line 2, body.tools.0.function.name",
        "'.' is not allowed in a tool name, only letters, digits, '_' and '-' are, and these answers would not have",
    ),
    "a property's name": (
        [line(tools=[tool("a", type="object", properties={"$ref": {"type": "string"}})])],
        "line 1, body.tools.0.function",
        "refuses properties named '$ref', and these answers would not have your name again",
    ),
    "nothing": ([b"", b" "], "file", "has no requests"),
}


@pytest.mark.parametrize(("lines", "where", "why"), REFUSED.values(), ids=REFUSED)
def test_a_line_that_kimi_refuses_is_refused_with_its_number(lines: list[bytes], where: str, why: str) -> None:
    """Lines are counted from 1, blank ones too."""
    _, notes = shaped(*lines)
    found = [note for note in notes if note.fatal]
    assert [note.where for note in found] == [where]
    assert why in found[0].why


def test_a_model_of_no_known_family_may_take_batches() -> None:
    """The list of models is data, and a later model may be in it."""
    assert shaped(line(model="kimi-k9"))[1] == ()
    assert [note.kind for note in shaped(line(model="kimi-k9", temperature=1))[1]] == ["temperature"]


def test_reading_stops_after_many_problems() -> None:
    """So that a file of another kind is not read to its end."""
    batch = BatchLines(shape)
    for number in range(1, MOST_PROBLEMS):
        batch.shaped(b"x", number)
    assert not batch.is_hopeless
    batch.shaped(b"x", MOST_PROBLEMS)
    assert batch.is_hopeless
