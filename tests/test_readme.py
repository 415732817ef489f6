"""README.md: what it shows runs, what it quotes is what comes out, and what it names is there."""

from __future__ import annotations

import pydoc
import re
import shlex
import warnings
from pathlib import Path

import pytest

import kimi_openai
from kimi_openai import KimiCompatWarning
from kimi_openai.cli.main import main
from kimi_openai.cli.parser import parser, with_command
from kimi_openai.emulator import Emulator

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"), ids=lambda code: code.strip().splitlines()[-1][:40])
def test_a_block_runs_as_it_stands(code: str, kimi: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a key in the environment, as the reader has it, and nothing else."""
    warnings.simplefilter("ignore", KimiCompatWarning)  # the reader is to see them
    monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)
    monkeypatch.setenv("MOONSHOT_BASE_URL", kimi.base_url)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})


def test_the_set_up_is_two_commands() -> None:
    """One line each: the demo and the tests."""
    lines = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    assert len(lines) == 2
    assert (lines[0].endswith("-m kimi_openai demo"), lines[1].endswith("-m pytest")) == (True, True)


def test_what_it_shows_of_the_demo_is_what_the_demo_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """Line by line, in the same order."""
    main(["demo"])
    printed = iter(capsys.readouterr().out.splitlines())
    shown = blocks("text")[0].splitlines()
    assert [line for line in shown if line not in printed] == []


COMMANDS = [
    command.partition(" #")[0]
    for line in "".join(blocks("sh")).splitlines()
    for command in re.findall(r"kimi-openai [^|;)]*", line)
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one(command: str) -> None:
    """With options that it has."""
    assert parser().parse_args(with_command(shlex.split(command)[1:])).command


@pytest.mark.parametrize("name", sorted(set(re.findall(r'help\("(\w+\.[a-z_]+)"\)', README))))
def test_help_that_it_points_to_is_there(name: str) -> None:
    """For packages and for names that are loaded when they are first used."""
    assert len(pydoc.locate(name).__doc__ or "") > 500


def test_it_is_short() -> None:
    """A reader finds the place for them; the rest is in docstrings and notebooks."""
    assert len(README.splitlines()) < 350


def test_the_tracing_tools_are_those_that_are_tested() -> None:
    """`help("kimi_openai.client")` has each that an extra of this project installs."""
    extras = re.findall(r"^tracing.*?^\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    installed = set(re.findall(r'"([a-z0-9-]+)[>=]', "".join(extras)))
    assert len(extras) == 2
    others = {"httpx", "opentelemetry-sdk", "opentelemetry-util-genai"}
    assert [each for each in installed - others if each not in (kimi_openai.client.__doc__ or "")] == []
