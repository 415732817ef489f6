"""What JSON does not have: the nearest value, a note for each, or an error that names the place."""

from __future__ import annotations

import array
import copy
import json
from collections import OrderedDict, UserDict, namedtuple
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from io import StringIO
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
import openai
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.compat.valid_json import valid_json
from kimi_openai.emulator import Emulator
from kimi_openai.errors.exceptions import CompatError, KimiCompatWarning, Note
from tests.conftest import Mode

HI: Any = [{"role": "user", "content": "Hi"}]


class Color(Enum):
    RED = "red"


class Role(str, Enum):
    USER = "user"


class Level(IntEnum):
    LOW = 1


@dataclass
class Point:
    x: int = 1
    tags: Any = field(default_factory=lambda: {"b", "a"})


Pair = namedtuple("Pair", "a b")


class Holder(pydantic.BaseModel):
    model_config = {"arbitrary_types_allowed": True}
    value: Any


NEAREST = [
    pytest.param(np.float32(0.5), 0.5, id="numpy float"),
    pytest.param(np.int64(3), 3, id="numpy int"),
    pytest.param(np.bool_(True), True, id="numpy bool"),
    pytest.param(np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]], id="numpy array"),
    pytest.param(np.array(3), 3, id="numpy array without dimensions"),
    pytest.param(np.array([Color.RED, None], dtype=object), ["red", None], id="numpy array of objects"),
    pytest.param(np.datetime64("2026-01-02T03:04:05.000000006"), "2026-01-02T03:04:05.000000006", id="numpy time"),
    pytest.param(array.array("i", [1, 2]), [1, 2], id="array"),
    pytest.param(Decimal("0.10"), 0.1, id="Decimal"),
    pytest.param(Decimal("12"), 12, id="whole Decimal"),
    pytest.param(Fraction(1, 4), 0.25, id="Fraction"),
    pytest.param(datetime(2026, 1, 2, 3, tzinfo=timezone.utc), "2026-01-02T03:00:00+00:00", id="datetime"),
    pytest.param(date(2026, 1, 2), "2026-01-02", id="date"),
    pytest.param(time(3, 4), "03:04:00", id="time"),
    pytest.param(timedelta(hours=1), "PT1H", id="timedelta"),
    pytest.param(UUID(int=1), "00000000-0000-0000-0000-000000000001", id="UUID"),
    pytest.param(PurePosixPath("/a"), "/a", id="path"),
    pytest.param("héllo".encode(), "héllo", id="bytes of text"),
    pytest.param(bytearray(b"a"), "a", id="bytearray"),
    pytest.param({"b", "a", "c"}, ["a", "b", "c"], id="set"),
    pytest.param(frozenset({2}), [2], id="frozenset"),
    pytest.param(Color.RED, "red", id="Enum"),
    pytest.param(Point(), {"x": 1, "tags": ["a", "b"]}, id="dataclass"),
    pytest.param("caf\udce9", "caf\ufffd", id="half a character"),
]

SILENT = [
    pytest.param(np.float64(0.5), 0.5, id="a float of numpy's"),
    pytest.param("\ud83d\ude00", "😀", id="two halves"),
    pytest.param(Role.USER, "user", id="an Enum of texts"),
    pytest.param(Level.LOW, 1, id="an Enum of numbers"),
    pytest.param(Pair(1, (2,)), [1, [2]], id="tuples"),
    pytest.param(OrderedDict(a=UserDict(b=1)), {"a": {"b": 1}}, id="mappings"),
    pytest.param(Holder(value=1), {"value": 1}, id="an object of pydantic's"),
    pytest.param((part for part in "ab"), ["a", "b"], id="a generator"),
    pytest.param({2: "a", None: "b"}, {2: "a", None: "b"}, id="keys that the encoder writes as text"),
]

NOT_NEAR = [
    pytest.param(float("nan"), "no nan", id="nan"),
    pytest.param(np.array([1.0, float("inf")]), "no inf", id="infinity in an array"),
    pytest.param(Decimal("NaN"), "no NaN", id="Decimal NaN"),
    pytest.param(b"\xff\xd8", "no bytes", id="bytes of an image"),
    pytest.param(object(), "no object", id="an object"),
    pytest.param(Holder, "no ModelMetaclass", id="a class"),
    pytest.param(Color, "no Enum", id="an Enum class"),
    pytest.param(print, "no builtin_function_or_method", id="a function"),
    pytest.param(StringIO("a"), "no StringIO", id="a file"),
]


@pytest.mark.parametrize(("value", "nearest"), NEAREST)
def test_the_nearest_value_is_sent(value: Any, nearest: Any) -> None:
    """With a note that names the place, alone and inside other values; what was passed stays as it is."""
    found, notes = valid_json({"a": [value], "b": value})
    assert json.dumps(found) == json.dumps({"a": [nearest], "b": nearest})
    assert {"a.0", "b"} <= {note.where for note in notes}
    assert not any(note.fatal for note in notes)


@pytest.mark.parametrize(("value", "sent"), SILENT)
def test_what_loses_nothing_has_no_note(value: Any, sent: Any) -> None:
    """As with the SDK, objects and iterables are converted."""
    assert valid_json({"a": value}) == ({"a": sent}, ())


