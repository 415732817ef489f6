"""What a caller passes as plain dicts and lists: every form, copied, and nothing of the caller's changed."""

from __future__ import annotations

import copy
from collections import UserDict, deque
from types import MappingProxyType
from typing import Any

import openai
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.messages.plain import frozen

TEXT = {"type": "text", "text": "a"}


class Part(pydantic.BaseModel):
    type: str = "text"
    text: str = "a"
    extra: Any = None


class Answer(pydantic.BaseModel):
    role: str = "assistant"
    content: str = "ok"
    parsed: Any = None


FORMS = [
    pytest.param(lambda: (TEXT for _ in range(2)), [TEXT] * 2, id="a generator"),
    pytest.param(lambda: (TEXT,), [TEXT], id="a tuple"),
    pytest.param(lambda: deque([TEXT]), [TEXT], id="another collection"),
    pytest.param(lambda: {"a": TEXT}.values(), [TEXT], id="a view"),
    pytest.param(lambda: MappingProxyType(TEXT), TEXT, id="a mapping"),
    pytest.param(lambda: UserDict(a=UserDict(TEXT)), {"a": TEXT}, id="mappings inside"),
    pytest.param(lambda: Part(), {}, id="an object, nothing set"),
    pytest.param(lambda: Part(text="b"), {"text": "b"}, id="an object"),
    pytest.param(lambda: Answer(parsed=1), {"role": "assistant", "content": "ok"}, id="an answer"),
    pytest.param(lambda: Part.model_construct(extra=object), {"extra": object}, id="an object that JSON cannot hold"),
    pytest.param(lambda: {"a": openai.omit, "b": [openai.NOT_GIVEN, 1]}, {"b": [1]}, id="what is not given"),
    pytest.param(lambda: "ab", "ab", id="text"),
    pytest.param(lambda: b"ab", b"ab", id="bytes"),
    pytest.param(lambda: {1, 2}, {1, 2}, id="a set"),
]


@pytest.mark.parametrize(("make", "plain"), FORMS)
def test_every_form_becomes_plain(make: Any, plain: Any) -> None:
    """At the top and at every depth."""
    assert frozen(make()) == plain
    assert frozen([{"x": [make()]}]) == [{"x": [plain]}]


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=2), some, max_size=3),
)


@given(JSON)
def test_a_copy_shares_nothing_that_can_change(value: Any) -> None:
    """Changes of the caller's dicts and lists, at any depth, do not reach it."""
    before = copy.deepcopy(value)
    copied = frozen(value)
    _spoil(value)
    assert copied == before


def _spoil(value: Any) -> None:
    if isinstance(value, dict):
        for item in value.values():
            _spoil(item)
        value.clear()
    if isinstance(value, list):
        for item in value:
            _spoil(item)
        value.append("later")


def test_other_values_are_copied_if_they_can_be() -> None:
    """A set that changes later, and an object that refuses to be copied."""

    class Stubborn:
        def __deepcopy__(self, _: Any) -> Any:
            raise RuntimeError("no")

    chosen, stubborn = {1}, Stubborn()
    copied = frozen([chosen, stubborn])
    chosen.add(2)
    assert copied == [{1}, stubborn]
