"""The commands, as typed into a terminal."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kimi_openai import create_client
from kimi_openai.__main__ import main
from kimi_openai.chatting import question_from, remembered
from kimi_openai.commands import counted_messages, exports
from kimi_openai.demo import EXAMPLES
from kimi_openai.emulator import (
    Emulator,
    cut,
    error,
    finish,
    garbage,
    out_of_quota,
    pause,
    rate_limited,
    reset,
    say,
    think,
)
from kimi_openai.events import Event
from kimi_openai.replies import Reply
from kimi_openai.screen import Screen
from kimi_openai.settings import resolve
from kimi_openai.streaming import ChatStream
from kimi_openai.waits import instant

ROOT = str(Path(__file__).parent.parent)

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Keyboard(io.StringIO):
    """A stdin that is a terminal."""

    def isatty(self) -> bool:
        return True


class Run:
    """`run(...)` runs a command in this process, against the emulator: its exit code, stdout and stderr."""

    def __init__(self, kimi: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.kimi, self._capsys, self._patch = kimi, capsys, monkeypatch
        monkeypatch.setenv("MOONSHOT_BASE_URL", kimi.base_url)
        monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)

    def __call__(self, *arguments: str, stdin: str | io.StringIO = "") -> tuple[int, str, str]:
        self._patch.setattr(sys, "stdin", io.StringIO(stdin) if isinstance(stdin, str) else stdin)
        self._capsys.readouterr()
        code = main(arguments)
        return code, *self._capsys.readouterr()

    def sent(self) -> Any:
        """The body of the last chat request."""
        return self.kimi.chats[-1]


@pytest.fixture
def run(kimi: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Commands in this process."""
    return Run(kimi, capsys, monkeypatch)


