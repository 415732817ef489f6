"""Which commands and options there are, and what wrong usage looks like."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimi_openai.cli.parser import ACTIONS, COMMANDS

from .conftest import Run, TerminalFile


def test_help_is_0_and_names_every_command(run: Run) -> None:
    """It goes to stdout, for the command and for each subcommand."""
    code, out, errors = run("--help")
    assert (code, errors) == (0, "")
    for name in COMMANDS:
        assert f"\n    {name}" in out
        code, about, errors = run(name, "--help")
        assert (code, errors) == (0, "")
        assert about.startswith(f"usage: kimi-openai {name} ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["blance"], "invalid choice"),
        (["--nonsense"], "unrecognized"),
        (["files"], "required: ACTION"),
        (["files", "upload", "nothing.txt"], "does not exist"),
        (["files", "delete", "file_1"], "--yes"),
        (["chat"], "empty"),
        (["chat", "--json", "--raw", "Hi"], "not allowed"),
        (["chat", "--no-thinking", "Hi"], "always thinking"),
        (["chat", "--effort", "medium", "Hi"], "'high'"),
        (["chat", "--image", "nothing.png", "Hi"], "does not exist"),
        (["chat", "--file", "nothing.pdf", "Hi"], "does not exist"),
        (["tokens", "--messages", "{"], "not JSON"),
        (["emulator", "--limits", "gold"], "'tier1'"),
        (["tokens", "--messages", "[1]"], "neither"),
        (["tokens", "Hi", "--file", "x"], "not both"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_2(run: Run, arguments: list[str], words: str) -> None:
    """Nothing on stdout, what to do on stderr, and nothing is asked of the model."""
    code, out, errors = run(*arguments)
    assert (code, out) == (2, "")
    assert words in errors
    assert "Traceback" not in errors
    assert run.kimi.chats == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["balanse"], "kimi-openai: argument COMMAND: invalid choice: 'balanse' (did you mean balance?)"),
        (["file", "list"], "kimi-openai: argument COMMAND: invalid choice: 'file' (did you mean files?)"),
        (["models", "--jsn"], "kimi-openai models: unrecognized arguments: --jsn (did you mean --json?)"),
        (["modles", "--json"], "kimi-openai: argument COMMAND: invalid choice: 'modles' (did you mean models?)"),
        (["files", "lst"], "kimi-openai files: argument ACTION: invalid choice: 'lst' (did you mean list?)"),
        (["chat", "--modle", "k3", "Hi"], "kimi-openai chat: unrecognized arguments: --modle (did you mean --model?)"),
        (["--modle=k3", "Hi"], "kimi-openai chat: unrecognized arguments: --modle=k3 (did you mean --model?)"),
        (["doctor", "--xyz"], "kimi-openai doctor: unrecognized arguments: --xyz"),
        (["chat", "--max-tokens", "x"], "kimi-openai chat: argument --max-tokens: invalid int value: 'x'"),
        (["files", "upload"], "kimi-openai files upload: the following arguments are required: PATH"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_slip_is_one_line_with_what_may_be_meant(run: Run, arguments: list[str], line: str) -> None:
    """It names the command, and the command for its help."""
    command = line.partition(":")[0]
    assert run(*arguments) == (2, "", f"{line}; see `{command} --help`\n")


def test_the_actions_are_those_of_the_commands(run: Run) -> None:
    """So that a slip in the name of their command is found before them."""
    for action in ACTIONS:
        helps = [run(command, action, "--help")[0] for command in ("files", "batch")]
        assert 0 in helps


def test_a_question_that_begins_like_a_command_is_asked(run: Run) -> None:
    """Words follow, and no option or action."""
    assert run("model", "trains", "are", "fun")[0] == 0
    assert run.sent()["messages"][-1]["content"] == "model trains are fun"


def test_a_choice_without_a_near_one_lists_all(run: Run) -> None:
    """Also where several are equally near."""
    _, _, errors = run("emulator", "--limits", "tier9")
    assert "did you mean" not in errors
    assert errors.count("tier") == 7


def test_without_arguments_it_prints_its_help(run: Run) -> None:
    """To stderr, because nothing was done."""
    code, out, errors = run()
    assert (code, out) == (2, "")
    assert "what works, what does not and what to do" in errors


@pytest.mark.parametrize("form", ["--json", "--raw"])
def test_a_conversation_has_no_form_for_machines(run: Run, form: str) -> None:
    """Without a question, at a terminal, `--json` and `--raw` are wrong usage."""
    code, out, errors = run("chat", form, stdin=TerminalFile())
    assert (code, out) == (2, "")
    assert errors == "--json, --raw and --schema need a question: as words, or on stdin\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["sk-secret"],
        ["emulator", "--port", "sk-secret"],
        ["files", "upload", "x", "--purpose", "sk-secret"],
        ["files", "upload", "sk-secret"],
        ["chat", "--effort", "sk-secret", "Hi"],
        ["chat", "--image", "https://me:secret@host/a.png", "Hi"],
        ["chat", "--file", "sk-secret", "Hi"],
        ["chat", "--model", "sk-secret", "Hi"],
        ["tokens", "--file", "sk-secret"],
        ["tokens", "--file", "sk-secret.bin"],
        ["balance", "--sk-secret"],
    ],
    ids=" ".join,
)
def test_a_key_in_the_wrong_place_is_not_repeated(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    """On a screen that is shared, or in the log of a build."""
    (tmp_path / "sk-secret.bin").write_bytes(b"\xff")
    code, out, errors = run(*arguments)
    assert code in (1, 2)
    assert "secret" not in out + errors
