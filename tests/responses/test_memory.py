"""memory.py: what is remembered, in which bounds, in a file too, and that its errors are clear."""

from __future__ import annotations

import gc
import sqlite3
import stat
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest

from kimi_openai import ResponseMemory, SettingsError
from kimi_openai.responses.memory import ForgottenError

from .shapes import message, response


def turn(id: str, text: str = "yes") -> dict[str, Any]:
    return response(message(text, f"msg_{id}"), id=id)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


@pytest.fixture(params=["in memory", "in a file"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> ResponseMemory:
    """One of each kind, with place for three."""
    path = tmp_path / "memory.sqlite" if request.param == "in a file" else None
    return ResponseMemory(path, max_responses=3)


def test_a_chain_of_responses(memory: ResponseMemory) -> None:
    """The history has the input and the output of each, oldest first; the input of one has no output of its own."""
    memory.remember(turn("a"), [user("1")])
    memory.remember(turn("b"), [user("2")], previous="a")
    assert memory.input_items("b") == [user("1"), message("yes", "msg_a"), user("2")]
    assert memory.history("b") == [*memory.input_items("b"), message("yes", "msg_b")]
    assert memory.response("a") == turn("a")
    assert memory.response("x") is None


def test_the_least_used_is_forgotten_first(memory: ResponseMemory) -> None:
    """What a response continues counts as used with it, so a chain in use is kept whole."""
    memory.remember(turn("a"), [user("1")])
    memory.remember(turn("b"), [user("2")])
    memory.remember(turn("c"), [user("3")], previous="a")
    memory.history("c")
    memory.remember(turn("d"), [user("4")], previous="c")
    assert len(memory) == 3
    assert memory.response("b") is None
    assert len(memory.history("d")) == 6
    memory.remember(turn("e"), [user("5")])
    with pytest.raises(ForgottenError) as raised:
        memory.history("d")
    assert raised.value.id in ("a", "c")


def test_the_bytes_are_bounded_too() -> None:
    """The newest stays, however large it is."""
    memory = ResponseMemory(max_bytes=3000)
    for id in "abc":
        memory.remember(turn(id, "x" * 1000), [user(id)])
    assert memory.response("a") is None
    assert memory.response("c") is not None
    memory.remember(turn("d", "x" * 9000), [user("d")])
    assert len(memory) == 1


def test_a_conversation(memory: ResponseMemory) -> None:
    """Its items grow with each response, and all have ids."""
    id = memory.new_conversation([user("I am Ann")], {"topic": "names"})["id"]
    memory.remember(turn("a"), [user("Hi")], conversation=id)
    items = memory.conversation_items(id)
    assert [item.get("content") for item in items[:2]] == ["I am Ann", "Hi"]
    assert all(item["id"] for item in items)
    (added,) = memory.change_conversation(id, add=[user("Bye")], metadata={"topic": "byes"})
    assert memory.conversation(id)["metadata"] == {"topic": "byes"}
    memory.change_conversation(id, remove=added["id"])
    assert memory.conversation_items(id) == items
    assert memory.forget(id)
    assert not memory.forget(id)
    for ask in (memory.conversation, memory.conversation_items, memory.change_conversation):
        with pytest.raises(ForgottenError):
            ask(id)
    with pytest.raises(ForgottenError):
        memory.remember(turn("b"), [], conversation=id)
    assert memory.response("b") is None  # all or nothing


def test_an_item_is_found_by_its_id(memory: ResponseMemory) -> None:
    """In the output of a response, in its input, and in a conversation."""
    memory.remember(turn("a"), [{**user("1"), "id": "in_1"}])
    memory.new_conversation([{**user("2"), "id": "in_2"}])
    assert memory.find_item("msg_a") == message("yes", "msg_a")
    assert memory.find_item("in_1") == {**user("1"), "id": "in_1"}
    assert memory.find_item("in_2")
    assert memory.find_item("a") is None


def test_a_file_outlives_the_memory(tmp_path: Path) -> None:
    """Only its owner can read it; two memories of one file see each other's."""
    path = tmp_path / "memory.sqlite"
    first = ResponseMemory(path)
    first.remember(turn("a"), [user("1")])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    second = ResponseMemory(str(path))
    second.remember(turn("b"), [user("2")], previous="a")
    assert len(first.history("b")) == 4
    first.close()
    assert first.response("a") is not None  # it is opened again


def test_threads_share_it(memory: ResponseMemory) -> None:
    """All of what they remember is there, up to the bound."""
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(20):
                memory.remember(turn(f"{name}{number}"), [user("1")])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(memory) == 3


def test_files_that_cannot_be_a_memory(tmp_path: Path) -> None:
    """Each is an error that names the file, when the memory is made."""
    text = tmp_path / "text"
    text.write_text("This is not a database, and long enough to be seen as one." * 20)
    for path in (text, tmp_path, tmp_path / "no" / "folder"):
        with pytest.raises(SettingsError, match=path.name):
            ResponseMemory(path)
    with pytest.raises(SettingsError, match="max_responses"):
        ResponseMemory(max_responses=0)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """The connections that are opened in a test."""
    connections: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def recorded(*args: Any, **options: Any) -> sqlite3.Connection:
        connections.append(connect(*args, **options))
        return connections[-1]

    monkeypatch.setattr(sqlite3, "connect", recorded)
    return connections


def is_closed(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return True
    return False


@pytest.mark.parametrize("name", [None, "memory.sqlite"])
def test_a_memory_that_nobody_holds_is_closed(
    name: str | None, tmp_path: Path, opened: list[sqlite3.Connection]
) -> None:
    """Python 3.13 warns of a database that is collected while it is open; no connection is left open."""
    memory = ResponseMemory(name and tmp_path / name)
    memory.remember(turn("a"), [user("1")])
    assert [is_closed(each) for each in opened] == [False]
    gone = weakref.ref(memory)
    del memory
    gc.collect()
    assert gone() is None
    assert [is_closed(each) for each in opened] == [True]


def test_a_file_that_cannot_be_a_memory_is_closed(tmp_path: Path, opened: list[sqlite3.Connection]) -> None:
    """At once, so that it can be moved away."""
    path = tmp_path / "text"
    path.write_text("no database, but long enough to be read as one" * 100)
    with pytest.raises(SettingsError) as raised:
        ResponseMemory(path).remember(turn("a"), [user("1")])
    assert str(path) in str(raised.value)
    assert [is_closed(each) for each in opened] == [True]