def command(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """What `python -m kimi_openai` does with these arguments and variables."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "kimi_openai", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": ROOT, **environ},
    )


def test_the_demo_without_a_key_says_so_first() -> None:
    """It starts the emulator, shows every example with its result, and ends well."""
    done = command("demo")
    assert (done.returncode, done.stderr) == (0, "")
    first, *_ = done.stdout.splitlines()
    assert first.startswith("No key found")
    assert "emulator" in first
    for number in range(1, len(EXAMPLES) + 1):
        assert f"\n{number}. " in done.stdout
    assert "Dear customer," in done.stdout.split("3. ")[1].split("print(join_partial")[1]


def test_the_demo_with_a_key_speaks_to_the_service(kimi: Emulator) -> None:
    """Its first line says where, and the requests arrive there."""
    done = command("demo", MOONSHOT_API_KEY=kimi.api_key, MOONSHOT_BASE_URL=kimi.base_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"This is Kimi at {kimi.base_url}")
    assert {request.path for request in kimi.requests} >= {"/v1/chat/completions", "/v1/users/me/balance", "/v1/files"}


def test_exit_codes_tell_whose_fault(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """1: the service said no; 2: wrong usage. In words, without a traceback."""
    wrong_key = command("demo", MOONSHOT_API_KEY="sk-wrong")
    assert (wrong_key.returncode, "401" in wrong_key.stderr, "Traceback" in wrong_key.stderr) == (1, True, False)
    assert run()[0] == 2
    monkeypatch.setenv("MOONSHOT_API_KEY", "sk wrong")
    code, out, errors = run("demo")
    assert (code, out, "white space" in errors) == (2, "", True)


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent as a signal")
def test_the_emulator_command_serves_until_ctrl_c() -> None:
    """It prints the variables to export, answers, and ends cleanly."""
    with subprocess.Popen(
        [sys.executable, "-m", "kimi_openai", "emulator", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    ) as process:
        assert process.stdout
        lines = [process.stdout.readline().strip() for _ in range(2)]
        settings = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        with create_client(base_url=settings["MOONSHOT_BASE_URL"], api_key=settings["MOONSHOT_API_KEY"]) as client:
            assert client.models.list().data
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_a_port_that_is_taken_is_said_in_words(kimi: Emulator) -> None:
    """Wrong usage, and the way out."""
    done = command("emulator", "--port", str(kimi.port))
    assert done.returncode == 2
    assert "choose another with --port" in done.stderr


def test_chat_prints_the_answer_and_nothing_else(run: Run) -> None:
    """One shot from words: the answer on stdout, with a newline at its end; no reasoning in a pipe."""
    run.kimi.script(think("hm"), say("2"))
    assert run("chat", "What", "is", "1+1?", "--system", "Be brief.", "--effort", "low") == (0, "2\n", "")
    assert run.sent()["reasoning_effort"] == "low"
    assert run.sent()["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is 1+1?"},
    ]
    run.kimi.script(say("ends itself\n"))
    assert run("chat", "Hi")[1] == "ends itself\n"


def test_a_question_comes_from_words_or_stdin() -> None:
    """`-` puts stdin below the words; a terminal without words is a conversation; stdin is not read unasked."""
    assert question_from(["Hi", "there"], io.StringIO("unread")) == "Hi there"
    assert question_from([], io.StringIO("from a pipe\n")) == "from a pipe"
    assert question_from(["Review:", "-"], io.StringIO("diff")) == "Review:\n\ndiff"
    assert question_from(["-"], io.StringIO("diff")) == "diff"
    assert question_from([], Keyboard()) is None
    with pytest.raises(ValueError, match="empty"):
        question_from([], io.StringIO(" \n"))


def test_chat_with_a_document_and_an_image(run: Run, tmp_path: Path) -> None:
    """The document's text is a system message before the system text, the image a part; the copy is deleted."""
    (tmp_path / "note.txt").write_text("The meeting is on Tuesday.")
    (tmp_path / "dot.png").write_bytes(PIXEL)
    code, _, errors = run("chat", "--file", "note.txt", "--image", "dot.png", "--system", "S", "When?")
    assert (code, errors) == (0, "")
    document, system, user = run.sent()["messages"]
    assert "Tuesday" in document["content"]
    assert (document["role"], system["content"]) == ("system", "S")
    assert [part["type"] for part in user["content"]] == ["image_url", "text"]
    assert run("files", "list", "--json")[1] == "[]\n"


def test_chat_with_a_video(run: Run) -> None:
    """As data, or by the reference of an upload."""
    assert run("chat", "--video", "ms://file_1", "What happens?")[0] in (0, 1)
    assert run.sent()["messages"][0]["content"][0] == {"type": "video_url", "video_url": {"url": "ms://file_1"}}


def test_chat_as_json(run: Run) -> None:
    """One object with text, reasoning and usage, the exact text in it."""
    run.kimi.script(think("hm"), say("red \x1b[31m \x9b 你好"))
    code, out, errors = run("chat", "--json", "Hi")
    answer = json.loads(out)
    assert (code, errors, out.count("\n")) == (0, "", 1)
    assert (answer["text"], answer["reasoning"]) == ("red \x1b[31m \x9b 你好", "hm")
    assert answer["usage"]["total_tokens"] > 0
    assert (answer["finish_reason"], answer["model"]) == ("stop", "kimi-k3")
    assert "你好" in out
    assert "\x9b" not in out


def test_chat_as_raw_chunks(run: Run) -> None:
    """The wire, one JSON a line; an answer that is cut is 1, in words."""
    run.kimi.script(think("hm"), say("ok \x9b"))
    code, out, _ = run("chat", "--raw", "Hi")
    chunks = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert "\x9b" not in out
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == "ok \x9b"
    run.kimi.script(say("half"), cut())
    code, out, errors = run("chat", "--raw", "Hi")
    assert (code, "half" in out, "cut" in errors) == (1, True, True)


def test_a_cut_answer_goes_on(run: Run) -> None:
    """A connection that breaks is no news for a reader: `stream` resumes."""
    run.kimi.script(say("one, two"), cut())
    run.kimi.script(say(", three"))
    assert run("chat", "Count") == (0, "one, two, three\n", "")


def test_a_thought_after_a_break_does_not_cut_the_text_apart(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model may reason once more before it goes on; on a terminal that would stand in the middle of a word."""
    monkeypatch.setattr("kimi_openai.__main__.Screen", lambda: Screen(sys.stdout, Keyboard()))
    aside: list[str] = []
    monkeypatch.setattr(Screen, "aside", lambda _, piece: aside.append(piece))
    run.kimi.script(say("one, "), cut())
    run.kimi.script(think("on I go"), say("one, two"))
    assert run("chat", "Count")[1] == "one, two\n"
    assert aside == []


def test_a_pipe_gets_no_second_answer(run: Run) -> None:
    """Where the rest is refused the answer would start over, which is for those who can forget: it is an error."""
    for form, code in (([], 1), (["--json"], 0)):
        run.kimi.script(say("one, two"), cut())
        run.kimi.script(error("no partial here", type="invalid_request_error", status=400))
        run.kimi.script(say("anew"))
        found, out, _ = run("chat", *form, "Count")
        assert (found, json.loads(out)["text"] if form else out) == (code, "anew" if form else "one, two\n")
        run.kimi.clear()


def test_a_long_wait_is_named(run: Run) -> None:
    """Why, and how long, on stderr; what is over at once is not."""
    with instant():
        run.kimi.fail(rate_limited(retry_after=7), reset())
        code, out, errors = run("chat", "Hi")
    assert (code, "Hi" in out) == (0, True)
    assert re.fullmatch(r"rate limit: asking again in [78] s\n", errors)


def test_hostile_answers_in_a_pipe(run: Run) -> None:
    """No escape reaches the end of a pipe, which may be a terminal; nor by an error's or a file's text."""
    run.kimi.script(say("\x1b]0;owned\x07\x1b[2Jhi\r\n\x9b1m\x08"))
    assert run("chat", "Hi")[1] == "\\x1b]0;owned\\x07\\x1b[2Jhi\n\\x9b1m\\x08\n"
    run.kimi.fail(garbage("\x1b[2J"))
    assert "\x1b" not in "".join(map(str, run("chat", "--raw", "Hi")))
    run.kimi.script(say("a\x1b[2J"))
    assert "\x1b" not in run("demo")[1]


def test_endings_other_than_stop_are_said(run: Run) -> None:
    """A full budget is fine and said; a filter is the service's no."""
    run.kimi.script(say("half"), finish("length"))
    code, out, errors = run("chat", "Hi")
    assert (code, out, "budget" in errors) == (0, "half\n", True)
    run.kimi.script(say("half"), finish("content_filter"))
    assert run("chat", "Hi")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chat", "--no-thinking", "Hi"], "always thinking"),
        (["chat", "--effort", "medium", "Hi"], "'high'"),
        (["chat", "--image", "nothing.png", "Hi"], "does not exist"),
        (["chat", "--file", "nothing.pdf", "Hi"], "does not exist"),
        (["chat", "--json", "--raw", "Hi"], "not allowed"),
        (["chat"], "empty"),
        (["tokens", "--messages", "{"], "not JSON"),
        (["tokens", "--messages", "[1]"], "neither"),
        (["tokens", "Hi", "--file", "x"], "not both"),
        (["files", "upload", "nothing.txt"], "does not exist"),
        (["files", "delete", "file_1"], "--yes"),
        (["nonsense"], "invalid choice"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_2_in_words(run: Run, arguments: list[str], words: str) -> None:
    """Nothing on stdout, what to do on stderr, and no question is asked of the model."""
    code, out, errors = run(*arguments)
    assert (code, out) == (2, "")
    assert words in errors
    assert run.kimi.chats == []


def test_the_services_no_is_1(run: Run) -> None:
    """With the words of the error, which say whose side it is."""
    run.kimi.fail(out_of_quota())
    code, out, errors = run("chat", "Hi")
    assert (code, out) == (1, "")
    assert "exceeded_current_quota_error" in errors
    assert run("files", "delete", "--yes", "file_nothing")[0] == 1
    assert run("chat", "--model", "kimi-none", "Hi")[0] == 1


def test_what_is_changed_for_kimi_is_a_note(run: Run) -> None:
    """A line on stderr, not Python's form of a warning, whatever its filters are."""
    code, _, errors = run("chat", "--model", "kimi-k2.5", "Hi")
    assert code == 0
    assert errors.startswith("changed for Kimi: model: sent as 'kimi-k3'")
    assert len(errors.splitlines()) == 1


def test_balance_and_models(run: Run) -> None:
    """Tables for humans, JSON for machines."""
    code, out, _ = run("balance")
    assert code == 0
    assert out.splitlines()[0].split()[:2] == ["available", str(run.kimi.balance)]
    assert json.loads(run("balance", "--json")[1])["available"] == str(run.kimi.balance)
    out = run("models")[1]
    assert next(line.split() for line in out.splitlines() if line.startswith("kimi-k3 "))[1:5] == [
        "1048576",
        "yes",
        "yes",
        "low/high/max",
    ]
    assert {model["id"] for model in json.loads(run("models", "--json")[1])} >= {"kimi-k3"}
    run.kimi.balance = 0
    assert "topped up" in run("balance")[2]


def test_tokens_of_words_stdin_files_and_messages(run: Run, tmp_path: Path) -> None:
    """The same text costs the same from everywhere; the number alone is printed."""
    text = "How many tokens is this?"
    (tmp_path / "text.txt").write_text(text)
    body = json.dumps({"messages": [{"role": "user", "content": text}]})
    runs = [
        run("tokens", *text.split()),
        run("tokens", stdin=text),
        run("tokens", "--file", "text.txt"),
        run("tokens", "--messages", stdin=body),
    ]
    assert {(code, errors) for code, _, errors in runs} == {(0, "")}
    assert len({int(out) for _, out, _ in runs}) == 1
    assert counted_messages("[]") == []
    (tmp_path / "binary.pdf").write_bytes(b"%PDF\xff\xfe")
    assert "files extract" in run("tokens", "--file", "binary.pdf")[2]


def test_files_are_uploaded_listed_extracted_and_deleted(run: Run, tmp_path: Path) -> None:
    """Ids on stdout, for the next command; an upload says what it is for."""
    (tmp_path / "note.txt").write_text("The text.")
    (tmp_path / "dot.png").write_bytes(PIXEL)
    code, note, errors = run("files", "upload", "note.txt")
    assert (code, errors) == (0, "")
    code, picture, errors = run("files", "upload", "dot.png")
    assert f"ms://{picture.strip()}" in errors
    listed = {file["id"]: (file["purpose"], file["bytes"]) for file in json.loads(run("files", "list", "--json")[1])}
    assert listed == {note.strip(): ("file-extract", 9), picture.strip(): ("image", len(PIXEL))}
    assert "note.txt" in run("files", "list")[1]
    assert "The text." in run("files", "extract", "note.txt")[1]
    code, out, errors = run("files", "delete", note.strip(), stdin=Keyboard("n\n"))
    assert (code, out, "nothing was deleted" in errors) == (0, "", True)
    code, out, errors = run("files", "delete", note.strip(), stdin=Keyboard("y\n"))
    assert (code, out) == (0, note)
    assert run("files", "delete", "--yes", picture.strip())[:2] == (0, picture)
    assert json.loads(run("files", "list", "--json")[1]) == []


def test_an_upload_is_sent_whole_again(run: Run, tmp_path: Path) -> None:
    """What counts the bytes for the progress bar is rewound for the next attempt."""
    (tmp_path / "note.txt").write_text("The text.")
    run.kimi.fail(*[out_of_quota(503)])
    code, _, errors = run("files", "upload", "note.txt")
    assert (code, errors) == (0, "")
    first, second = [request.body for request in run.kimi.requests if request.method == "POST"]
    assert b"The text." in first
    assert b"The text." in second


def test_env_points_an_openai_program_at_kimi(kimi: Emulator, tmp_path: Path) -> None:
    """Evaluated by a shell, with the key in the environment or in `.env`; printed, it has no key in it."""
    script = (
        f'printed=$("{sys.executable}" -m kimi_openai env); echo "$printed"; eval "$printed"; '
        'echo "$OPENAI_API_KEY $OPENAI_BASE_URL ${OPENAI_ORG_ID-unset}"'
    )
    clean = {**os.environ, "PYTHONPATH": ROOT, "OPENAI_ORG_ID": "org", "MOONSHOT_BASE_URL": kimi.base_url}
    (tmp_path / ".env").write_text("KIMI_API_KEY=sk-from-file'\"$x\n")
    for key, environ in (("sk-$HOME'x", {**clean, "MOONSHOT_API_KEY": "sk-$HOME'x"}), ("sk-from-file'\"$x", clean)):
        done = subprocess.run(
            ["sh", "-c", script], capture_output=True, text=True, env=environ, cwd=tmp_path, timeout=60
        )
        *printed, result = done.stdout.splitlines()
        assert (done.stderr, result) == ("", f"{key} {kimi.base_url} unset")
        assert key not in "".join(printed)


def test_exports_are_quoted() -> None:
    """A base URL is a word to the shell, whatever is in it."""
    settings = resolve(api_key="sk-1", base_url="https://proxy.example/$(id)/v1", env_file=None, environ={})
    line, *_ = exports(settings, {})
    assert shlex.split(line) == ["export", "OPENAI_BASE_URL=https://proxy.example/$(id)/v1"]


@pytest.mark.parametrize("arguments", [["demo"], ["chat", "Hi"]], ids=" ".join)
def test_a_pipe_that_closes_early_is_no_traceback(arguments: list[str]) -> None:
    """The reader has had enough, and that is fine."""
    with Emulator(token_delay=0.01) as kimi:
        kimi.script(say("line\n" * 500))
        environ = {"MOONSHOT_API_KEY": kimi.api_key, "MOONSHOT_BASE_URL": kimi.base_url}
        with subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "kimi_openai", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": ROOT, **environ},
        ) as process:
            assert process.stdout
            assert process.stderr
            assert process.stdout.readline()
            process.stdout.close()
            assert (process.stderr.read(), process.wait(timeout=20)) == (b"", 0)


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_ctrl_c_keeps_what_came(run: Run, form: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 130, with the beginning of the answer, and no traceback."""

    class Interrupted(ChatStream):
        def __iter__(self) -> Iterator[Event]:
            for event in super().__iter__():
                yield event
                if self.reply.content == "the beginning":
                    signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("kimi_openai.streaming.ChatStream", Interrupted)
    run.kimi.script(say("the beginning"), pause(float("inf")))
    code, out, errors = run("chat", *form, "Hi")
    assert (code, errors) == (130, "")
    assert (json.loads(out)["text"] if form else out.rstrip("\n")) == "the beginning"


def test_an_empty_part_is_not_remembered() -> None:
    """Kimi refuses an empty assistant message, so its question goes too."""
    question = {"role": "user", "content": "q"}
    assert remembered([], question, Reply(reasoning="hm")) == []
    assert remembered([], question, Reply(content="part", reasoning="hm")) == [
        question,
        {"role": "assistant", "content": "part", "reasoning_content": "hm"},
    ]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's device that is always full")
def test_a_full_disk_is_said_in_words(kimi: Emulator) -> None:
    """Here is something wrong, not with the service."""
    line = f'"{sys.executable}" -m kimi_openai balance > /dev/full'
    environ = {"MOONSHOT_API_KEY": kimi.api_key, "MOONSHOT_BASE_URL": kimi.base_url, "PYTHONPATH": ROOT}
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env={**os.environ, **environ}, timeout=60)
    assert (done.returncode, done.stderr) == (2, "[Errno 28] No space left on device\n")
