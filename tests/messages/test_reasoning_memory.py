"""reasoning_memory.py: reasoning returns to the calls it came with, in their conversation, and to no others."""

from __future__ import annotations

import os
import pickle
from copy import deepcopy
from threading import Thread
from typing import Any

import pytest

from kimi_openai.messages.reasoning_memory import ReasoningMemory

QUESTION = {"role": "user", "content": "How is the weather in Paris?"}
IMAGE = {"type": "image_url", "image_url": {"url": "ms://1"}}
RESULT = {"role": "tool", "tool_call_id": "get_weather_0", "content": "sunny"}


def call(id: str = "get_weather_0", name: str = "get_weather", arguments: Any = '{"city":"Paris"}') -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def answer(*calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls or [call()]), **more}


def memory_with(*messages: Any, reasoning: str = "hm") -> ReasoningMemory:
    memory = ReasoningMemory()
    memory.remember(list(messages or [QUESTION]), [call()], reasoning)
    return memory


def last(memory: ReasoningMemory, *messages: Any, replace_empty: bool = False) -> Any:
    """What is remembered for the last message."""
    return memory.recalled(list(messages), replace_empty=lambda: replace_empty).get(len(messages) - 1)


SAME = [
    pytest.param([QUESTION, answer()], id="as it came"),
    pytest.param([QUESTION, answer(call(arguments='{ "city" : "Paris" }'))], id="arguments spelt anew"),
    pytest.param([QUESTION, answer(call(arguments={"city": "Paris"}))], id="arguments as an object"),
    pytest.param([{"role": "system", "content": ""}, QUESTION, answer()], id="an empty message more"),
    pytest.param([QUESTION, answer(content="I look.")], id="with its text"),
    pytest.param([{**QUESTION, "content": [{"type": "text", "text": QUESTION["content"]}]}, answer()], id="text parts"),
    pytest.param([{**QUESTION, "name": "Ann"}, answer({**call(), "index": 0})], id="fields added"),
    pytest.param([QUESTION, answer(call(id=f"call_{0:035x}"))], id="renumbered as OpenAI's"),
]


@pytest.mark.parametrize("messages", SAME)
def test_it_returns_to_the_same_calls(messages: list[Any]) -> None:
    """However a framework writes the messages anew. Nothing is changed in place."""
    before = deepcopy(messages)
    assert last(memory_with(), *messages) == "hm"
    assert messages == before


OTHERS = [
    pytest.param([QUESTION, answer(call(id="get_weather_1"))], id="another id"),
    pytest.param([QUESTION, answer(call(name="get_time"))], id="another name"),
    pytest.param([QUESTION, answer(call(arguments='{"city":"Rome"}'))], id="other arguments"),
    pytest.param([QUESTION, answer(call(), call(id="get_weather_1"))], id="one more call"),
    pytest.param([{"role": "user", "content": "And in Paris?"}, answer()], id="another question"),
    pytest.param([QUESTION, answer(), RESULT, answer()], id="after another result"),
    pytest.param([{"role": "system", "content": "Ann asks."}, QUESTION, answer()], id="another system message"),
    pytest.param([{"role": "user", "content": "I am Ann."}, QUESTION, answer()], id="another beginning"),
    pytest.param([QUESTION, answer({**call(), "id": None})], id="a call without an id"),
    pytest.param([{**QUESTION, "content": [QUESTION["content"], IMAGE]}, answer()], id="with an image"),
    pytest.param([QUESTION, {"role": "assistant", "content": "sunny"}], id="no calls"),
]


@pytest.mark.parametrize("messages", OTHERS)
def test_it_never_goes_to_other_calls(messages: list[Any]) -> None:
    """Other calls, or the same ones elsewhere: also in another conversation of the same program."""
    assert last(memory_with(), *messages) is None


@pytest.mark.parametrize("sent", ["mine", ""])
def test_what_the_caller_sends_stays(sent: str) -> None:
    """An empty text is replaced only where the model counts it as missing."""
    memory = memory_with()
    messages = [QUESTION, answer(reasoning_content=sent)]
    assert last(memory, *messages) is None
    assert last(memory, *messages, replace_empty=True) == (None if sent else "hm")


def test_the_last_one_counts() -> None:
    """The same calls to the same question again: what was received last."""
    memory = memory_with()
    memory.remember([QUESTION], [call()], "again")
    assert last(memory, QUESTION, answer()) == "again"
    assert len(memory) == 1
    memory.remember([QUESTION], [call()], None)
    assert last(memory, QUESTION, answer()) is None
    assert last(memory, QUESTION, answer(call(id=f"call_{0:035x}"))) is None
    assert (memory._bytes, memory._keys_without_ids) == (0, {})


def test_every_turn_gets_its_own() -> None:
    """Kimi repeats its ids from turn to turn; the calls before are part of the conversation."""
    memory = memory_with()
    later = [QUESTION, answer(), RESULT]
    memory.remember(later, [call()], "once more")
    assert memory.recalled([*later, answer(), RESULT]) == {1: "hm", 3: "once more"}
    assert memory.recalled([QUESTION, answer(reasoning_content="mine"), RESULT, answer()]) == {3: "once more"}


def test_it_is_bounded_in_number_and_size() -> None:
    """What was used least recently is forgotten first."""
    memory = ReasoningMemory(max_entries=2, max_bytes=10)
    for id in "ab":
        memory.remember([QUESTION], [call(id=id)], "1234")
    assert last(memory, QUESTION, answer(call(id="a"))) == "1234"
    memory.remember([QUESTION], [call(id="c")], "12")
    kept = [id for id in "abc" if last(memory, QUESTION, answer(call(id=id)))]
    assert kept == ["a", "c"]
    memory.remember([QUESTION], [call(id="d")], "\u4f60\u597d12")
    assert [id for id in "acd" if last(memory, QUESTION, answer(call(id=id)))] == ["c", "d"]
    memory.remember([QUESTION], [call(id="e")], "12345678901")
    assert len(memory) == 2


@pytest.mark.parametrize("odd", [None, 1, "text", {"role": "assistant", "tool_calls": 7}, {"role": "assistant"}])
def test_odd_messages_pass(odd: Any) -> None:
    """What is not a message is for Kimi to refuse."""
    messages = [odd, {"role": "assistant", "tool_calls": [None, {"function": 3}]}]
    memory = memory_with()
    assert memory.recalled(messages) == {}
    memory.remember(messages, messages[1]["tool_calls"], "hm")
    assert len(memory) == 1


def test_threads_share_it() -> None:
    """Many at once: the number of characters stays right."""
    memory = ReasoningMemory(max_entries=50)

    def work(thread: int) -> None:
        for number in range(200):
            memory.remember([QUESTION], [call(id=f"{thread}-{number}")], "x" * 10)
            memory.recalled([QUESTION, answer(call(id=f"{thread}-{number}"))])

    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(memory) == 50
    assert memory._bytes == 500


def test_a_copy_is_empty() -> None:
    """Reasoning does not leave the process, or the memory, with a copy of the options."""
    memory = memory_with()
    for copied in (deepcopy(memory), pickle.loads(pickle.dumps(memory))):
        assert len(copied) == 0
        copied.remember([QUESTION], [call()], "hm")
        assert last(copied, QUESTION, answer()) == "hm"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_can_use_it_whoever_held_the_lock() -> None:
    """A thread of the parent may hold it at the moment of the fork, and does not exist in the child."""
    memory = memory_with()
    with memory._lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if memory._lock.acquire(timeout=5) else 1)
    assert os.waitpid(child, 0)[1] == 0
