"""Conversations on disk: who may read them, how they go on, and what a damaged file does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.cli.console import Console
from kimi_openai.cli.conversation_log import ConversationLog, saved_from
from kimi_openai.emulator import bad_key, say

from .conftest import Run, TerminalFile


def files(state: Path) -> list[Path]:
    """The files of conversations."""
    return sorted((state / "conversations").glob("*.jsonl"))


@pytest.fixture
def at_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is there: stderr is a terminal, a dumb one."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("kimi_openai.cli.main.Console", lambda: Console(sys.stdout, TerminalFile()))


@pytest.mark.usefixtures("at_terminal")
def test_the_last_conversation_goes_on(run: Run, state_of_this_test: Path) -> None:
    """With its messages, its system text and its model, in the same file, which is for its owner only."""
    run("chat", "-m", "k3.1-pro", "-s", "Be brief.", "one")
    run.kimi.script(say("second"))
    run("chat", "-c", "two")
    (file,) = files(state_of_this_test)
    assert file.stat().st_mode & 0o777 == 0o600
    assert run.sent()["model"] == "kimi-k3.1-pro"
    system, first, answer, second = run.sent()["messages"]
    assert (system["content"], first["content"], second["content"]) == ("Be brief.", "one", "two")
    assert (answer["role"], "one" in answer["content"]) == ("assistant", True)
    run("chat", "-c", "-s", "Be long.", "-m", "k3", "three")
    assert run.sent()["messages"][0]["content"] == "Be long."
    assert (run.sent()["model"], len(run.sent()["messages"])) == ("kimi-k3", 6)
    run("chat", "another")
    assert len(files(state_of_this_test)) == 2


@pytest.mark.usefixtures("at_terminal")
def test_no_log_and_errors_leave_nothing(run: Run, state_of_this_test: Path) -> None:
    """And -c without a conversation is wrong usage."""
    assert run("chat", "--no-log", "one")[0] == 0
    run.kimi.fail(bad_key())
    run("chat", "two")
    assert files(state_of_this_test) == []
    code, _, _ = run("chat", "-c", "three")
    assert code == 2


def test_a_script_leaves_nothing(run: Run, state_of_this_test: Path) -> None:
    """Without a terminal nobody asked for a log, but -c does."""
    run("chat", "one")
    assert not state_of_this_test.exists()
    ConversationLog().write([{"role": "user", "content": "q"}], model="kimi-k3", system=None)
    run("chat", "-c", "two")
    assert [message["content"] for message in run.sent()["messages"]] == ["q", "two"]
    assert len(saved_from(files(state_of_this_test)[0].read_text().splitlines()).messages) == 3


MESSAGES = st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": st.text(max_size=3)}), max_size=5)


@given(st.lists(MESSAGES, max_size=4))
def test_what_was_written_last_is_read(states: list[list[dict[str, Any]]]) -> None:
    """Also if messages were taken back between two answers, and lone surrogates are in them."""
    lines: list[str] = []

    class Memory(ConversationLog):
        def _append(self, record: bytes) -> None:
            lines.append(record.decode("ascii"))

    log = Memory()
    for state in states:
        log.write(state, model="kimi-k3", system=None)
    assert saved_from(lines).messages == (states[-1] if states else [])


def test_a_cut_line_is_left_out_and_the_file_goes_on() -> None:
    """The next line does not stick to it."""
    log = ConversationLog()
    log.write([{"role": "user", "content": "one"}], model="kimi-k3", system=None)
    assert log.path
    with log.path.open("a") as file:
        file.write('{"keep": 1, "mess')
    again = ConversationLog(log.path)
    again.write([*again.saved.messages, {"role": "user", "content": "two"}], model="kimi-k3", system=None)
    assert [message["content"] for message in ConversationLog(log.path).saved.messages] == ["one", "two"]
    assert saved_from(["[]", "1", json.dumps({"messages": [1]}), json.dumps({"messages": 1})]).messages == []
