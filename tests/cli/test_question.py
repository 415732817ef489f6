"""The question: words, stdin, templates, and bytes that are no text."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.cli.question import decoded, question_from
from kimi_openai.emulator import Emulator

from .conftest import TIMEOUT, Run, TerminalFile, environment
from .terminal import on_terminal


def test_a_question_comes_from_words_and_stdin() -> None:
    """A pipe stands below the words, with and without `-`; a terminal without words is a conversation."""
    assert question_from(["Hi", "there"], io.StringIO("")) == "Hi there"
    assert question_from(["Hi", "there"], TerminalFile("unread")) == "Hi there"
    assert question_from([], io.StringIO("from a pipe\n")) == "from a pipe"
    assert question_from(["Review:"], io.StringIO("diff")) == "Review:\n\ndiff"
    assert question_from(["Review:", "-"], io.StringIO("diff")) == "Review:\n\ndiff"
    assert question_from(["Review:", "-"], TerminalFile("typed")) == "Review:\n\ntyped"
    assert question_from(["-"], io.StringIO("diff")) == "diff"
    assert question_from([], TerminalFile()) is None
    with pytest.raises(ValueError, match="empty"):
        question_from([], io.StringIO(" \n"))


@pytest.mark.parametrize(
    ("template", "words", "stdin", "question"),
    [
        ("As {language}: {question}", ["Hi"], "", "As {language}: Hi"),
        ("{stdin}\n---\n{question}", ["Why?"], "{question}", "{question}\n---\nWhy?"),
        ("Review:\n", ["soon"], "diff", "Review:\n\nsoon\n\ndiff"),
        ("Tell a joke", [], None, "Tell a joke"),
    ],
)
def test_a_template(template: str, words: list[str], stdin: str | None, question: str) -> None:
    """It has places for both, or stands above them; other braces are text, and stdin's own stay."""
    file = TerminalFile() if stdin is None else io.StringIO(stdin)
    assert question_from(words, file, template=template) == question


@pytest.mark.parametrize(("template", "what"), [("{question}!", "write the question"), ("{stdin}!", "nothing came")])
def test_a_template_without_what_it_needs_is_wrong_usage(run: Run, tmp_path: Path, template: str, what: str) -> None:
    """Nothing is sent."""
    (tmp_path / "t.txt").write_text(template)
    code, out, errors = run("chat", "--template", "t.txt")
    assert (code, out, what in errors, run.kimi.chats) == (2, "", True, [])


@pytest.mark.parametrize(
    ("sent", "question", "note"),
    [
        (b"caf\xe9 \xff\x00", "caf\ufffd \ufffd\x00", "2 characters cannot be decoded"),
        ("é".encode("utf-16"), "é", ""),
        (b"\xef\xbb\xbfplain", "plain", ""),
        (bytes(range(256)), None, "cannot be decoded"),
    ],
)
def test_any_bytes_are_taken_from_stdin(run: Run, sent: bytes, question: str | None, note: str) -> None:
    """What is not UTF-8 is told; a byte order mark and NUL are no problem."""
    code, _, errors = run("chat", "Summarise", stdin=io.TextIOWrapper(io.BytesIO(sent), "utf-8"))
    assert code == 0, errors
    assert note in errors if note else errors == ""
    if question is not None:
        assert run.sent()["messages"][0]["content"] == f"Summarise\n\n{question}"


def test_bytes_of_a_real_pipe(kimi: Emulator) -> None:
    """In a process of its own, whose stdin Python opens in the encoding of the locale."""
    done = subprocess.run(
        [sys.executable, "-m", "kimi_openai", "chat", "Summarise"],
        input=b"caf\xe9",
        capture_output=True,
        timeout=TIMEOUT,
        env=environment(kimi, LC_ALL="C"),
    )
    assert done.returncode == 0, done.stderr
    assert kimi.chats[-1]["messages"][0]["content"] == "Summarise\n\ncaf\ufffd"


def test_a_pipe_into_a_terminal(kimi: Emulator) -> None:
    """`cat x | kimi-openai chat "Summarise"` with the answer on a terminal."""
    with on_terminal(kimi, "chat", "Summarise", stdin="printf 'a\\nb'") as terminal:
        terminal.rest()
    assert terminal.process.exitcode == 0
    assert kimi.chats[-1]["messages"][0]["content"] == "Summarise\n\na\nb"


def test_a_silent_pipe_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program whose parent keeps its stdin open would wait for ever: the note says what for."""
    monkeypatch.setattr("kimi_openai.cli.question.PATIENCE", 0.0)
    notes: list[str] = []

    class Silent(io.StringIO):
        def read(self, _: int | None = -1, /) -> str:
            while not notes:
                pass
            return "at last"

    assert question_from(["Hi"], Silent(), note=notes.append) == "Hi\n\nat last"
    assert "< /dev/null" in notes[0]


@given(st.binary(max_size=40))
def test_decoding_never_fails_and_counts_what_is_lost(content: bytes) -> None:
    """Nothing is lost exactly if the bytes are text."""
    text, lost = decoded(content)
    assert (lost > 0) <= ("\ufffd" in text)
    if not content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            assert (content.decode(), 0) == (text, lost)
        except UnicodeDecodeError:
            assert lost > 0
