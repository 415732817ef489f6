"""instructor takes our client as it is: structured output and tools, sync and async."""

from __future__ import annotations

import pydantic
import pytest

from kimi_openai.emulator import Emulator, call, say, think
from tests.conftest import Mode

instructor = pytest.importorskip("instructor")
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


class Person(pydantic.BaseModel):
    """A person in a text."""

    name: str
    age: int | None = None


@pytest.mark.parametrize("way", ["TOOLS", "JSON", "JSON_SCHEMA"])
def test_structured_output(mode: Mode, kimi: Emulator, way: str) -> None:
    """The model is asked for a Person and a Person comes back, with thinking on."""
    if way == "TOOLS":
        kimi.script(think("a name"), call("Person", {"name": "Ada", "age": 36}))
    else:
        kimi.script(think("a name"), say('{"name": "Ada", "age": 36}'))
    client = instructor.from_openai(mode.client(kimi), mode=instructor.Mode[way])
    person = mode.run(
        client.chat.completions.create(
            model="kimi-k3", response_model=Person, messages=[{"role": "user", "content": "Ada is 36."}]
        )
    )
    assert isinstance(person, Person)
    assert (person.name, person.age) == ("Ada", 36)
    assert kimi.chats[-1]["model"] == "kimi-k3"
