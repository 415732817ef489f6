"""The commands inside of a conversation: what each changes in the next request, and what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kimi_openai.cli.conversation import Conversation
from kimi_openai.cli.slash import COMMANDS, help_text
from kimi_openai.emulator import bad_key, say, usage

from .conftest import PIXEL, Run, TerminalFile
from .test_talk import contents


def talk(run: Run, *lines: str, options: tuple[str, ...] = ()) -> str:
    """A conversation with these lines; what went to stderr."""
    code, _, errors = run("chat", *options, stdin=TerminalFile("\n".join(lines) + "\n"))
    assert code == 0
    assert "Traceback" not in errors
    return errors


def test_help_names_every_command(run: Run) -> None:
    """With what each takes."""
    errors = talk(run, "/help")
    for name, command in COMMANDS.items():
        assert f"/{name} {command.takes}".strip() in errors


def test_help_fits_the_terminal_and_has_the_keys_that_work(run: Run) -> None:
    """On a narrow one no word is cut; without prompt_toolkit Alt-Enter does nothing."""
    narrow = help_text(32)
    assert max(map(len, narrow.splitlines())) <= 32
    assert narrow.split() == help_text().split()
    assert "Alt-Enter" in narrow
    assert "Alt-Enter" not in talk(run, "/help")


def test_a_model_that_is_not_known_is_said_at_once(run: Run) -> None:
    """It is taken all the same: Kimi may have a new one."""
    assert "k2. (not known here; `kimi-openai models` lists " in talk(run, "/model k2.")
    assert "not known" not in talk(run, "/model k3")


def test_model_and_effort(run: Run) -> None:
    """They count from the next question on; a model that thinks in another way loses what it cannot do."""
    errors = talk(run, "/model", "/effort low", "one", "/effort medium", "two", "/model k2.6", "three", "/effort")
    one, two, three = run.kimi.chats
    assert (one["reasoning_effort"], two["reasoning_effort"]) == ("low", "low")
    assert (three["model"], "reasoning_effort" in three) == ("kimi-k2.6", False)
    assert "--effort is 'medium'" in errors
    assert "now as the model does by default" in errors


def test_the_system_text(run: Run) -> None:
    """It replaces the one before, and stays after /new."""
    talk(run, "/system Be brief.", "one", "/new", "/system Be long.", "two", options=("-s", "Be kind."))
    assert contents(run.kimi) == [["Be brief.", "one"], ["Be long.", "two"]]


def test_files_and_images_go_with_the_next_question(run: Run, tmp_path: Path) -> None:
    """Once; if it fails they go with the one after it. A missing file is a note."""
    (tmp_path / "a note.txt").write_text("Tuesday")
    (tmp_path / "dot.png").write_bytes(PIXEL)
    run.kimi.fail(bad_key(), path="/chat/completions")
    errors = talk(run, "/file a note.txt", "/image dot.png", "/image nothing.png", "/file", "lost", "When?", "And?")
    assert "nothing.png' does not exist" in errors
    assert "/file needs a PATH" in errors
    _, when, last = run.kimi.chats
    assert "Tuesday" in when["messages"][0]["content"]
    assert [part["type"] for part in when["messages"][1]["content"]] == ["image_url", "text"]
    assert [message["role"] for message in last["messages"]] == ["system", "user", "assistant", "user"]
    assert last["messages"][-1]["content"] == "And?"


def test_retry_asks_again_and_keeps_an_answer_if_there_is_no_new_one(run: Run) -> None:
    """The answer before is not in the request; a question that failed is asked again too."""
    assert "there is no question yet" in talk(run, "/retry")
    run.kimi.script(say("first"))
    run.kimi.script(say("second"))
    run.kimi.script(say("third"))
    talk(run, "one", "/retry", "two")
    assert contents(run.kimi) == [["one"], ["one"], ["one", "second", "two"]]
    run.kimi.fail(bad_key())
    talk(run, "a", "/retry")
    assert contents(run.kimi)[-2:] == [["a"], ["a"]]


def test_a_retry_that_fails_keeps_the_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next question stands below it."""
    asked = Conversation.retry

    def fails(conversation: Conversation, ask: Any) -> None:
        run.kimi.fail(bad_key())
        asked(conversation, ask)

    monkeypatch.setattr(Conversation, "retry", fails)
    run.kimi.script(say("first"))
    assert "401" in talk(run, "one", "/retry", "two")
    assert contents(run.kimi)[-1] == ["one", "first", "two"]


def test_cost(run: Run) -> None:
    """What the session has used, at the prices of the model."""
    run.kimi.script(say("x"), usage(prompt_tokens=1_000_000, completion_tokens=100_000))
    assert "answers: 1, 1,000,000 tokens in (0% from the cache), 100,000 out: $4.50" in talk(run, "one", "/cost")


def test_save(run: Run, tmp_path: Path) -> None:
    """As Markdown or JSON, never over a file that is there."""
    run.kimi.script(say("**two**"))
    errors = talk(run, "one", "/save talk.md", "/save talk.json", "/save talk.md", "/quit", "not read")
    assert (tmp_path / "talk.md").read_text() == "## You\n\none\n\n## Kimi\n\n**two**\n"
    assert [message["content"] for message in json.loads((tmp_path / "talk.json").read_text())] == ["one", "**two**"]
    assert "talk.md: File exists\n" in errors
    assert len(run.kimi.chats) == 1


def test_what_follows_a_command_that_takes_nothing_is_not_lost(run: Run) -> None:
    """It is neither run nor sent, and the note says how to send it."""
    errors = talk(run, "/new York?", "/nonsense", "/", " /new York?")
    assert errors.count("put a space before it") == 3
    assert contents(run.kimi) == [["/new York?"]]