@pytest.mark.parametrize(("value", "why"), NOT_NEAR)
def test_what_has_no_near_value_is_a_fatal_note(value: Any, why: str) -> None:
    """It names the place and what to send."""
    _, notes = valid_json({"messages": [{"content": value}]})
    (note,) = [note for note in notes if note.fatal]
    assert note.where.startswith("messages.0.content")
    assert why in note.why
    assert note.fix.startswith("send")


def test_an_object_may_hold_what_json_does_not_have() -> None:
    """Then its values are converted like others."""
    found, notes = valid_json({"a": Holder.model_construct(value=np.arange(2))})
    assert found == {"a": {"value": [0, 1]}}
    assert [note.where for note in notes] == ["a.value"]


def test_keys_become_text() -> None:
    """Those of types that the JSON encoder does not take."""
    found, notes = valid_json({"a": {Color.RED: 1, np.int64(7): 2, "caf\udce9": 3}})
    assert json.loads(json.dumps(found)) == {"a": {"red": 1, "7": 2, "caf\ufffd": 3}}
    assert {note.where for note in notes} == {"a"}


def test_what_holds_itself_is_a_fatal_note() -> None:
    """Also what is nested deeper than Python can follow."""
    loop: list[Any] = []
    loop.append(loop)
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for value in (loop, {"a": loop}, [Point(tags=loop)], deep):
        _, notes = valid_json(value, "body")
        assert [note.fatal for note in notes][-1:] == [True]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=2), some, max_size=3),
)
ODD = st.sampled_from([np.float32(1), {1}, b"a", Color.RED, Decimal(1), "\ud83d", (1,), object(), float("nan")])


@given(JSON)
def test_valid_json_is_not_copied(value: Any) -> None:
    """It is returned as it is."""
    found, notes = valid_json(value)
    assert found is value
    assert notes == ()


@given(st.recursive(ODD | st.none(), lambda some: st.lists(some) | st.dictionaries(st.text(max_size=2), some)))
def test_any_value_can_be_sent_or_is_refused(value: Any) -> None:
    """The result can be encoded, a second pass changes nothing, and the value is not changed."""
    before = repr(value)
    found, notes = valid_json(value)
    assert repr(value) == before
    if not any(note.fatal for note in notes):
        json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
        assert valid_json(found) == (found, ())


# By a client ----------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")
def test_a_request_is_sent_in_valid_json(mode: Mode, kimi: Emulator) -> None:
    """In messages and parameters, by `create` and `post`; each change is noted, and nothing of the caller's changes."""
    notes: list[Note] = []
    client = mode.client(kimi, on_note=notes.append)
    messages = [{"role": Role.USER, "content": [{"type": "text", "text": "caf\udce9"}]}]
    ask: dict[str, Any] = {"model": "kimi-k3", "messages": messages, "max_completion_tokens": np.int64(9)}
    before = copy.deepcopy(ask)
    with pytest.warns(KimiCompatWarning, match="U\\+FFFD"):
        mode.run(client.chat.completions.create(**ask, stop={"b", "a"}, extra_body={"x": np.arange(2)}))
    with pytest.warns(KimiCompatWarning, match="ndarray"):
        mode.run(client.post("/chat/completions", body={**ask, "stop": {"b", "a"}, "x": np.arange(2)}, cast_to=object))
    sent = {
        "model": "kimi-k3",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "caf\ufffd"}]}],
        "max_completion_tokens": 9,
        "stop": ["a", "b"],
        "x": [0, 1],
    }
    assert kimi.chats == [sent, sent]
    places = {"messages.0.content.0.text", "max_completion_tokens", "stop", "x"}
    assert {note.where for note in notes} == places
    assert ask == before


def test_rules_see_the_nearest_value(mode: Mode, kimi: Emulator) -> None:
    """A temperature of numpy's is left out if Kimi does not accept it, like any other."""
    for temperature in (np.float32(0.5), np.float32(1)):
        ask: Any = {"model": "kimi-k3", "messages": HI, "temperature": temperature}
        with pytest.warns(KimiCompatWarning):
            mode.run(mode.client(kimi).chat.completions.create(**ask))
    assert ["temperature" in chat for chat in kimi.chats] == [False, True]


def test_other_endpoints_get_valid_json_too(mode: Mode, kimi: Emulator) -> None:
    """Their bodies are not changed otherwise."""
    with pytest.warns(KimiCompatWarning), pytest.raises(openai.APIStatusError):
        mode.run(mode.client(kimi).post("/embeddings", body={"input": "\udce9", "temperature": 0.3}, cast_to=object))
    assert kimi.requests[-1].json == {"input": "\ufffd", "temperature": 0.3}


@pytest.mark.parametrize("how", ["strict", "adapt"])
def test_what_cannot_be_sent_is_an_error_before(mode: Mode, kimi: Emulator, how: str) -> None:
    """With strict, anything that JSON does not have."""
    value = b"\xff" if how == "adapt" else np.float32(1)
    client = mode.client(kimi, compat=how)
    messages: Any = [{"role": "user", "content": [value]}]
    with pytest.raises(CompatError, match=r"messages\.0\.content\.0"):
        mode.run(client.chat.completions.create(model="kimi-k3", messages=messages))
    assert kimi.requests == []


def test_off_leaves_the_body_to_the_sdk(mode: Mode, kimi: Emulator) -> None:
    """It raises what the SDK raises."""
    client = mode.client(kimi, compat="off")
    with pytest.raises(UnicodeEncodeError):
        mode.run(client.chat.completions.create(model="kimi-k3", messages=[{"role": "user", "content": "\udce9"}]))
    assert kimi.requests == []
