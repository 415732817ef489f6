"""instructor takes our clients as they are: structured output by each of its modes, parallel calls, partial objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pydantic
import pytest

from kimi_openai.emulator import Emulator, call, say, think
from tests.conftest import Mode

instructor = pytest.importorskip("instructor")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours

MESSAGES = [{"role": "user", "content": "Ada is 36, and it is 21 degrees in Paris."}]


class Person(pydantic.BaseModel):
    """A person in a text."""

    name: str
    age: int | None = None


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


def created(mode: Mode, kimi: Emulator, way: str, model: str = "kimi-k3", **options: Any) -> Any:
    """What instructor's create returns on our client."""
    client = instructor.from_openai(mode.client(kimi), mode=instructor.Mode[way])
    return mode.run(client.chat.completions.create(model=model, messages=MESSAGES, **options))


@pytest.mark.parametrize("way", ["TOOLS", "JSON", "JSON_SCHEMA"])
def test_structured_output(mode: Mode, kimi: Emulator, way: str) -> None:
    """The model is asked for a Person and a Person comes back, with thinking on."""
    if way == "TOOLS":
        kimi.script(think("a name"), call("Person", {"name": "Ada", "age": 36}))
    else:
        kimi.script(think("a name"), say('{"name": "Ada", "age": 36}'))
    person = created(mode, kimi, way, response_model=Person)
    assert isinstance(person, Person)  # of a subclass of instructor's
    assert (person.name, person.age) == ("Ada", 36)
    assert kimi.chats[-1]["model"] == "kimi-k3"


def test_two_tools_in_one_turn(mode: Mode, kimi: Emulator) -> None:
    """Both calls of an answer become objects."""
    kimi.script(think("two"), call("Person", {"name": "Ada"}), call("Weather", {"city": "Paris", "degrees": 21}))
    found = created(mode, kimi, "PARALLEL_TOOLS", response_model=Iterable[Person | Weather])
    assert list(found) == [Person(name="Ada"), Weather(city="Paris", degrees=21)]


@pytest.mark.parametrize("name", ["kimi-k3", "kimi-k2.6"])
def test_a_second_try(mode: Mode, kimi: Emulator, name: str) -> None:
    """An answer that does not fit goes back with its reasoning and with what is wrong."""
    kimi.script(think("a name"), call("Person", {"age": 36}))
    kimi.script(think("the name"), call("Person", {"name": "Ada", "age": 36}))
    person = created(mode, kimi, "TOOLS", model=name, response_model=Person, max_retries=2)
    assert (person.name, person.age) == ("Ada", 36)
    (first,) = [message for message in kimi.chats[-1]["messages"] if message["role"] == "assistant"]
    if "thinking" not in kimi.chats[-1]:
        assert first["reasoning_content"] == "a name"


def test_a_stream(mode: Mode, kimi: Emulator) -> None:
    """The object grows."""
    kimi.script(think("a name"), say('{"name": "Ada Lovelace", "age": 36}'))
    found = mode.each(created(mode, kimi, "JSON_SCHEMA", response_model=instructor.Partial[Person], stream=True))
    assert len(found) > 1
    assert (found[-1].name, found[-1].age) == ("Ada Lovelace", 36)


def test_structured_output_by_the_responses_api(mode: Mode, kimi: Emulator) -> None:
    """A forced tool beside a format of the same schema: only the tool is offered, and its call is found."""
    kimi.script(think("a name"), call("Person", {"name": "Ada", "age": 36}))
    client = instructor.from_openai(mode.client(kimi), mode=instructor.Mode.RESPONSES_TOOLS)
    messages = [{"role": "user", "content": "Ada is 36."}]
    person = mode.run(client.responses.create(model="kimi-k3", response_model=Person, input=messages))
    assert (person.name, person.age) == ("Ada", 36)
    assert kimi.responses[-1]["tool_choice"] == "auto"
    assert "format" not in kimi.responses[-1].get("text", {})
